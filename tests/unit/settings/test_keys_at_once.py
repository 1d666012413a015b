"""Concurrent changes of the keys: the last wins as a whole, and the settings describe what the vault has."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest

from feedlane.credentials.vault import SecretSlot
from feedlane.errors import Invalid, Unavailable
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from tests.worlds.app_keys import World
from tests.worlds.vault import CLIENT_ID, NEW_SECRET, SECRET, Crash

OTHER_ID, OTHER_SECRET = "OTHERAPP0123456789AB", "canary-other-apps-secret"
Change = Callable[[World], object]

CHANGES: dict[str, Change] = {
    "save": lambda world: world.save(CLIENT_ID, NEW_SECRET),
    "save another app": lambda world: world.save(OTHER_ID, OTHER_SECRET),
    "add": lambda world: world.add("canary-client-secret-three"),
    "drop the first": lambda world: world.drop(SecretSlot.FIRST),
}


@pytest.fixture
def world() -> World:
    world = World()
    world.server.secrets = [SECRET, NEW_SECRET, "canary-client-secret-three", OTHER_SECRET]
    answer_first_app = world.server._answer

    def answer(request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        credentials = _basic_credentials(request)
        is_other_app = OTHER_ID in credentials and OTHER_SECRET in credentials
        return httpx.Response(200, json={}) if is_other_app else answer_first_app(request, form)

    world.server._answer = answer  # type: ignore[method-assign]
    world.save(CLIENT_ID, SECRET)
    world.add(NEW_SECRET)
    return world


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_a_change_that_comes_while_another_is_with_xero_waits_for_it(world: World, first: str, second: str) -> None:
    """The second starts from the outcome of the first, and its own outcome counts in the end."""
    has_come = False

    def come_between() -> None:
        nonlocal has_come
        if not has_come:
            has_come = True
            with pytest.raises(Unavailable):  # this thread cannot wait for itself
                CHANGES[second](world)

    _before_each_answer(world, come_between)
    CHANGES[first](world)
    assert has_come
    assert world.settings_match_vault()
    before = world.stored_keys
    try:
        CHANGES[second](world)
    except Invalid:
        assert world.stored_keys == before
    else:
        assert world.stored_keys.version > before.version
    assert world.settings_match_vault()
    _assert_keys_of_one_app(world)


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_what_is_noted_late_does_not_hide_a_later_change(world: World, first: str, second: str) -> None:
    """The vault has both changes. The first is recorded in the table after the second."""
    has_come = False

    def come_between() -> None:
        nonlocal has_come
        is_lease_free = world.lease("app-keys").get("until") == 0
        if is_lease_free and world.stored_keys.version > recorded_version and not has_come:
            has_come = True
            try:
                CHANGES[second](world)
            except Invalid:
                return

    recorded_version = settings_items.settings(world.store).keys_version
    world.table.on_commit = come_between
    CHANGES[first](world)
    world.table.on_commit = None
    assert has_come
    assert world.settings_match_vault()
    assert settings_items.settings(world.store).keys_version == world.stored_keys.version
    _assert_keys_of_one_app(world)


@pytest.mark.parametrize("commit", range(1, 5))
@pytest.mark.parametrize("name", CHANGES)
def test_after_a_crash_the_watch_makes_table_and_vault_agree(world: World, name: str, commit: int) -> None:
    events_before = len(world.events("settings.changed"))
    keys_before = world.stored_keys
    world.crash_at(commit)
    try:
        CHANGES[name](world)
    except Crash:
        world.finish_interrupted_change()
    world.restart()
    assert world.settings_match_vault()
    _assert_keys_of_one_app(world)
    assert len(world.events("settings.changed")) == events_before + (world.stored_keys != keys_before)
    assert not world.finish_interrupted_change()


def test_who_was_held_up_for_longer_than_the_lease_changes_nothing_that_another_has_saved(world: World) -> None:
    real = world.server._answer

    def overtaken(request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        world.server._answer = real  # type: ignore[method-assign]
        world.advance(seconds=41)
        world.save(CLIENT_ID, NEW_SECRET)
        return real(request, form)

    world.server._answer = overtaken  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.save(OTHER_ID, OTHER_SECRET)
    assert (world.stored_keys.client_id, world.stored_keys.client_secret) == (CLIENT_ID, NEW_SECRET)
    assert world.settings_match_vault()


def test_other_settings_that_change_at_that_moment_stay(world: World) -> None:
    is_changed = False

    def change() -> None:
        nonlocal is_changed
        if world.lease("app-keys").get("until") == 0 and not is_changed:
            is_changed = True
            settings_changes.change_settings(world.ports, world.now, {"app_name": "Harbour Feeds"})

    world.table.on_commit = change
    world.save(OTHER_ID, OTHER_SECRET)
    assert is_changed
    assert settings_items.settings(world.store).app_name == "Harbour Feeds"
    assert world.settings_match_vault()


def test_keys_that_were_lost_and_are_entered_anew_are_shown(world: World) -> None:
    world.secrets.delete("app-keys")
    with pytest.raises(Unavailable):  # it may only not be shown yet
        world.save(OTHER_ID, OTHER_SECRET)
    world.advance(hours=2)
    world.save(OTHER_ID, OTHER_SECRET)
    assert world.settings_match_vault()


def _before_each_answer(world: World, act: Callable[[], None]) -> None:
    """Calls `act` before each answer of Xero's identity server."""
    answer = world.server._answer

    def act_and_answer(request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        act()
        return answer(request, form)

    world.server._answer = act_and_answer  # type: ignore[method-assign]


def _assert_keys_of_one_app(world: World) -> None:
    secrets = {CLIENT_ID: {SECRET, NEW_SECRET, "canary-client-secret-three"}, OTHER_ID: {OTHER_SECRET}}
    stored = world.stored_keys
    assert {keys.secret for keys in stored.keys_to_try} <= secrets[stored.client_id]


def _basic_credentials(request: httpx.Request) -> str:
    return base64.b64decode(request.headers["authorization"][6:]).decode()
