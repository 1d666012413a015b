"""What tests of replays start from: events that were given up, a replay of them, and what it has sent."""

from __future__ import annotations

from datetime import timedelta

from feedlane.delivery import DeliveryState
from feedlane.replay import Replay, Which
from feedlane.replaying import start
from feedlane.store import replays
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, World, hold_event

HOUR = timedelta(hours=1)


def failed(world: World, number: int = 3) -> list[str]:
    """Events that have been given up, in their order."""
    world.consumer()
    ids = [f"event-{n}" for n in range(number)]
    for n, id in enumerate(ids):
        world.happens(hold_event(id, NOW + timedelta(seconds=n)))
    world.answers = [BROKEN] * 8 * number
    world.work_off()
    assert {world.delivery(event_id=id).state for id in ids} == {DeliveryState.FAILURE}
    world.posts.clear()
    return ids


def replay(world: World, which: Which = Which.FAILED, **fields: object) -> Replay:
    world.now += timedelta(seconds=1)
    return start(world.store, world.queues, world.now, "consumer-1", which, NOW - HOUR, **fields)  # type: ignore[arg-type]


def posted(world: World) -> list[str]:
    return [headers["webhook-id"] for _, _, headers, _ in world.posts]


def state(world: World, replay: Replay) -> Replay:
    found = replays.find_replay(world.store, replay.consumer_id, replay.id)
    assert found
    return found
