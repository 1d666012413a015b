"""What is set at Codat for all customers of ours: we are its client."""

from __future__ import annotations

from feedlane.codat_upstream.answers import Item
from feedlane.codat_upstream.asking import ask, object_of, text_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.companies.connection import CODAT_ACCESS, PLATFORM_KEY
from feedlane.companies.hosted_link import HostedClient
from feedlane.errors import ReconnectionNeeded
from feedlane.feeds.upstream import TenantAccess

_NO_COMPANY = TenantAccess(tenant_id="", token_set_id=CODAT_ACCESS)


def read(client: CodatClient) -> HostedClient:
    """Two calls, which change nothing. Raises `Refused`, `Unavailable`, and `ReconnectionNeeded` without a profile."""
    is_on = _integration(client).get("enabled") is True
    profile = object_of(ask(client, _NO_COMPANY, "GET", "/profile"))
    return HostedClient(offers_xero=is_on, redirect_url=text_in(profile, "redirectUrl"))


def _integration(client: CodatClient) -> Item:
    """Empty if Codat knows none for Xero."""
    try:
        return object_of(ask(client, _NO_COMPANY, "GET", f"/integrations/{PLATFORM_KEY}"))
    except ReconnectionNeeded:
        return {}
