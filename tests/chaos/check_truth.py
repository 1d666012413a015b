"""9. Delivered means that Xero has it: every line that the ledger calls delivered is in the simulator's own books."""

from __future__ import annotations

from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.feeds.set_aside_items import read_set_aside
from tests.chaos.books import Booked
from tests.chaos.world import Place, World


def look(world: World) -> None:
    """Looks at what was called delivered since the last look. No fault strikes the check itself."""
    strikes, world.faults.on = world.faults.on, False
    _look(world)
    world.faults.on = strikes


def _look(world: World) -> None:
    for place in world.places:
        feed = world.feed(place)
        if feed is None or world.is_deleted(place):
            continue
        world.untrue += _lines(world, place, feed) + _operations(world, place, feed)
        world.believed_through[place.feed_id] = feed.delivered_through


def _lines(world: World, place: Place, feed: Feed) -> list[str]:
    first = world.believed_through[place.feed_id] + 1
    if first > feed.delivered_through:
        return []
    never_sent = {line.transaction_id for line in read_set_aside(world.store, feed.id)}
    excused = never_sent | world.entered_by_hand[place.feed_id]
    lines = feed_items.read_lines(world.store, feed.id, first, feed.delivered_through - first + 1)
    books = world.books.booked(place)
    missing = [line.id for line in lines if line.id not in excused and _booking(place, line) not in books]
    return [f"untrue: {place.account_id} counts as delivered, and Xero does not have {missing[:5]}"] if missing else []


def _booking(place: Place, line: Line) -> Booked:
    return Booked(place.target_id, line.id, line.amount)


def _operations(world: World, place: Place, feed: Feed) -> list[str]:
    """No operation reports success for a line that is not yet delivered."""
    succeeded = [
        operation
        for item in world.table.items.values()
        if item["sk"].startswith("PUSH#")
        and item["connection_id"] == feed.connection_id
        and item["account_id"] == feed.account_id
        for operation in [PushOperation.model_validate(item)]
        if operation.status is PushStatus.SUCCESS and operation.through > feed.delivered_through
    ]
    return [f"untrue: push {operation.key[-4:]} of {place.account_id} succeeded too early" for operation in succeeded]
