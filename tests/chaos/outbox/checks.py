"""No change without its event, no event without its change; each reaches every consumer, in order, under one id."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from feedlane.events import event as event_types
from feedlane.events.envelope import webhook_body
from feedlane.events.event import Event
from feedlane.holds import items as hold_items
from feedlane.settings import items as settings_items
from feedlane.webhooks.delivery import DeliveryState
from tests.chaos.outbox import replays
from tests.chaos.outbox.replays import all_deliveries
from tests.chaos.outbox.world import World


def after_all(world: World) -> list[str]:
    """The violations once everything has come to rest. Each begins with the broken rule."""
    items = [item for item in world.table.inserted if item["pk"].startswith("EVENT#")]
    outbox = [Event.model_validate(item) for item in items]
    return [
        *_changes(world, outbox), *_order(world, outbox), *_received(world, outbox), *_recorded(world, outbox),
        *_chains(world), *replays.after_all(world),
    ]  # fmt: skip


def _chains(world: World) -> list[str]:
    """Lambda stopped no chain of messages."""
    return [
        f"chains: Lambda stopped {len(queue.stopped)} chains of messages at {queue.name}"
        for queue in (world.events, world.queue)
        if queue.stopped
    ]


def _changes(world: World, outbox: list[Event]) -> list[str]:
    """Compares the table's history with the outbox."""
    ids = Counter(event.id for event in outbox)
    violations = [f"invented: two events have the id {id}" for id, count in ids.items() if count > 1]
    published = Counter(event.type for event in outbox)
    sort_keys = [sort_key for _, sort_key in {(item["pk"], item["sk"]) for item in world.table.written}]
    holds = {item["id"] for item in world.table.written if item["sk"] == "HOLD"}
    current = {hold.id for hold in hold_items.holds(world.store)}
    expected = {
        event_types.COMPANY_CREATED: sort_keys.count("COMPANY") - 1,
        event_types.CONNECTION_CREATED: sum(sort_key.startswith("CONNECTION#") for sort_key in sort_keys) - 1,
        event_types.SETTINGS_CHANGED: settings_items.settings(world.store).version
        - 1
        + settings_items.profile(world.store).version,
        event_types.HELD: len(holds),
        event_types.RELEASED: len(holds) - len(current),
    }
    for type, count in expected.items():
        if published[type] != count:
            kind = "lost" if published[type] < count else "invented"
            violations.append(f"{kind}: {count} changes and {published[type]} events {type}")
    held = {event.payload["holdId"] for event in outbox if event.type == event_types.HELD}
    return violations if held == holds else [*violations, "invented: a held event without a hold"]


def _order(world: World, outbox: list[Event]) -> list[str]:
    """Each subject's events first reached the bus in the order of their commits, unless the stream had dropped them."""
    arrived = list(dict.fromkeys((detail["feedlane"]["subject"], detail["id"]) for detail in world.bus.accepted))
    known = {id for _, id in arrived}
    committed = [
        (event.subject, event.id) for event in outbox if event.id in known or event.id not in world.stream.trimmed
    ]
    by_subject = [sorted(pairs, key=lambda pair: pair[0]) for pairs in (arrived, committed)]
    first, second = ({key: list(group) for key, group in groupby(pairs, lambda pair: pair[0])} for pairs in by_subject)
    return [
        f"order: events of {subject} overtook each other" for subject in second if first.get(subject) != second[subject]
    ]


def _received(world: World, outbox: list[Event]) -> list[str]:
    violations, bodies = [], {event.id: webhook_body(event) for event in outbox}
    for consumer in world.consumers:
        received = {(id, content) for host, id, content in world.endpoints.received if host == consumer.id}
        known = {id for id, _ in received}
        violations += [f"lost: {consumer.id} never got {id[-4:]}" for id in bodies if id not in known]
        violations += [
            f"invented: {consumer.id} got {id[-4:]} with another content"
            for id, content in received
            if bodies.get(id) != content
        ]
    return violations[:6]


def _recorded(world: World, outbox: list[Event]) -> list[str]:
    """Every delivery ended with success and has a record of its attempts."""
    violations = []
    for consumer in world.consumers:
        deliveries = {
            delivery.event_id: delivery for delivery in all_deliveries(world) if delivery.consumer_id == consumer.id
        }
        if set(deliveries) != {event.id for event in outbox}:
            violations.append(f"lost: {consumer.id} has {len(deliveries)} deliveries for {len(outbox)} events")
        unended = [delivery for delivery in deliveries.values() if delivery.state is not DeliveryState.SUCCESS]
        violations += [f"lost: a delivery to {consumer.id} stays {delivery.state}" for delivery in unended[:2]]
        silent = [delivery for delivery in deliveries.values() if delivery.has_ended and not delivery.attempts]
        violations += [f"lost: a delivery to {consumer.id} ended without a record" for _ in silent[:1]]
    return violations
