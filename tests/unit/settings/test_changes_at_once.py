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
