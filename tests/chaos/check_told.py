"""What the platform is told: every push ends, every end and every hold has its event, once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from feedlane.errors import FeedlaneError
from feedlane.events import event as event_types
from feedlane.events.event import Event
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.store.table import ConditionFailed
from tests.chaos.functions import SOURCES
from tests.chaos.pushes import Platform
from tests.chaos.table import Unreachable
from tests.chaos.world import World

ENDED = (PushStatus.SUCCESS, PushStatus.FAILED, PushStatus.TIMED_OUT)


def operations(world: World) -> dict[str, PushOperation]:
    items = [item for key, item in world.table.items.items() if key[1].startswith("PUSH#")]
    return {item["key"]: PushOperation.model_validate(item) for item in items}


def pushes_ended(world: World, platform: Platform) -> list[str]:
    """3. Every push that was taken, or written down, is Success, or Failed with its reason, or timed out."""
    known = operations(world)
    found = _not_ended(world, known)
    for pushed in platform.taken:
        operation = known.get(pushed.operation_key)
        if world.is_deleted(pushed.place):
            continue
        if operation is None:
            found.append(f"nothing lost: push {pushed.operation_key[-4:]} is taken and has no operation")
        elif operation.status not in ENDED:
            found.append(f"nothing lost: push {operation.key[-4:]} ({operation.door}) is {operation.status} for ever")
        elif operation.status is PushStatus.FAILED and not (
            operation.error_message and (operation.errors or operation.problem)
        ):
            found.append(f"nothing lost: push {operation.key[-4:]} failed without a reason")
    return found[:5] + _every_line_told(world, known) + _no_pointer_left(world)


def _not_ended(world: World, known: dict[str, PushOperation]) -> list[str]:
    """Also of a push whose caller had no answer, and did not ask again. Of a message: those that were taken."""
    return [
        f"nothing lost: the operation of a {operation.door} ({operation.key[-4:]}) is Pending for ever"
        for operation in known.values()
        if operation.door is not Door.QUEUE
        and operation.status is PushStatus.PENDING
        and operation.company_id not in world.deleted_companies
    ]


def _every_line_told(world: World, known: dict[str, PushOperation]) -> list[str]:
    """Each delivered line is covered by an operation that says so."""
    found = []
    for place in world.places:
        feed = world.feed(place)
        if feed is None or world.is_deleted(place):
            continue
        ours = [
            one
            for one in known.values()
            if (one.connection_id, one.account_id) == (feed.connection_id, feed.account_id)
        ]
        told = max((one.through for one in ours if one.status in (PushStatus.SUCCESS, PushStatus.TIMED_OUT)), default=0)
        if told < feed.delivered_through:
            found.append(
                f"nothing lost: nobody was told: {place.account_id} got lines {told + 1} to {feed.delivered_through}"
            )
    return found


def _no_pointer_left(world: World) -> list[str]:
    gone = {f"COMPANY#{id}" for id in world.deleted_companies}
    left = [
        item
        for key, item in world.table.items.items()
        if key[1].startswith("OPEN#") and f"COMPANY#{item['company']}" not in gone
    ]
    return [f"nothing lost: {len(left)} pointers to operations are left behind"] if left else []


def held_operations_told(world: World) -> list[str]:
    """What a hold stops has failed with its problem, once everything is quiet."""
    queues = [world.queues[name] for name in SOURCES]
    if any(
        queue.dead or any(message.visible <= world.timeline.seconds for message in queue.messages) for queue in queues
    ):
        return []
    found, known = [], operations(world).values()
    for place in world.places:
        feed = world.feed(place)
        if feed is None or world.is_deleted(place) or not hold_items.holds_on(world.store, feed.hold_subjects):
            continue
        under_way = feed.flight.last if feed.flight and feed.flight.status == "PENDING" else feed.delivered_through
        for one in known:
            ours = (one.connection_id, one.account_id) == (feed.connection_id, feed.account_id)
            if ours and one.status is PushStatus.PENDING and one.through > under_way:
                found.append(f"nothing lost: {place.account_id} is held and push {one.key[-4:]} does not say so")
    return found[:3]


def events(world: World) -> list[str]:
    """One end event for each ended operation, one held event for each hold, each outbox item once."""
    items = [item for item in world.table.inserted if item["pk"].startswith("EVENT#")]
    inserted = [Event.model_validate(item) for item in items]
    keys = Counter((item["pk"], item["sk"]) for item in items)
    found = [f"outbox: {count} inserts of one event" for count in keys.values() if count > 1]
    found += [] if len({event.id for event in inserted}) == len(inserted) else ["outbox: two events have one id"]
    return found + _ends(world, inserted) + _holds(world, inserted)


def _ends(world: World, inserted: list[Event]) -> list[str]:
    written = [
        event for event in inserted if event.type in (event_types.WRITE_SUCCESSFUL, event_types.WRITE_UNSUCCESSFUL)
    ]
    told = Counter(event.payload["id"] for event in written)
    found = []
    for operation in operations(world).values():
        wanted = 0 if operation.status is PushStatus.PENDING else 1
        if told[operation.key] != wanted:
            found.append(f"events: push {operation.key[-4:]} ({operation.status}) has {told[operation.key]} end events")
    successes = {event.payload["id"] for event in written if event.type == event_types.WRITE_SUCCESSFUL}
    said = {key for key, one in operations(world).items() if one.status is PushStatus.SUCCESS}
    return found[:3] + ([] if successes == said else ["events: an end event says other than its operation"])


def _holds(world: World, inserted: list[Event]) -> list[str]:
    held = Counter(event.payload["holdId"] for event in inserted if event.type == event_types.HELD)
    standing = Counter({item["id"]: 1 for item in world.table.written if item["sk"] == "HOLD"})
    released = Counter(event.payload["holdId"] for event in inserted if event.type == event_types.RELEASED)
    found = [] if held == standing else [f"events: {sum(held.values())} held events of {len(standing)} holds"]
    if any(count > 1 for count in released.values()) or set(released) - set(standing):
        found.append("events: a hold was released twice, or one that never was")
    # A hold that is gone was released, or went with the account or company that it was of.
    gone = set(standing) - {hold.id for hold in hold_items.holds(world.store)} - set(released)
    silent = gone - {item["id"] for item in world.table.written if item["sk"] == "HOLD" and _owner_went(world, item)}
    return found + ([f"events: {len(silent)} holds ended without an event"] if silent else [])


def _owner_went(world: World, hold: dict[str, Any]) -> bool:
    """The account that it held was removed at some time, or the company was deleted."""
    counts = world.faults.counts
    return hold.get("company_id") in world.deleted_companies or (hold["scope"] == "feed" and counts["account_removed"])


def unforeseen(world: World) -> list[str]:
    """Whatever people and platforms do ends, or is refused in words: nothing fails as nobody has foreseen."""
    foreseen = (FeedlaneError, ConditionFailed, Unreachable)
    wrong = [task for task in world.timeline.failed if not isinstance(task.failed, foreseen)]
    return [f"unforeseen: {task.name} failed with {task.failed!r}"[:200] for task in wrong[:3]]
