"""Codat's adapter as the functions use it. Imported only where a connection goes through Codat."""

from __future__ import annotations

from functools import lru_cache

from feedlane.aws.ports import ports
from feedlane.codat_upstream import own_client as client_settings
from feedlane.codat_upstream.api_keys import KeyCache
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.hosted_link import CodatHostedLink
from feedlane.companies.hosted_link import HostedClient
from feedlane.environment import environment
from feedlane.http import READ_TIMEOUT_SECONDS
from feedlane.scope import CODAT_SUBJECT
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.wiring import functions


@lru_cache(maxsize=1)
def client() -> CodatClient:
    return _client()


@lru_cache(maxsize=1)
def bank_feeds() -> CodatBankFeeds:
    return CodatBankFeeds(client())


def own_client(read_seconds: float) -> HostedClient:
    """What is set at Codat for all customers, for a page that cannot wait long. Raises what `own_client.read` does."""
    impatient = _client(read_seconds)
    try:
        return client_settings.read(impatient)
    finally:
        impatient.close()


@lru_cache(maxsize=1)
def hosted_link() -> CodatHostedLink:
    return CodatHostedLink(client())


def _client(read_seconds: float = READ_TIMEOUT_SECONDS) -> CodatClient:
    # Codat's limits are those of all function instances together, and none of Xero's.
    limits = SharedCallLimits(ports(), CODAT_SUBJECT)
    key = KeyCache(functions.vault()).key
    return CodatClient(environment().codat_api_url, key, limits=limits, read_seconds=read_seconds)
