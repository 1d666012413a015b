"""Changes of the keys at once: the last wins as a whole, and the settings show what the vault has."""

from __future__ import annotations

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
    real = world.server._answer

    def answer(request: httpx.Request, form: dict[str, str]) -> httpx.Response:
        other = OTHER_ID in _basic(request)
        return httpx.Response(200, json={}) if other and OTHER_SECRET in _basic(request) else real(request, form)

    world.server._answer = answer  # type: ignore[method-assign]
    world.save(CLIENT_ID, SECRET)
    world.add(NEW_SECRET)
    return world


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_a_change_that_comes_while_another_is_with_xero_waits_for_it(world: World, first: str, second: str) -> None:
    """Its own outcome, from what the first has left, is what counts in the end."""
    came = False

    def in_between(*_: object) -> None:
        nonlocal came
        if not came:
            came = True
            with pytest.raises(Unavailable):  # this thread cannot wait for itself
                CHANGES[second](world)

    real = world.server._answer
    world.server._answer = lambda request, form: (in_between(), real(request, form))[1]  # type: ignore[method-assign]
    CHANGES[first](world)
    assert came
    assert world.agree()
    before = world.kept
    try:
        CHANGES[second](world)
    except Invalid:
        assert world.kept == before
    else:
        assert world.kept.version > before.version
    assert world.agree()
    _is_no_mixture(world)


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_what_is_noted_late_does_not_hide_a_later_change(world: World, first: str, second: str) -> None:
    """The vault has both; whoever changed first comes to the table last."""
    came = False

    def in_between() -> None:
        nonlocal came
        lifted = world.lease("app-keys").get("until") == 0 and world.kept.version > noted
        if lifted and not came:
            came = True
            try:
                CHANGES[second](world)
            except Invalid:
                return

    noted = settings_items.settings(world.store).keys_version
    world.table.on_commit = in_between
    CHANGES[first](world)
    world.table.on_commit = None
    assert came
    assert world.agree()
    assert settings_items.settings(world.store).keys_version == world.kept.version
    _is_no_mixture(world)


@pytest.mark.parametrize("commit", range(1, 5))
@pytest.mark.parametrize("name", CHANGES)
def test_after_a_crash_the_watch_makes_table_and_vault_agree(world: World, name: str, commit: int) -> None:
    told = len(world.events("settings.changed"))
    before = world.kept
    world.crash_at(commit)
    try:
        CHANGES[name](world)
    except Crash:
        world.settle()
    world.restart()
    assert world.agree()
    _is_no_mixture(world)
    assert len(world.events("settings.changed")) == told + (world.kept != before)
    assert not world.settle()


def test_who_was_held_up_for_longer_than_the_lease_writes_nothing(world: World) -> None:
    def long(*_: object) -> None:
        world.advance(seconds=35)

    real, before = world.server._answer, world.kept
    world.server._answer = lambda request, form: (long(), real(request, form))[1]  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.save(OTHER_ID, OTHER_SECRET)
    assert world.kept == before


def test_other_settings_that_change_at_that_moment_stay(world: World) -> None:
    changed = False

    def change() -> None:
        nonlocal changed
        if world.lease("app-keys").get("until") == 0 and not changed:
            changed = True
            settings_changes.change_settings(world.ports, world.now, {"app_name": "Harbour Feeds"})

    world.table.on_commit = change
    world.save(OTHER_ID, OTHER_SECRET)
    assert changed
    assert settings_items.settings(world.store).app_name == "Harbour Feeds"
    assert world.agree()


def test_keys_that_were_lost_and_are_entered_anew_are_shown(world: World) -> None:
    world.secrets.delete("app-keys")
    world.advance(seconds=1)
    world.save(OTHER_ID, OTHER_SECRET)
    assert world.agree()


def _is_no_mixture(world: World) -> None:
    apps = {CLIENT_ID: {SECRET, NEW_SECRET, "canary-client-secret-three"}, OTHER_ID: {OTHER_SECRET}}
    kept = world.kept
    assert {one.secret for one in kept.keys_to_try} <= apps[kept.client_id]


def _basic(request: httpx.Request) -> str:
    import base64

    return base64.b64decode(request.headers["authorization"][6:]).decode()
