"""A code can be exchanged once at Xero, and its callback be repeated: every repeat gets what the first one brought."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from feedlane.credentials.vault import Grant
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.vault.service import GrantNotStored, VaultService
from tests.worlds.vault import REDIRECT, Crash, World

CODE = "code-of-the-customer"


class Throttled(Exception):
    """A call that the store refuses now and takes later."""


@pytest.fixture
def world() -> World:
    return _world()


def _world() -> World:
    world = World()
    world.connect()
    return world


def _exchanges(world: World) -> int:
    return sum(form.get("code") == CODE for form in world.server.forms)


def test_a_repeat_gets_the_same_grant_without_asking_xero(world: World) -> None:
    first = world.vault().exchange_code(CODE, REDIRECT)
    again = world.vault().exchange_code(CODE, REDIRECT)
    assert again == first
    assert _exchanges(world) == 1


def test_neither_the_code_nor_a_token_is_in_the_table(world: World) -> None:
    grant = world.vault().exchange_code(CODE, REDIRECT)
    stored = str(world.table.items)
    assert CODE not in stored
    assert grant.access_token not in stored
    assert "canary" not in stored


def test_a_repeat_after_another_consent_of_the_user_keeps_its_own_consent(world: World) -> None:
    world.server.scope = "openid bankfeeds"
    first = world.vault().exchange_code(CODE, REDIRECT)
    world.server.scope = "openid offline_access bankfeeds"
    world.vault().exchange_code("code-later", REDIRECT)
    again = world.vault().exchange_code(CODE, REDIRECT)
    assert again.scopes == first.scopes
    assert again.authentication_event_id == first.authentication_event_id
    assert _exchanges(world) == 1


def test_a_code_that_xero_refuses_stays_refused(world: World) -> None:
    for _ in range(2):
        with pytest.raises(ReconnectionNeeded):
            world.vault().exchange_code("dead", REDIRECT)


@pytest.mark.parametrize(
    "other",
    [
        (REDIRECT, "another", "state"),
        ("https://elsewhere.example/cb", "verifier", "state"),
        (REDIRECT, None, "another"),
    ],
    ids=["verifier", "redirect URI", "state"],
)
def test_whoever_brings_the_code_to_another_start_gets_nothing_and_xero_is_not_asked(
    world: World, other: tuple[str, str | None, str]
) -> None:
    verifier = other[1] and "verifier"
    vault = world.vault()
    first = vault.exchange_code(CODE, REDIRECT, verifier, "state")
    for instance in (vault, world.vault()):
        with pytest.raises(ReconnectionNeeded):
            instance.exchange_code(CODE, *other)
    assert world.vault().exchange_code(CODE, REDIRECT, verifier, "state") == first
    assert _exchanges(world) == 1


def test_a_grant_that_is_not_stored_yet_is_kept_from_another_start_too(world: World) -> None:
    vault = world.vault()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.secrets, "write", _throttled)
        with pytest.raises(GrantNotStored):
            vault.exchange_code(CODE, REDIRECT, "verifier")
    world.advance(minutes=1)
    with pytest.raises(ReconnectionNeeded):
        vault.exchange_code(CODE, REDIRECT, "another")
    assert vault.exchange_code(CODE, REDIRECT, "verifier").token_set_id
    assert _exchanges(world) == 1


def test_a_code_that_xero_refused_to_another_start_still_works_for_its_own(world: World) -> None:
    vault = world.vault()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.server, "_is_new", lambda _: False)
        with pytest.raises(ReconnectionNeeded):
            vault.exchange_code(CODE, REDIRECT, "another")
    assert world.vault().exchange_code(CODE, REDIRECT, "verifier").token_set_id


def test_while_xero_is_asked_a_second_callback_waits_and_never_asks(world: World) -> None:
    inner: list[object] = []

    def reload_at_the_same_time(_: str) -> None:
        world.secrets.on_write = None
        with pytest.raises(Unavailable):
            world.vault().exchange_code(CODE, REDIRECT)
        inner.append(_exchanges(world))

    world.secrets.on_write = reload_at_the_same_time
    world.vault().exchange_code(CODE, REDIRECT)
    assert inner == [1]
    assert _exchanges(world) == 1


def test_whatever_call_is_throttled_the_repeat_finds_the_grant() -> None:
    """Each call to the table and to the secrets fails once, and then for as long as the first request lasts."""
    for lasting in (False, True):
        steps = 0
        for world, vault in _interrupted_everywhere(lasting):
            grant = _tried_again(world, vault)
            assert world.vault().access_token(grant.token_set_id).value
            assert _exchanges(world) == 1
            steps += 1
        assert steps > 5


def test_one_commit_that_the_table_throttles_costs_no_consent(world: World) -> None:
    """Another instance has nothing in memory: the grant has to be stored by the one that Xero gave it to."""
    _refuse_commits_after_xeros_answer(world, times=1)
    grant = world.vault().exchange_code(CODE, REDIRECT)
    assert world.vault().exchange_code(CODE, REDIRECT) == grant


def test_saving_ends_while_there_is_time_to_answer_and_the_reload_goes_on_with_it(world: World) -> None:
    """A function that is ended by its time-out forgets what it had in memory."""
    tries = _refuse_commits_after_xeros_answer(world, times=2, seconds=21)
    vault = world.vault()
    with pytest.raises(Unavailable):
        vault.exchange_code(CODE, REDIRECT)
    assert tries == [1]
    world.restart()
    assert vault.exchange_code(CODE, REDIRECT).token_set_id
    assert _exchanges(world) == 1


def test_who_dies_before_xero_was_asked_leaves_a_code_that_works(world: World) -> None:
    def die() -> None:
        world.table.dead = True
        raise Crash

    world.table.on_commit = die
    with pytest.raises(Crash):
        world.vault().exchange_code(CODE, REDIRECT)
    assert world.restart().exchange_code(CODE, REDIRECT).token_set_id


def _refuse_commits_after_xeros_answer(world: World, times: int, seconds: int = 0) -> list[int]:
    """So many commits, which take so long. The numbers of those refused are in the list."""
    refused: list[int] = []

    def refuse() -> None:
        if _exchanges(world) and len(refused) < times:
            refused.append(len(refused) + 1)
            world.advance(seconds=seconds)
            raise Unavailable("The table is not available at the moment", 2)

    world.table.on_commit = refuse
    return refused


def _throttled(*_: Any) -> Any:
    raise Throttled


def _tried_again(world: World, vault: VaultService) -> Grant:
    """At once, or after the minute that the page asks for."""
    with suppress(Unavailable):
        return vault.exchange_code(CODE, REDIRECT)
    world.advance(minutes=1)
    return vault.exchange_code(CODE, REDIRECT)


def _interrupted_everywhere(lasting: bool) -> Iterator[tuple[World, VaultService]]:
    """For each call at which an exchange can be throttled: the world and the vault's instance afterwards."""
    for step in itertools.count(1):
        world = _world()
        vault = world.vault()
        restore = _throttle(world, step, lasting)
        try:
            vault.exchange_code(CODE, REDIRECT)
        except (Throttled, GrantNotStored):
            restore()
            yield world, vault
        else:
            is_past_the_end = restore()
            yield world, vault
            if is_past_the_end:
                return


def _throttle(world: World, step: int, lasting: bool) -> Callable[[], bool]:
    """Call number `step` is refused, or with `lasting` all from there. The result says whether none was reached."""
    places: list[tuple[Any, str]] = [(world.table, "get"), (world.table, "commit"), (world.secrets, "write")]
    calls = 0

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step or (lasting and calls > step):
                raise Throttled
            return call(*arguments, **keywords)

        return refuse

    for port, name in places:
        setattr(port, name, refusing(getattr(port, name)))

    def restore() -> bool:
        for port, name in places:
            delattr(port, name)
        return calls < step

    return restore


def test_what_could_not_be_stored_is_stored_by_a_repeat_and_never_asked_for_again(world: World) -> None:
    vault = world.vault()
    world.secrets.on_write = _refuse
    with pytest.raises(GrantNotStored):
        vault.exchange_code(CODE, REDIRECT)
    with pytest.raises(Unavailable):
        world.vault().exchange_code(CODE, REDIRECT)  # another instance: it has nothing, and says so
    world.secrets.on_write = None
    assert vault.exchange_code(CODE, REDIRECT) == world.vault().exchange_code(CODE, REDIRECT)
    assert _exchanges(world) == 1


def test_what_is_lost_with_its_process_asks_the_customer_again_and_not_xero(world: World) -> None:
    world.secrets.on_write = _refuse
    with pytest.raises(GrantNotStored):
        world.vault().exchange_code(CODE, REDIRECT)
    world.advance(minutes=3)
    with pytest.raises(ReconnectionNeeded) as lost:
        world.vault().exchange_code(CODE, REDIRECT)
    assert lost.value.problem.type == "grant-lost"
    assert _exchanges(world) == 1, "Xero may revoke what a code has brought if it comes twice"


def _refuse(_: str) -> None:
    raise PermissionError
