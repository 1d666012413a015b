"""The parts put together as the functions use them; each is made once in a function's life."""

from __future__ import annotations

from functools import lru_cache

from feedlane import aws
from feedlane.checking import Checker
from feedlane.clock import system_clock
from feedlane.environment import environment
from feedlane.ids import new_id
from feedlane.sending import Sender
from feedlane.upstream import Upstream
from feedlane.vault import Vault
from feedlane.vault_client import LambdaVault
from feedlane.xero.bank_feeds import XeroBankFeeds


@lru_cache(maxsize=1)
def vault() -> Vault:
    return LambdaVault(aws.client("lambda", 30), environment().vault_function_name)


@lru_cache(maxsize=1)
def upstream() -> Upstream:
    raise NotImplementedError(XeroBankFeeds)


@lru_cache(maxsize=1)
def sender() -> Sender:
    return Sender(aws.store(), aws.queues(), upstream(), system_clock, new_id)


@lru_cache(maxsize=1)
def checker() -> Checker:
    return Checker(aws.store(), aws.queues(), upstream(), system_clock, new_id)
