"""Whoever learns that Xero does not know the app's keys holds the app, once, and nothing is sent for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import AppKeysRejected
from feedlane.feeds import items as feed_items
from feedlane.holds import items as hold_items
from feedlane.holds.watched_vault import WatchedVault
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store.table import Write
from feedlane.wiring.checks import Checks
from tests import builders
from tests.rights import acting, acting_as
from tests.worlds.base import BaseWorld

UNKNOWN_CLIENT = Problem(type="invalid_client", title="Invalid client", status=401)
NO_KEYS = Problem(type="app-keys-not-set", title="App keys missing", status=401)
ASKS: dict[str, Callable[[Any], object]] = {
    "oauth_callback": lambda vault: vault.exchange_code("code", "https://feeds.example.com/oauth/callback"),
    "link": lambda vault: vault.access_token("tokens"),
    "public_api": lambda vault: vault.access_token("tokens"),
    "tend_connections": lambda vault: vault.revoke("tokens"),
    "check_statements": lambda vault: vault.access_token("tokens"),
}


class Vault:
    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object) -> None:
            raise AppKeysRejected(self._problem)

        return refuse


def _ask(world: BaseWorld, function: str, problem: Problem) -> None:
    vault = WatchedVault(Vault(problem), lambda: world.ports)  # type: ignore[arg-type]
    with acting_as(function), pytest.raises(AppKeysRejected):
        ASKS[function](vault)


@pytest.mark.parametrize("function", ASKS)
def test_whoever_sees_it_holds_the_app_at_once_and_once(function: str) -> None:
    world = BaseWorld()
    for _ in range(3):
        _ask(world, function, UNKNOWN_CLIENT)
    hold = hold_items.find_hold(world.store, Scope.APP, APP_SUBJECT)
    assert hold is not None
    assert (hold.reason, hold.problem) == ("app-keys-rejected", UNKNOWN_CLIENT)
    assert len(world.events()) == 1


def test_what_waits_in_the_feeds_fails_with_it() -> None:
    world = BaseWorld()
    world.store.commit(*_waiting_feed())
    _ask(world, "link", UNKNOWN_CLIENT)
    checks = acting("check_statements", Checks(world.ports, world.upstream))
    for follow_up, _ in world.queues.take("follow_ups"):
        checks.dispatch(follow_up)
    assert world.queues.take("woken")


def test_missing_keys_are_no_refusal_of_xeros() -> None:
    world = BaseWorld()
    _ask(world, "link", NO_KEYS)
    assert hold_items.find_hold(world.store, Scope.APP, APP_SUBJECT) is None


def _waiting_feed() -> list[Write]:
    connection = builders.linked()
    return [
        company_items.add_company(builders.company()),
        company_items.add_connection(connection),
        company_items.add_source_account(builders.source_account(connection)),
        feed_items.put_feed(builders.feed(connection, recorded_through=1, version=0)),
    ]
