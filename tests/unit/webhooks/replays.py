"""For tests of replays: failed deliveries, a replay of them, and what has been sent."""

from __future__ import annotations

from datetime import timedelta

from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.replay import Replay, Selection
from feedlane.webhooks.replayer import start
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, World, hold_event

HOUR = timedelta(hours=1)


def failed(world: World, number: int = 3) -> list[str]:
    """The ids of events whose deliveries have failed, in the order of the events."""
    world.consumer()
    ids = [f"event-{n}" for n in range(number)]
    for n, id in enumerate(ids):
        world.happens(hold_event(id, NOW + timedelta(seconds=n)))
    world.answers = [BROKEN] * 8 * number
    world.work_off()
    assert {world.delivery(event_id=id).state for id in ids} == {DeliveryState.FAILURE}
    world.posts.clear()
    return ids


def replay(world: World, which: Selection = Selection.FAILED, **fields: object) -> Replay:
    world.now += timedelta(seconds=1)
    return start(world.ports, world.now, "consumer-1", which, NOW - HOUR, **fields)  # type: ignore[arg-type]


def posted(world: World) -> list[str]:
    return [headers["webhook-id"] for _, _, headers, _ in world.posts]


def state(world: World, replay: Replay) -> Replay:
    stored = webhook_items.find_replay(world.store, replay.consumer_id, replay.id)
    assert stored
    return stored
