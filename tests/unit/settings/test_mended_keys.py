"""Accepted keys release what rejected keys have held: at once, and after a crash anywhere in between."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import httpx
import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Refusal
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds import release as hold_release
from feedlane.ids import feed_id
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from tests.builders import COMPANY, CONNECTION
from tests.fakes.queues import FakeQueues
from tests.worlds.app_keys import NOT_ALLOWED, UNKNOWN_KEYS, World
from tests.worlds.feeds import World as Linked
from tests.worlds.vault import CLIENT_ID, NEW_SECRET, SECRET, Crash

RELEASED, CHANGED = "bankFeeds.released", "settings.changed"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("problem", [UNKNOWN_KEYS, NOT_ALLOWED])
def test_right_keys_release_what_wrong_ones_have_held_with_one_event(world: World, problem: object) -> None:
    world.hold(problem)  # type: ignore[arg-type]
    world.save(CLIENT_ID, SECRET)
    assert hold_items.holds(world.store) == []
    assert [event.payload["holdId"] for event in world.events(RELEASED)] == ["hold-1"]
    assert not world.finish_interrupted_change()
    assert len(world.events(RELEASED)) == 1


def test_what_waited_goes_on_under_a_new_push_operation(world: World) -> None:
    linked = Linked(("account-1",))
    world.table.put_many(linked.store.table.items.values())  # type: ignore[attr-defined]
    feed = _feed_with_waiting_lines(world)
    refusal = Refusal(scope="app", reason="app-keys-rejected", problem=UNKNOWN_KEYS)  # type: ignore[arg-type]
    company = company_items.company(world.store, COMPANY)
    placement.hold_feed(replace(world.ports, queues=FakeQueues()), feed, refusal, company, world.now)
    world.save(CLIENT_ID, SECRET)
    assert world.queues.woken == [feed.id]
    [operation] = push_operation_items.operations_of_company(world.store, COMPANY)
    assert (operation.door, operation.through) == ("release", feed.recorded_through)


def test_where_the_feeds_keep_changing_the_keys_are_saved_and_the_watch_releases(world: World) -> None:
    world.hold()
    with patch.object(hold_release, "_try_release", side_effect=ConditionFailed([])):
        settings, check = world.save(CLIENT_ID, SECRET)
    assert (check.ok, settings.client_id, world.settings_match_vault()) == (True, CLIENT_ID, True)
    assert len(hold_items.holds(world.store)) == 1
    assert world.finish_interrupted_change()
    assert hold_items.holds(world.store) == []


def test_a_second_secret_that_xero_knows_releases_too(world: World) -> None:
    world.save(CLIENT_ID, SECRET)
    world.server.secrets = [NEW_SECRET]
    world.hold()
    world.add(NEW_SECRET)
    assert hold_items.holds(world.store) == []


def test_wrong_keys_and_keys_that_nobody_could_check_release_nothing(world: World) -> None:
    world.hold()
    with pytest.raises(Invalid):
        world.save(CLIENT_ID, NEW_SECRET)
    answer, world.server._answer = world.server._answer, lambda *_: httpx.Response(503)  # type: ignore[method-assign]
    world.save(CLIENT_ID, SECRET)
    assert len(hold_items.holds(world.store)) == 1
    assert not settings_items.settings(world.store).keys_checked
    # The watch asks Xero again.
    world.server._answer = answer  # type: ignore[method-assign]
    assert world.finish_interrupted_change()
    assert (hold_items.holds(world.store), settings_items.settings(world.store).keys_checked) == ([], True)


def test_holds_for_other_reasons_stand(world: World) -> None:
    world.hold(reason="app-suspended")
    world.save(CLIENT_ID, SECRET)
    assert len(hold_items.holds(world.store)) == 1


@pytest.mark.parametrize("problem", [UNKNOWN_KEYS, NOT_ALLOWED])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_crash_at_any_commit_leaves_nothing_to_release_by_hand(world: World, commit: int, problem: object) -> None:
    """The commits take the lease, publish the keys, release the hold, and change the settings."""
    world.hold(problem)  # type: ignore[arg-type]
    world.crash_at(commit)
    with pytest.raises(Crash):
        world.save(CLIENT_ID, SECRET)
    world.restart()
    if not world.lease("app-keys").get("version_id"):
        assert len(hold_items.holds(world.store)) == 1
        world.advance(minutes=1)
        world.save(CLIENT_ID, SECRET)
    world.finish_interrupted_change()
    assert hold_items.holds(world.store) == []
    assert world.settings_match_vault()
    assert (len(world.events(RELEASED)), len(world.events(CHANGED))) == (1, 1)


def test_a_hold_that_the_former_keys_put_up_after_the_change_is_found_by_the_watch(world: World) -> None:
    world.save(CLIENT_ID, SECRET)
    world.hold()
    assert world.finish_interrupted_change()
    assert hold_items.holds(world.store) == []


def test_the_watch_leaves_a_hold_that_xero_would_put_up_again(world: World) -> None:
    world.save(CLIENT_ID, SECRET)
    world.server.secrets = []
    world.hold()
    assert not world.finish_interrupted_change()
    world.server.secrets = [SECRET]
    world.store.commit(*hold_items.remove_holds([hold_items.holds(world.store)[0]]))
    world.hold(NOT_ALLOWED)
    assert not world.finish_interrupted_change()
    assert len(hold_items.holds(world.store)) == 1


def test_the_watch_asks_xero_only_while_something_is_held(world: World) -> None:
    assert not world.finish_interrupted_change()
    world.save(CLIENT_ID, SECRET)
    calls_before = len(world.server.forms)
    assert not world.finish_interrupted_change()
    assert len(world.server.forms) == calls_before


def _feed_with_waiting_lines(world: World) -> Feed:
    id = feed_id(CONNECTION, "account-1")
    feed = feed_items.find_feed(world.store, id)
    assert feed is not None
    world.store.commit(feed_items.put_feed(feed.but(recorded_through=feed.recorded_through + 2)))
    feed = feed_items.find_feed(world.store, id)
    assert feed is not None
    return feed
