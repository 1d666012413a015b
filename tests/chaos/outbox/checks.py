"""No change without its event, no event without its change; each told to everybody, in order, under one id."""

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
    """What is wrong once all has come to rest. It begins with the rule that is broken."""
    items = [item for item in world.table.inserted if item["pk"].startswith("EVENT#")]
    outbox = [Event.model_validate(item) for item in items]
    return [
        *_changes(world, outbox), *_order(world, outbox), *_received(world, outbox), *_recorded(world, outbox),
        *replays.after_all(world),
    ]  # fmt: skip


def _changes(world: World, outbox: list[Event]) -> list[str]:
    """The table's own history against the outbox."""
    ids = Counter(event.id for event in outbox)
    found = [f"invented: two events have the id {id}" for id, count in ids.items() if count > 1]
    told = Counter(event.type for event in outbox)
    made = [sort_key for _, sort_key in {(item["pk"], item["sk"]) for item in world.table.written}]
    holds = {item["id"] for item in world.table.written if item["sk"] == "HOLD"}
    standing = {hold.id for hold in hold_items.holds(world.store)}
    there = {
        event_types.COMPANY_CREATED: made.count("COMPANY") - 1,
        event_types.CONNECTION_CREATED: sum(sort_key.startswith("CONNECTION#") for sort_key in made) - 1,
        event_types.SETTINGS_CHANGED: settings_items.settings(world.store).version
        - 1
        + settings_items.profile(world.store).version,
        event_types.HELD: len(holds),
        event_types.RELEASED: len(holds) - len(standing),
    }
    for type, count in there.items():
        if told[type] != count:
            kind = "lost" if told[type] < count else "invented"
            found.append(f"{kind}: {count} changes and {told[type]} events {type}")
    named = {event.payload["holdId"] for event in outbox if event.type == event_types.HELD}
    return found if named == holds else [*found, "invented: a held event of no hold"]


def _order(world: World, outbox: list[Event]) -> list[str]:
    """Each subject's events came to the bus in the order of their commits, when they came first."""
    came = list(dict.fromkeys((detail["feedlane"]["subject"], detail["id"]) for detail in world.bus.accepted))
    happened = [(event.subject, event.id) for event in outbox]
    by_subject = [sorted(pairs, key=lambda pair: pair[0]) for pairs in (came, happened)]
    first, second = ({key: list(some) for key, some in groupby(pairs, lambda pair: pair[0])} for pairs in by_subject)
    return [
        f"order: events of {subject} overtook each other" for subject in second if first.get(subject) != second[subject]
    ]


def _received(world: World, outbox: list[Event]) -> list[str]:
    found, bodies = [], {event.id: webhook_body(event) for event in outbox}
    for consumer in world.consumers:
        got = {(id, content) for host, id, content in world.endpoints.received if host == consumer.id}
        known = {id for id, _ in got}
        found += [f"lost: {consumer.id} never got {id[-4:]}" for id in bodies if id not in known]
        found += [
            f"invented: {consumer.id} got {id[-4:]} otherwise than it happened"
            for id, content in got
            if bodies.get(id) != content
        ]
    return found[:6]


def _recorded(world: World, outbox: list[Event]) -> list[str]:
    """Each delivery says how it went, and a success of it was one."""
    found = []
    for consumer in world.consumers:
        made = {one.event_id: one for one in all_deliveries(world) if one.consumer_id == consumer.id}
        if set(made) != {event.id for event in outbox}:
            found.append(f"lost: {consumer.id} has {len(made)} deliveries of {len(outbox)} events")
        unended = [one for one in made.values() if one.state is not DeliveryState.SUCCESS]
        found += [f"lost: a delivery to {consumer.id} stands at {one.state}" for one in unended[:2]]
        silent = [one for one in made.values() if one.has_ended and not one.attempts]
        found += [f"lost: a delivery to {consumer.id} ended without a record" for _ in silent[:1]]
    return found
