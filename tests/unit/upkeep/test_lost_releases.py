"""Whatever lets held feeds go, or holds them: they are told although the messages to that are lost."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.feeds import pages
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Refusal
from feedlane.holds import items as hold_items
from feedlane.holds import long_release
from feedlane.holds import release as hold_release
from feedlane.link import recovery
from feedlane.scope import Scope
from feedlane.settings.changes import change_settings
from feedlane.store.due import Kind
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.fakes.upstream import NO_FEEDS
from tests.rights import acting_as
from tests.unit.upkeep.lost import LossyWorld
from tests.unit.upkeep.scenarios import put_on_the_queue
from tests.worlds.feeds import transactions

SECOND = "account-2"


# Each of them may release a hold: at the customer's or the operator's wish, or because a customer is back.
RELEASING = ("public_api", "portal", "link", "oauth_callback")


def test_operations_behind_a_hold_fail_although_their_feeds_wake_up_is_lost() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    world.upstream.answers = [NO_FEEDS]
    world.record(world.message(transactions(1)))
    world.record(world.message(transactions(1), SECOND))
    world.queues.woken.pop()
    world.step()
    assert set(world.lose_all()) == {"HoldCheck", "wake"}
    world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}

    # And then held feeds are looked at once a day, and not rung
    assert world.watch(runs=300) == Counter()
    assert all(at > f"{world.now:%Y-%m-%dT%H:%M}" for at in world.listed().values())


@pytest.mark.parametrize("feeds_per_commit", [1, 30])
def test_what_a_release_lets_go_is_sent_although_its_messages_are_lost(feeds_per_commit: int) -> None:
    """Of one commit, or in parts; and long after the feeds were held."""
    world = LossyWorld((ACCOUNT, SECOND))
    world.upstream.answers = [NO_FEEDS]
    world.record(world.message(transactions(1)))
    world.record(world.message([row | {"id": "other"} for row in transactions(1)], SECOND))
    world.run()
    world.watch(runs=10)
    [hold] = hold_items.holds(world.store)
    with patch.object(long_release, "FEEDS_PER_COMMIT_MAX", feeds_per_commit):
        with patch.object(hold_release, "FEEDS_PER_COMMIT_MAX", feeds_per_commit), acting_as(*RELEASING):
            hold_release.release(world.ports, world.now, hold)
        assert "wake" in world.lose_all()
        world.watch()
    assert sorted(world.sent_ids()) == ["other", "t1"]


def test_a_release_that_has_begun_is_finished_although_its_message_is_lost() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    world.record(world.message(transactions(1)))
    hold = world.add_hold()
    world.run()
    with patch.object(long_release, "_advance", lambda *_: []), acting_as(*RELEASING):
        long_release.release_in_parts(world.ports, world.now, hold)
    assert world.lose_all() == ["ReleaseCheck"]
    with patch.object(pages, "CONNECTIONS_PER_PAGE_MAX", 1):
        assert world.watch()[Kind.HOLD] == 1
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1"]


def test_feeds_are_rung_at_once_when_sending_is_switched_on_again() -> None:
    world = LossyWorld((ACCOUNT, SECOND))
    with acting_as("public_api"):
        change_settings(world.ports, world.now, {"bank_feeds": False})
    world.record(world.message(transactions(1)))
    world.run()
    assert world.watch(runs=50) == Counter()
    with acting_as("public_api"):
        change_settings(world.ports, world.now, {"bank_feeds": True})
    assert set(world.lose_all()) == {"WakeAll", "wake"}
    assert world.watch(runs=1) == {Kind.FEED: 1}
    assert world.sent_ids() == ["t1"]


def test_a_recovered_connection_sends_again_although_its_check_is_lost() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.answers = [Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=CONNECTION_REMOVED)]
    world.run()
    world.watch(runs=5)
    ended = company_items.connection(world.store, COMPANY, CONNECTION)
    assert ended.status is ConnectionStatus.DEAUTHORIZED
    assert recovery.apply_listing(world.ports, world.now, ended, ended.scopes)
    assert world.lose_all() == ["RecoveryCheck"]
    world.watch()
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2", "t3"]
    world.watch(runs=3)
    assert world.listed() == {}
