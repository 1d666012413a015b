"""Replays as changes, the watch that requeues lost ones, and a record of what each run has sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from feedlane.clock import iso
from feedlane.upkeep import overdue, stalled_replays
from feedlane.webhooks import replayer
from feedlane.webhooks.delivery import Delivery, DeliveryState
from feedlane.webhooks.replay import Replay, ReplayState, Selection
from feedlane.webhooks.replayer import Replayer
from tests.builders import COMPANY
from tests.chaos.timeline import START, Task

if TYPE_CHECKING:
    from tests.chaos.outbox.world import World

WATCH_SECONDS = 600.0
# A run of a replay: consumer, replay id, start (the same replay can be started again).
Run = tuple[str, str, datetime]


class Sent(NamedTuple):
    """A webhook sent by a replay. `in_need` are the events tried without success before the replay's step began."""

    event_id: str
    in_need: frozenset[str]


class Replays:
    def __init__(self, world: World) -> None:
        self._world = world
        self._working: dict[Task | None, Run] = {}
        self._in_need: dict[Task | None, frozenset[str]] = {}
        self._succeeded: set[tuple[Run, str]] = set()
        self.sent: dict[Run, list[Sent]] = {}
        """What arrived of each run, in order of arrival, except from stalled workers."""
        self.again: list[tuple[Run, str]] = []
        """What a run has sent again after its success was recorded."""
        self.singles: list[tuple[str, str, datetime]] = []
        """Deliveries replayed one by one: consumer, event, time."""

    @property
    def arrived(self) -> int:
        return sum(map(len, self.sent.values())) + len(self.singles)

    # changes

    def replay_one(self) -> None:
        world, now = self._world, self._world.timeline.now()
        tried = sorted((d for d in all_deliveries(world) if d.attempts), key=lambda d: (d.consumer_id, d.event_id))
        if tried:
            chosen = world.rng.choice(tried)
            delivery = replayer.replay_one(world.ports, now, chosen.consumer_id, chosen.event_id)
            if delivery.state is DeliveryState.SENDING:
                self.singles.append((delivery.consumer_id, delivery.event_id, now))

    def replay_failed(self) -> None:
        self._start(Selection.FAILED, None)

    def replay_company(self) -> None:
        self._start(Selection.ALL, COMPANY)

    def _start(self, which: Selection, company_id: str | None) -> None:
        world, now = self._world, self._world.timeline.now()
        since = START + timedelta(seconds=world.rng.choice((0.0, 0.5 * world.timeline.seconds)))
        consumer = world.rng.choice(world.consumers)
        replayer.start(world.ports, now, consumer.id, which, since, None, company_id)

    # the watch

    def watch(self) -> None:
        """Runs every ten minutes, as scheduled."""

        def run() -> None:
            stalled_replays.requeue(self._world.ports, self._world.timeline.now())
            overdue.ring(self._world.ports)

        self._world.timeline.start("function tend_connections", run)
        self._world.timeline.at(self._world.timeline.seconds + WATCH_SECONDS, self.watch)

    # the record

    @contextmanager
    def recorded(self) -> Iterator[None]:
        advance, run_step = Replayer._advance, Replayer.run_step
        working, current = self._working, self._world.timeline.current

        def observed_advance(replayer: Replayer, replay: Replay, listed: Delivery) -> Any:
            run = (replay.consumer_id, replay.id, replay.started)
            working[current()] = run
            try:
                result = advance(replayer, replay, listed)
            finally:
                del working[current()]
            tried = isinstance(result, Delivery) and any(attempt.time >= replay.started for attempt in result.attempts)
            if tried and result.state is DeliveryState.SUCCESS:
                self._succeeded.add((run, result.event_id))
            return result

        def observed_step(replayer: Replayer, consumer_id: str, replay_id: str) -> Any:
            deliveries = [delivery for delivery in all_deliveries(self._world) if delivery.consumer_id == consumer_id]
            needy = (
                delivery.event_id
                for delivery in deliveries
                if delivery.attempts and delivery.state is not DeliveryState.SUCCESS
            )
            self._in_need[current()] = frozenset(needy)
            return run_step(replayer, consumer_id, replay_id)

        with patch.multiple(Replayer, _advance=observed_advance, run_step=observed_step):
            yield

    def arrives(self, event_id: str) -> None:
        """Records a post. Called for every arrival."""
        task = self._world.timeline.current()
        run = self._working.get(task)
        if run is None or task is None or task.was_stalled:
            return
        if (run, event_id) in self._succeeded:
            self.again.append((run, event_id))
        self.sent.setdefault(run, []).append(Sent(event_id, self._in_need[task]))


def after_all(world: World) -> list[str]:
    """The violations of replays once everything has come to rest. Each begins with the broken rule."""
    violations = [f"invented: a replay sent {id[-4:]} again after its success" for _, id in world.replays.again]
    deliveries = all_deliveries(world)
    positions = {delivery.event_id: f"{iso(delivery.event_time)}#{delivery.event_id}" for delivery in deliveries}
    for (consumer_id, _, _), sent in world.replays.sent.items():
        if _overtook(sent, positions):
            violations.append(f"order: a replay to {consumer_id} overtook itself")
    for replay in all_replays(world):
        if replay.state is not ReplayState.DONE:
            violations.append(f"lost: a replay to {replay.consumer_id} stays {replay.state}")
        skipped = _skipped(replay, deliveries)
        violations += [
            f"lost: a replay to {replay.consumer_id} skipped {delivery.event_id[-4:]}" for delivery in skipped
        ]
    by_key = {(delivery.consumer_id, delivery.event_id): delivery for delivery in deliveries}
    for consumer_id, event_id, started in world.replays.singles:
        if not any(attempt.time >= started for attempt in by_key[consumer_id, event_id].attempts):
            violations.append(f"lost: {event_id[-4:]} was not sent again to {consumer_id}")
    return violations[:6]


def _overtook(sent: list[Sent], positions: dict[str, str]) -> bool:
    """Whether a webhook was sent before an earlier one that was in need of sending.

    An event that was not in need, because it had arrived or was being sent anyway, may be sent when the replay repeats
    a lost step.
    """
    first = {webhook.event_id: webhook for webhook in reversed(sent)}
    order = [first[id] for id in dict.fromkeys(webhook.event_id for webhook in sent)]
    return any(
        positions[later.event_id] < positions[earlier.event_id] and later.event_id in earlier.in_need
        for index, earlier in enumerate(order)
        for later in order[index + 1 :]
    )


def _skipped(replay: Replay, deliveries: list[Delivery]) -> list[Delivery]:
    """The deliveries that a replay of all should have sent and did not try."""
    return [
        delivery
        for delivery in deliveries
        if replay.which is Selection.ALL
        and (delivery.consumer_id, delivery.company_id) == (replay.consumer_id, replay.company_id)
        and replay.since <= delivery.event_time <= replay.until
        and delivery.attempts
        and delivery.attempts[0].time < replay.started
        and not replay.has_attempted(delivery)
    ]


def is_of_replay(body: str) -> bool:
    return "replayId" in json.loads(body)


def all_deliveries(world: World) -> list[Delivery]:
    items = [item for key, item in world.table.items.items() if key[1].startswith("DELIVERY#")]
    return [Delivery.model_validate(item) for item in items]


def all_replays(world: World) -> list[Replay]:
    items = [item for key, item in world.table.items.items() if key[1].startswith("REPLAY#")]
    return [Replay.model_validate(item) for item in items]
