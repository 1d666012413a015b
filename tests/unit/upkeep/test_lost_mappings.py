"""Whichever message about a feed connection is lost, the watch has it made, or finds that it has ended."""

from __future__ import annotations

from contextlib import suppress

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Refused
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from tests.account_actions import map_again, unmap
from tests.builders import ACCOUNT, CONNECTION
from tests.fakes.upstream import NO_FEEDS
from tests.rights import acting_as
from tests.unit.upkeep.lost import LossyWorld
from tests.worlds.feeds import transactions

# Each of them may release a hold: at the customer's or the operator's wish, or because a customer is back.
RELEASING = ("public_api", "portal", "link", "oauth_callback")


def _refused_mapping(world: LossyWorld, waiting: int) -> None:
    """Xero has refused the mapping, and its hold is released."""
    unmap(world)
    world.upstream.refusals = [Refused(NO_FEEDS.problem)]
    with suppress(Refused):
        map_again(world)
    if waiting:
        world.record(world.message(transactions(waiting)))
    world.run()
    [hold] = hold_items.holds(world.store)
    with acting_as(*RELEASING):
        hold_release.release(world.ports, world.now, hold)


@pytest.mark.parametrize(("waiting", "runs"), [(2, 3), (0, 8)])
def test_a_mapping_that_was_refused_is_made_after_the_release_whatever_is_lost(waiting: int, runs: int) -> None:
    for steps in range(4):
        world = LossyWorld()
        _refused_mapping(world, waiting)
        for _ in range(steps):
            world.step()
        world.lose_all()
        world.watch(runs=runs)
        account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
        assert account.status is SourceAccountStatus.CONNECTED, steps
        assert world.sent_ids() == [f"t{number + 1}" for number in range(waiting)]
        world.watch(runs=3)
        assert world.listed() == {}, steps


def test_a_feed_that_was_ended_in_xero_is_found_whatever_is_lost() -> None:
    for steps in range(1, 6):
        world = LossyWorld()
        world.upstream.end(world.feed().feed_connection_id)
        world.push(transactions(2))
        for _ in range(steps):
            world.step()
        world.lose_all()
        world.watch(runs=3)
        account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
        assert account.status is SourceAccountStatus.DISCONNECTED, steps
        assert [hold.reason for hold in hold_items.holds(world.store)] == ["feed-connection-gone"]
