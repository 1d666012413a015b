"""What is set aside is named so when it is pushed again: its push succeeds, and Xero never gets it."""

from __future__ import annotations

import json

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.pushes.api_door import validate
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.fakes.upstream import LINE_REFUSED
from tests.hold_actions import lift
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions


def with_t1_set_aside() -> World:
    world = World()
    world.upstream.poison = {"t1": LINE_REFUSED}
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    lift(world, hold, ["t1"])
    world.run()
    assert world.sent_ids() == ["t2"]
    return world


def warnings(operation: PushOperation) -> list[tuple[str, str]]:
    return [(warning.item_id, warning.validator) for warning in operation.warnings]


def test_over_the_api_on_the_queue_and_before_it_is_pushed() -> None:
    world = with_t1_set_aside()
    again = world.push(transactions(2))
    world.record(world.message(transactions(2)))
    world.run()
    expected = [("t1", "SetAside"), ("t2", "Duplicate")]
    queued = next(one for one in world.operations() if one.door == "queue")
    for key in (again.key, queued.key):
        operation = world.operation(key)
        assert (operation.status, warnings(operation)) == (PushStatus.SUCCESS, expected)
    with acting_as("public_api"):
        body = json.dumps({"transactions": transactions(2)})
        _, found = validate(world.store, world.now, COMPANY, CONNECTION, ACCOUNT, body)
    assert [(one.item_id, one.validator) for one in found] == expected


def test_also_what_was_dated_before_the_feeds_start_and_in_the_same_batch() -> None:
    world = World()
    world.store.commit(feed_items.put_feed(world.feed().but(start_date="2026-05-01")))
    april = transactions(1, day="2026-04-30")
    world.record(world.message(april), world.message(april))
    world.record(world.message(april))
    found = sorted(validator for one in world.operations() for _, validator in warnings(one))
    assert found == ["BeforeFeedStart", "SetAside", "SetAside"]
