"""Codat's adapter as the functions use it. Imported only where a connection goes through Codat."""

from __future__ import annotations

from functools import lru_cache

from feedlane.aws.ports import ports
from feedlane.codat_upstream.api_keys import KeyCache
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.hosted_link import CodatHostedLink
from feedlane.environment import environment
from feedlane.scope import CODAT_SUBJECT
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.wiring import functions


@lru_cache(maxsize=1)
def client() -> CodatClient:
    # Codat's limits are those of all function instances together, and none of Xero's.
    limits = SharedCallLimits(ports(), CODAT_SUBJECT)
    return CodatClient(environment().codat_api_url, KeyCache(functions.vault()).key, limits=limits)


@lru_cache(maxsize=1)
def bank_feeds() -> CodatBankFeeds:
    return CodatBankFeeds(client())


@lru_cache(maxsize=1)
def hosted_link() -> CodatHostedLink:
    return CodatHostedLink(client())
