"""An accepted API key of Codat releases what a rejected one has held: at once, and after a crash in between."""

from __future__ import annotations

import json

import pytest

from feedlane.credentials.vault import CODAT_KEY_NOT_SET, CODAT_KEY_REJECTED, SecretSlot
from feedlane.errors import Invalid
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import CODAT_SUBJECT, Scope
from feedlane.settings import codat_keys
from feedlane.settings import items as settings_items
from tests.rights import acting_as
from tests.worlds.vault import Crash, World

KEY, NEW_KEY = "canary-codat-key-one", "canary-codat-key-two"
SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
OTHER = Problem(type="codat-limit-reached", title="Limit", status=402)


@pytest.fixture
def world() -> World:
    return World()


def save(world: World, key: str) -> None:
    with acting_as("public_api"):
        codat_keys.change_key(world.ports, world.vault(), world.now, key)


def finish(world: World) -> bool:
    with acting_as("tend_connections"):
        return codat_keys.finish_interrupted_change(world.ports, world.restart(), world.now)


def hold(world: World, type: str) -> None:
    world.add_hold(
        Scope.APP, CODAT_SUBJECT, reason=CODAT_KEY_REJECTED, problem=Problem(type=type, title="Key", status=401)
    )


@pytest.mark.parametrize("type", [CODAT_KEY_REJECTED, CODAT_KEY_NOT_SET])
def test_a_right_key_releases_what_a_wrong_one_has_held(world: World, type: str) -> None:
    hold(world, type)
    world.codat_answers[KEY] = False
    with pytest.raises(Invalid):
        save(world, KEY)
    assert len(hold_items.holds(world.store)) == 1
    save(world, NEW_KEY)
    assert hold_items.holds(world.store) == []
    assert len(world.events("bankFeeds.released")) == 1


def test_a_hold_of_another_cause_stays(world: World) -> None:
    world.add_hold(Scope.APP, CODAT_SUBJECT, reason="codat-limit-reached", problem=OTHER)
    save(world, KEY)
    assert len(hold_items.holds(world.store)) == 1


def test_a_key_that_could_not_be_checked_releases_nothing_until_it_can(world: World) -> None:
    hold(world, CODAT_KEY_REJECTED)
    world.codat_answers[KEY] = None
    save(world, KEY)
    assert not settings_items.settings(world.store).codat.checked
    assert not finish(world)
    world.codat_answers.clear()
    assert finish(world)
    assert hold_items.holds(world.store) == []
    assert settings_items.settings(world.store).codat.checked


def test_a_change_that_a_crash_has_interrupted_is_finished(world: World) -> None:
    save(world, KEY)
    before = settings_items.settings(world.store).codat

    def crash() -> None:
        if world.lease("codat-keys").get("version_id") != version:
            world.table.dead = True
            raise Crash

    version = world.lease("codat-keys")["version_id"]
    world.table.on_commit = crash
    world.advance(seconds=1)
    with pytest.raises(Crash):
        save(world, NEW_KEY)
    world.table.dead = False
    assert settings_items.settings(world.store).codat == before
    assert finish(world)
    assert settings_items.settings(world.store).codat.ending == "-two"
    assert not finish(world)


def test_where_codat_was_never_used_the_vault_is_not_asked(world: World) -> None:
    assert not codat_keys.finish_interrupted_change(world.ports, None, world.now)  # type: ignore[arg-type]


def test_settings_and_events_never_have_more_than_four_characters(world: World) -> None:
    save(world, KEY)
    save(world, NEW_KEY)
    with acting_as("public_api"):
        codat_keys.change_webhook_secret(world.ports, world.vault(), world.now, SIGNING)
        codat_keys.drop_key(world.ports, world.vault(), world.now, SecretSlot.SECOND)
    facts = settings_items.settings(world.store).codat
    assert (facts.ending, facts.second_ending, facts.webhook_ending) == ("-two", "", "FhcY")
    events = [event.payload for event in world.events("settings.changed")]
    assert {tuple(payload["changed"]) for payload in events} == {("codat",)}
    assert all(payload["settings"] == {} for payload in events)
    text = json.dumps([event.model_dump(mode="json") for event in world.events()]) + repr(facts)
    assert not any(secret in text for secret in (KEY, NEW_KEY, SIGNING))
