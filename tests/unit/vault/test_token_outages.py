"""Crashes, lost answers and outages around a refresh: no token is lost, and no customer is asked to reconnect."""

from __future__ import annotations

import httpx
import pytest

from feedlane.errors import Unavailable
from tests.worlds.vault import Crash, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_crash_between_xeros_answer_and_the_store_costs_nothing_within_the_grace_period(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    die_at_write(world)
    with pytest.raises(Crash):
        world.vault().access_token(token_set)

    vault = world.restart()
    with pytest.raises(Unavailable):  # the dead holder's lease still runs
        vault.access_token(token_set)
    world.advance(minutes=1)
    assert vault.access_token(token_set).value.endswith("canary-access-3")
    assert [form["refresh_token"] for form in world.server.forms if "refresh_token" in form] == ["canary-refresh-1"] * 2


@pytest.mark.parametrize("later", [5, 40], ids=["within the grace period", "after the grace period"])
def test_a_crash_between_the_store_and_its_pointer_costs_nothing(world: World, later: int) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def die(_: str) -> None:
        world.table.dead = True

    world.secrets.after_write = die
    with pytest.raises(Crash):
        world.vault().access_token(token_set)

    vault = world.restart()
    world.advance(minutes=later)
    assert vault.access_token(token_set).value.endswith("canary-access-3")


def test_a_lost_answer_is_asked_for_again_with_the_old_token(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def lose_the_first(number: int) -> None:
        if number == 1:
            raise httpx.ReadTimeout("lost")

    world.server.after = lose_the_first
    assert world.vault().access_token(token_set).value.endswith("canary-access-3")


def test_answers_that_stay_lost_hold_nothing_and_free_the_lease(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def lose(_: int) -> None:
        raise httpx.ReadError("lost")

    world.server.after = lose
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    world.server.after = lambda _: None
    world.advance(minutes=10)
    assert world.vault().access_token(token_set).value.endswith("canary-access-4")


def test_a_store_that_refuses_the_write_loses_no_token(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def refuse(_: str) -> None:
        raise Unavailable("Secrets Manager asked to retry later", 2)

    world.secrets.on_write = refuse
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    assert world.restart().access_token(token_set).value.endswith("canary-access-3")


def test_an_outage_while_the_token_still_works_is_no_outage(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=28)
    world.server.before = lambda _: httpx.Response(503)
    assert world.vault().access_token(token_set).value.endswith("canary-access-1")
    assert world.server.refreshes == 1


def test_an_outage_with_an_ended_token_says_when_to_come_back(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.before = lambda _: httpx.Response(429, headers={"Retry-After": "17"})
    with pytest.raises(Unavailable) as raised:
        world.vault().access_token(token_set)
    assert raised.value.retry_after == 17


def die_at_write(world: World) -> None:
    """The process ends after Xero's answer: it neither stores anything nor releases its lease."""

    def die(_: str) -> None:
        world.table.dead = True
        raise Crash

    world.secrets.on_write = die


def test_no_token_is_replaced_while_the_store_could_not_keep_the_new_one(world: World) -> None:
    """The vault remembers the pair, so it could ask Xero. Longer than the grace period, the old one would be dead."""
    token_set = world.connect()
    vault = world.vault()
    vault.access_token(token_set)
    world.advance(minutes=31)
    asked, real = len(world.server.forms), world.secrets.current

    def down(name: str) -> None:
        raise Unavailable("Secrets Manager did not answer")

    world.secrets.current = down  # type: ignore[method-assign,assignment]
    for _ in range(3):
        with pytest.raises(Unavailable):
            vault.access_token(token_set)
        world.advance(minutes=40)
    assert len(world.server.forms) == asked
    world.secrets.current = real  # type: ignore[method-assign]
    assert vault.access_token(token_set).value
