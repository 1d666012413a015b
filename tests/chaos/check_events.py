"""Checks what the platform learns: every push ends, and every end and every hold has exactly one event."""

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
    """3. Every accepted or recorded push ends as Success, Failed with a reason, or TimedOut."""
    known = operations(world)
    violations = _pending_operations(world, known)
    for pushed in platform.accepted:
        operation = known.get(pushed.operation_key)
        if world.is_deleted(pushed.place):
            continue
        if operation is None:
            violations.append(f"nothing lost: push {pushed.operation_key[-4:]} was accepted and has no operation")
        elif operation.status not in ENDED:
            violations.append(
                f"nothing lost: push {operation.key[-4:]} ({operation.door}) stays {operation.status} for ever"
            )
        elif operation.status is PushStatus.FAILED and not (
            operation.error_message and (operation.errors or operation.problem)
        ):
            violations.append(f"nothing lost: push {operation.key[-4:]} failed without a reason")
    return violations[:5] + _lines_without_success(world, known) + _stale_pointers(world)


def _pending_operations(world: World, known: dict[str, PushOperation]) -> list[str]:
    """Includes pushes whose caller got no answer and did not retry. Messages are checked among the accepted pushes."""
    return [
        f"nothing lost: the operation of a {operation.door} ({operation.key[-4:]}) stays Pending for ever"
        for operation in known.values()
        if operation.door is not Door.QUEUE
        and operation.status is PushStatus.PENDING
        and operation.company_id not in world.deleted_companies
    ]


def _lines_without_success(world: World, known: dict[str, PushOperation]) -> list[str]:
    """Every delivered line belongs to an operation that reports success."""
    violations = []
    for place in world.places:
        feed = world.feed(place)
        if feed is None or world.is_deleted(place):
            continue
        succeeded = [
            operation
            for operation in known.values()
            if (operation.connection_id, operation.account_id) == (feed.connection_id, feed.account_id)
            and operation.status in (PushStatus.SUCCESS, PushStatus.TIMED_OUT)
        ]
        reported = max((operation.through for operation in succeeded), default=0)
        if reported < feed.delivered_through:
            violations.append(
                f"nothing lost: nothing reports lines {reported + 1}-{feed.delivered_through} of {place.account_id}"
            )
    return violations


def _stale_pointers(world: World) -> list[str]:
    gone = {f"COMPANY#{id}" for id in world.deleted_companies}
    pointers = [
        item
        for key, item in world.table.items.items()
        if key[1].startswith("OPEN#") and f"COMPANY#{item['company']}" not in gone
    ]
    return [f"nothing lost: {len(pointers)} pointers to operations are left behind"] if pointers else []


def held_operations_fail(world: World) -> list[str]:
    """Once nothing moves, every operation that a hold stops has failed with its problem."""
    queues = [world.queues[name] for name in SOURCES]
    if any(
        queue.dead or any(message.visible <= world.timeline.seconds for message in queue.messages) for queue in queues
    ):
        return []
    violations, known = [], operations(world).values()
    for place in world.places:
        feed = world.feed(place)
        if feed is None or world.is_deleted(place) or not hold_items.holds_on(world.store, feed.hold_subjects):
            continue
        under_way = feed.flight.last if feed.flight and feed.flight.status == "PENDING" else feed.delivered_through
        for operation in known:
            is_of_feed = (operation.connection_id, operation.account_id) == (feed.connection_id, feed.account_id)
            if is_of_feed and operation.status is PushStatus.PENDING and operation.through > under_way:
                violations.append(
                    f"nothing lost: {place.account_id} is held, but push {operation.key[-4:]} is still Pending"
                )
    return violations[:3]


def events(world: World) -> list[str]:
    """Every ended operation has one end event, every hold one held event, and every outbox item exists once."""
    items = [item for item in world.table.inserted if item["pk"].startswith("EVENT#")]
    inserted = [Event.model_validate(item) for item in items]
    keys = Counter((item["pk"], item["sk"]) for item in items)
    violations = [f"outbox: {count} inserts of one event" for count in keys.values() if count > 1]
    violations += [] if len({event.id for event in inserted}) == len(inserted) else ["outbox: two events have one id"]
    return violations + _ends(world, inserted) + _holds(world, inserted)


def _ends(world: World, inserted: list[Event]) -> list[str]:
    written = [
        event for event in inserted if event.type in (event_types.WRITE_SUCCESSFUL, event_types.WRITE_UNSUCCESSFUL)
    ]
    end_events = Counter(event.payload["id"] for event in written)
    violations = []
    for operation in operations(world).values():
        expected = 0 if operation.status is PushStatus.PENDING else 1
        if end_events[operation.key] != expected:
            violations.append(
                f"events: push {operation.key[-4:]} ({operation.status}) has {end_events[operation.key]} end events"
            )
    successes = {event.payload["id"] for event in written if event.type == event_types.WRITE_SUCCESSFUL}
    succeeded = {key for key, operation in operations(world).items() if operation.status is PushStatus.SUCCESS}
    return violations[:3] + ([] if successes == succeeded else ["events: an end event contradicts its operation"])


def _holds(world: World, inserted: list[Event]) -> list[str]:
    held = Counter(event.payload["holdId"] for event in inserted if event.type == event_types.HELD)
    recorded = Counter({item["id"]: 1 for item in world.table.written if item["sk"] == "HOLD"})
    released = Counter(event.payload["holdId"] for event in inserted if event.type == event_types.RELEASED)
    violations = [] if held == recorded else [f"events: {sum(held.values())} held events for {len(recorded)} holds"]
    if any(count > 1 for count in released.values()) or set(released) - set(recorded):
        violations.append("events: a hold was released twice, or never existed")
    # A hold ends by its release, or with its account or company.
    gone = set(recorded) - {hold.id for hold in hold_items.holds(world.store)} - set(released)
    silent = gone - {item["id"] for item in world.table.written if item["sk"] == "HOLD" and _owner_is_gone(world, item)}
    left = [hold for hold in hold_items.holds(world.store) if hold.connection_id in world.deleted_connections]
    violations += [f"events: {len(left)} holds of a connection that was deleted"] if left else []
    return violations + ([f"events: {len(silent)} holds ended without an event"] if silent else [])


def _owner_is_gone(world: World, hold: dict[str, Any]) -> bool:
    """Whether the hold's company or connection was deleted, or an account was removed."""
    counts = world.faults.counts
    if hold.get("connection_id") in world.deleted_connections:
        return True
    return hold.get("company_id") in world.deleted_companies or (hold["scope"] == "feed" and counts["account_removed"])


def unforeseen(world: World) -> list[str]:
    """Whatever people and platforms do succeeds or is refused with a known error."""
    expected = (FeedlaneError, ConditionFailed, Unreachable)
    wrong = [task for task in world.timeline.failed if not isinstance(task.failed, expected)]
    return [f"unforeseen: {task.name} failed with {task.failed!r}"[:200] for task in wrong[:3]]
