"""The watch resolves a refresh in doubt while Xero still honours the old token."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from feedlane.credentials import refreshes
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.store.store import Store
from feedlane.upkeep import refreshes_in_doubt
from feedlane.upkeep.refreshes_in_doubt import Resolved
from feedlane.vault.leases import Leases
from tests.worlds.vault import NEW_SECRET, SECRET, Crash, World


@pytest.fixture
def world() -> World:
    return World()


def _crash_before_storing(world: World, token_set: str) -> None:
    """A refresh whose process ends after Xero's answer, before anything is stored."""

    def die(_: str) -> None:
        world.table.dead = True
        raise Crash

    world.secrets.on_write = die
    with pytest.raises(Crash):
        world.vault().access_token(token_set)
    world.restart()


def _lose_answer(_: int) -> httpx.Response:
    raise httpx.ReadTimeout("lost")


def _resolve(world: World) -> Resolved:
    return refreshes_in_doubt.resolve(Store(world.table), world.restart(), world.now)


def _add_in_doubt(world: World, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Token sets of different users, each with a refresh that has crashed."""
    token_sets = []
    for user in range(number):
        monkeypatch.setattr("tests.worlds.vault.USER", f"5f2c1a3e-0000-4000-8000-00000000010{user}")
        token_sets.append(world.connect(f"code-{user}"))
    assert len(set(token_sets)) == number
    world.advance(minutes=31)
    for token_set in token_sets:
        _crash_before_storing(world, token_set)
    world.advance(minutes=10)


def _in_doubt(world: World) -> list[str]:
    return refreshes.in_doubt_since(Store(world.table), world.now + timedelta(minutes=1), 10)


def test_without_the_watch_a_crash_of_which_nobody_asks_again_costs_the_connection(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    _crash_before_storing(world, token_set)
    world.advance(minutes=31)
    with pytest.raises(ReconnectionNeeded):
        world.restart().access_token(token_set)


def test_a_crash_of_which_nobody_asks_again_is_settled_in_time(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    _crash_before_storing(world, token_set)
    world.advance(minutes=10)
    assert _resolve(world) == Resolved(resolved=1)
    world.advance(days=59)
    assert world.restart().access_token(token_set).value


def test_lost_answers_of_which_nobody_asks_again_are_settled_in_time(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.after = _lose_answer
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    world.server.after = lambda _: None
    world.advance(minutes=10)
    assert _resolve(world) == Resolved(resolved=1)
    world.advance(days=59)
    assert world.restart().access_token(token_set).value


def test_a_token_that_works_still_does_not_hide_the_doubt(world: World) -> None:
    token_set = world.connect()
    rejected = fingerprint(world.vault().access_token(token_set).value)
    world.advance(minutes=6)
    world.server.after = _lose_answer
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set, rejected)
    world.server.after = lambda _: None
    world.advance(minutes=10)
    assert _resolve(world) == Resolved(resolved=1)
    assert _in_doubt(world) == []


def test_a_refresh_under_way_is_left_alone(world: World) -> None:
    token_set = world.connect()
    leases = Leases(world.table, world.clock)
    assert leases.take(leases.read(token_set), refresh=True)
    world.advance(minutes=1)
    assert _resolve(world) == Resolved()
    assert world.server.refreshes == 0


def test_a_refresh_that_ends_well_is_listed_no_more(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.vault().access_token(token_set)
    world.advance(minutes=10)
    assert _in_doubt(world) == []
    assert _resolve(world) == Resolved()
    assert world.server.refreshes == 1


def test_a_token_set_that_has_ended_is_asked_about_once(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    _crash_before_storing(world, token_set)
    world.advance(minutes=31)
    assert _resolve(world) == Resolved(ended=1)
    assert _resolve(world) == Resolved()


def test_a_token_set_that_was_revoked_meanwhile_is_listed_no_more(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    _crash_before_storing(world, token_set)
    world.advance(minutes=1)
    world.restart().revoke(token_set)
    assert _in_doubt(world) == []


def test_nobody_else_is_asked_about_while_xero_is_out_of_reach(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _add_in_doubt(world, monkeypatch, 5)
    world.server.after = _lose_answer
    before = world.server.refreshes
    assert _resolve(world) == Resolved()
    assert world.server.refreshes == before + 2 * refreshes_in_doubt.UNANSWERED_MAX
    assert len(_in_doubt(world)) == 5


def test_nobody_else_is_asked_about_while_xero_does_not_know_the_app(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_in_doubt(world, monkeypatch, 3)
    world.server.secrets, before = [NEW_SECRET], world.server.refreshes
    assert _resolve(world) == Resolved()
    assert world.server.refreshes == before + 1
    world.server.secrets = [SECRET]
    world.advance(minutes=10)
    assert _resolve(world) == Resolved(resolved=3)
