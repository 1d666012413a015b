"""Replays as acts, the watch that rings again for lost ones, and what each run of a replay has sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from feedlane import aws, lost_replays, replaying
from feedlane.clock import iso
from feedlane.delivery import Delivery, DeliveryState
from feedlane.replay import Replay, ReplayState, Which
from feedlane.replaying import Replayer
from tests.builders import COMPANY
from tests.chaos.timeline import START, Task

if TYPE_CHECKING:
    from tests.chaos.outbox.world import World

WATCH = 600.0
# A replay that was asked for: its consumer, its id, and when it was begun (the same one can be asked for again).
Run = tuple[str, str, datetime]


class Sent(NamedTuple):
    """A webhook of a replay; and what had been tried and had not arrived when the replay's step began."""

    event_id: str
    in_need: frozenset[str]


class Replays:
    def __init__(self, world: World) -> None:
        self._world = world
        self._working: dict[Task | None, Run] = {}
        self._in_need: dict[Task | None, frozenset[str]] = {}
        self._had_turn: set[tuple[Run, str]] = set()
        self.sent: dict[Run, list[Sent]] = {}
        """What arrived of each run, in the order in which it did. Of stalled workers it may come at any time."""
        self.again: list[tuple[Run, str]] = []
        """What a run has sent although it had arrived, and that was written down."""
        self.ones: list[tuple[str, str, datetime]] = []
        """Deliveries that were asked for one by one: consumer, event, when."""

    @property
    def arrived(self) -> int:
        return sum(map(len, self.sent.values())) + len(self.ones)

    # acts

    def one(self) -> None:
        world, now = self._world, self._world.timeline.now()
        found = sorted((d for d in all_deliveries(world) if d.attempts), key=lambda d: (d.consumer_id, d.event_id))
        if found:
            chosen = world.rng.choice(found)
            delivery = replaying.replay_one(world.store, aws.queues(), now, chosen.consumer_id, chosen.event_id)
            if delivery.state is DeliveryState.SENDING:
                self.ones.append((delivery.consumer_id, delivery.event_id, now))

    def failed_since(self) -> None:
        self._start(Which.FAILED, None)

    def of_a_company(self) -> None:
        self._start(Which.ALL, COMPANY)

    def _start(self, which: Which, company_id: str | None) -> None:
        world, now = self._world, self._world.timeline.now()
        since = START + timedelta(seconds=world.rng.choice((0.0, 0.5 * world.timeline.seconds)))
        consumer = world.rng.choice(world.consumers)
        replaying.start(world.store, aws.queues(), now, consumer.id, which, since, None, company_id)

    # the watch

    def watch(self) -> None:
        """Every ten minutes, as its schedule has it."""

        def look() -> None:
            lost_replays.ring_again(self._world.store, aws.queues(), self._world.timeline.now())

        self._world.timeline.start("function tend_connections", look)
        self._world.timeline.at(self._world.timeline.seconds + WATCH, self.watch)

    def throw_away_dead_letters(self) -> None:
        """Nobody puts those of replays back: the watch has to do without them."""
        queue = self._world.queue
        queue.dead = [message for message in queue.dead if not is_of_replay(message.body)]

    # what is seen

    @contextmanager
    def seen(self) -> Iterator[None]:
        real, step = Replayer._turn, Replayer.work
        working, current = self._working, self._world.timeline.current

        def turn(replayer: Replayer, replay: Replay, listed: Delivery) -> Any:
            run = (replay.consumer_id, replay.id, replay.started)
            working[current()] = run
            try:
                told = real(replayer, replay, listed)
            finally:
                del working[current()]
            tried = isinstance(told, Delivery) and any(one.time >= replay.started for one in told.attempts)
            if tried and told.state is DeliveryState.SUCCESS:
                self._had_turn.add((run, told.event_id))
            return told

        def work(replayer: Replayer, consumer_id: str, replay_id: str) -> Any:
            made = [one for one in all_deliveries(self._world) if one.consumer_id == consumer_id]
            needy = (one.event_id for one in made if one.attempts and one.state is not DeliveryState.SUCCESS)
            self._in_need[current()] = frozenset(needy)
            return step(replayer, consumer_id, replay_id)

        with patch.multiple(Replayer, _turn=turn, work=work):
            yield

    def arrives(self, event_id: str) -> None:
        """Called for every post that arrives."""
        task = self._world.timeline.current()
        run = self._working.get(task)
        if run is None or task is None or task.was_stalled:
            return
        if (run, event_id) in self._had_turn:
            self.again.append((run, event_id))
        self.sent.setdefault(run, []).append(Sent(event_id, self._in_need[task]))


def after_all(world: World) -> list[str]:
    """What is wrong about replays once all has come to rest. It begins with the rule that is broken."""
    found = [f"invented: a replay sent {id[-4:]} again after it had arrived" for _, id in world.replays.again]
    made = all_deliveries(world)
    places = {one.event_id: f"{iso(one.event_time)}#{one.event_id}" for one in made}
    for (consumer_id, _, _), sent in world.replays.sent.items():
        if _overtook(sent, places):
            found.append(f"order: a replay to {consumer_id} overtook itself")
    for replay in all_replays(world):
        if replay.state is not ReplayState.DONE:
            found.append(f"lost: a replay to {replay.consumer_id} stands at {replay.state}")
        found += [f"lost: a replay to {replay.consumer_id} left out {one.event_id[-4:]}" for one in _left(replay, made)]
    by_name = {(one.consumer_id, one.event_id): one for one in made}
    for consumer_id, event_id, asked in world.replays.ones:
        if not any(attempt.time >= asked for attempt in by_name[consumer_id, event_id].attempts):
            found.append(f"lost: {event_id[-4:]} was to be sent again to {consumer_id}")
    return found[:6]


def _overtook(sent: list[Sent], places: dict[str, str]) -> bool:
    """Whether a webhook went before one ahead of it that was in need of being sent.

    What was not, because it had arrived or was on its way by itself, may be when a replay whose step was lost comes by
    once more.
    """
    first = {one.event_id: one for one in reversed(sent)}
    order = [first[id] for id in dict.fromkeys(one.event_id for one in sent)]
    return any(
        places[later.event_id] < places[one.event_id] and later.event_id in one.in_need
        for at, one in enumerate(order)
        for later in order[at + 1 :]
    )


def _left(replay: Replay, made: list[Delivery]) -> list[Delivery]:
    """What a replay of all had to send, was there before it, and was not tried since."""
    return [
        one
        for one in made
        if replay.which is Which.ALL
        and (one.consumer_id, one.company_id) == (replay.consumer_id, replay.company_id)
        and replay.since <= one.event_time <= replay.until
        and one.attempts
        and one.attempts[0].time < replay.started
        and not replay.has_tried(one)
    ]


def is_of_replay(body: str) -> bool:
    return "replayId" in json.loads(body)


def all_deliveries(world: World) -> list[Delivery]:
    items = [item for key, item in world.table.items.items() if key[1].startswith("DELIVERY#")]
    return [Delivery.model_validate(item) for item in items]


def all_replays(world: World) -> list[Replay]:
    items = [item for key, item in world.table.items.items() if key[1].startswith("REPLAY#")]
    return [Replay.model_validate(item) for item in items]
