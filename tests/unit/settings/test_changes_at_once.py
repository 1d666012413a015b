"""Two people who change different settings at the same moment: both changes are there afterwards."""

from __future__ import annotations

from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.store.table import Write
from tests.worlds.web import World


def test_a_change_that_was_overtaken_is_made_again_on_what_the_other_one_left() -> None:
    world = World(bank_feeds=False)
    commit = world.table.commit

    def overtaken(*writes: Write) -> None:
        world.table.commit = commit  # type: ignore[method-assign]
        settings_changes.change_settings(world.ports, world.now, {"app_name": "Harbour Feeds"})
        commit(*writes)

    world.table.commit = overtaken  # type: ignore[method-assign]
    settings_changes.change_settings(world.ports, world.now, {"bank_feeds": True})
    settings = settings_items.settings(world.store)
    assert (settings.app_name, settings.bank_feeds) == ("Harbour Feeds", True)
    assert len(world.events("settings.changed")) == 2


def test_an_origin_that_is_allowed_at_the_same_moment_as_the_profile_is_saved_fails_nobody() -> None:
    world = World(bank_feeds=False)
    commit = world.table.commit
    profile = settings_items.profile(world.store)

    def overtaken(*writes: Write) -> None:
        world.table.commit = commit  # type: ignore[method-assign]
        settings_changes.change_profile(world.ports, world.now, profile.but(name="Harbour Bank"))
        commit(*writes)

    world.table.commit = overtaken  # type: ignore[method-assign]
    settings_changes.change_origins(world.ports, world.now, ["https://app.example"])
    saved = settings_items.profile(world.store)
    assert (saved.name, saved.allowed_origins) == ("Harbour Bank", ("https://app.example",))
