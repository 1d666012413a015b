"""Codat's adapter as the functions use it. Imported only where a connection goes through Codat."""

from __future__ import annotations

from functools import lru_cache

from feedlane.codat_upstream.api_keys import KeyCache
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.hosted_link import CodatHostedLink
from feedlane.environment import environment
from feedlane.wiring import functions


@lru_cache(maxsize=1)
def client() -> CodatClient:
    return CodatClient(environment().codat_api_url, KeyCache(functions.vault()).key, limits=functions.call_limits())


@lru_cache(maxsize=1)
def bank_feeds() -> CodatBankFeeds:
    return CodatBankFeeds(client())


@lru_cache(maxsize=1)
def hosted_link() -> CodatHostedLink:
    return CodatHostedLink(client())
