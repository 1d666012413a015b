"""A world whose messages get lost, and in which the watch runs every ten minutes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from feedlane.events import outbox
from feedlane.store.due import Kind
from feedlane.store.table import Index
from feedlane.upkeep import overdue
from feedlane.upkeep.overdue import Looks
from tests.fakes.queues import in_chain, lineage_of
from tests.rights import acting_as
from tests.worlds.feeds import World

WATCH_INTERVAL = timedelta(minutes=10)


class LossyWorld(World):
    """Delayed messages arrive when their time has come, also between two runs of the watch."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.delayed: list[tuple[datetime, Any]] = []

    def lose_all(self) -> list[str]:
        """Every message on any queue is gone. Answers what they were."""
        self._sort_delayed()
        lost = ["doorbell" for _ in self.queues.take("pushed")] + ["wake" for _ in self.queues.take("woken")]
        lost += [type(message[0]).__name__ for _, message in self.delayed]
        self.delayed = []
        return lost

    def watch(self, runs: int = 2) -> Counter[Kind]:
        """Lets so many runs of the watch pass, and what they set going. Answers how many were rung."""
        rung: Counter[Kind] = Counter()
        for _ in range(runs):
            run = self.now + WATCH_INTERVAL
            self._work_off(run)
            self.now = max(run, self.now)
            rung += self.ring().rung
            self._work_off(self.now)
        self._work_off(self.now + timedelta(minutes=2))
        return +rung

    def ring(self) -> Looks:
        self._route_events()
        with acting_as("tend_connections"):
            return overdue.ring(self.ports)

    def _route_events(self) -> None:
        """The stream and the bus are not part of this world: every event has arrived."""
        for event in self.events():
            self.store.commit(outbox.routed(event))

    def listed(self) -> dict[str, str]:
        """What is in the due index, with the time of its next look."""
        self._route_events()
        pk, sk = Index.DUE.keys
        return {f"{item['pk']}/{item['sk']}": item[sk] for item in self.table.items.values() if pk in item}

    def _work_off(self, until: datetime) -> None:
        """Handles the messages that arrive by then."""
        for _ in range(500):
            self._sort_delayed()
            if not (self.queues.pushed or self.queues.woken):
                if not self.delayed or self.delayed[0][0] > until:
                    return
                due, message = self.delayed.pop(0)
                self.now = max(self.now, due)
                self.queues.follow_ups.append(in_chain((message[0], 0), lineage_of(message)))
            self.step()
        raise AssertionError("the queues did not empty")

    def _sort_delayed(self) -> None:
        sent = self.queues.take("follow_ups")
        self.delayed += [(self.now + timedelta(seconds=message[1]), message) for message in sent]
        self.delayed.sort(key=lambda delayed: delayed[0])
