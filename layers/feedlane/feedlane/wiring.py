"""The parts put together as the functions use them; each is made once in a function's life."""

from __future__ import annotations

import time
from functools import lru_cache

from feedlane import aws, measures
from feedlane.checks import Checks
from feedlane.clock import system_clock
from feedlane.environment import environment
from feedlane.ids import new_id
from feedlane.sending import Sender
from feedlane.tending import Tender
from feedlane.tending_round import PER_MINUTE, Pace, Rounds
from feedlane.upstream import Upstream
from feedlane.vault import Vault
from feedlane.vault_client import LambdaVault
from feedlane.watching import Watch
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.http import Http
from feedlane.xero.tokens import TokenCache


@lru_cache(maxsize=1)
def vault() -> Vault:
    return LambdaVault(aws.client("lambda", 35), environment().vault_function_name)


@lru_cache(maxsize=1)
def xero() -> Http:
    return Http(environment().xero_api_url)


@lru_cache(maxsize=1)
def xero_api() -> XeroApi:
    return XeroApi(xero(), tokens())


@lru_cache(maxsize=1)
def tokens() -> TokenCache:
    return TokenCache(vault())


@lru_cache(maxsize=1)
def upstream() -> Upstream:
    return XeroBankFeeds(xero_api())


@lru_cache(maxsize=1)
def sender() -> Sender:
    return Sender(aws.store(), aws.queues(), upstream(), system_clock, new_id, measures.statement_age)


@lru_cache(maxsize=1)
def checks() -> Checks:
    return Checks(aws.store(), aws.queues(), upstream(), system_clock, new_id, measures.statement_age)


@lru_cache(maxsize=1)
def rounds() -> Rounds:
    pace = Pace(PER_MINUTE, time.monotonic, time.sleep)
    tender = Tender(aws.store(), vault(), XeroConnections(xero()), system_clock, new_id, aws.queues(), pace.wait)
    return Rounds(aws.store(), tender, system_clock)


@lru_cache(maxsize=1)
def watch() -> Watch:
    return Watch(aws.store(), aws.queues(), vault(), system_clock, new_id)
