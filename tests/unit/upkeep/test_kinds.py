"""A kind of which all fails, or that takes long, keeps the watch from no other."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from feedlane.ports import Ports
from feedlane.store.due import NOTHING_LEFT, Kind, Look, due_keys
from feedlane.store.table import Item, Put
from feedlane.upkeep import overdue
from feedlane.upkeep.overdue import FAILURES_MAX, LOOKS_TIME
from tests.unit.upkeep.lost import WATCH_INTERVAL, LossyWorld


class Looking:
    """A world in which looks take a second, and those of the first kind fail if asked to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Kind | None = None) -> None:
        self.world, self.seen, self.fails = LossyWorld(), Counter[Kind](), fails
        for kind in Kind:
            monkeypatch.setitem(overdue._LOOKS, kind, lambda *arguments, kind=kind: self._look(kind, *arguments))

    def add(self, kind: Kind, count: int) -> None:
        for number in range(count):
            due = due_keys(kind, str(number), self.world.now)
            self.world.store.commit(Put({"pk": f"{kind}#{number}", "sk": "X", **due}))

    def run(self) -> None:
        run = self.world.now + WATCH_INTERVAL
        self.world.now = run
        self.world.ring()
        assert self.world.now - run <= LOOKS_TIME + timedelta(seconds=10)
        self.world.now = run

    def _look(self, kind: Kind, ports: Ports, now: datetime, item: Item) -> Look:
        self.seen[kind] += 1
        self.world.now += timedelta(seconds=1)
        if kind is self.fails:
            raise ValueError
        return Look(again=now) if kind is Kind.PUSH else NOTHING_LEFT


def test_a_kind_of_which_all_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch, fails=Kind.PUSH)
    looking.add(Kind.PUSH, FAILURES_MAX)
    looking.add(Kind.DELIVERY, 3)
    looking.run()
    assert looking.seen == {Kind.PUSH: FAILURES_MAX, Kind.DELIVERY: 3}


def test_a_kind_with_more_than_a_run_has_time_for_takes_none_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch)
    looking.add(Kind.PUSH, 500)
    looking.add(Kind.DELIVERY, 3)
    looking.run()
    assert looking.seen[Kind.DELIVERY] == 3


def test_each_kind_is_the_last_in_its_turn_and_then_has_all_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking = Looking(monkeypatch)
    looking.add(Kind.PUSH, 500)
    counts = []
    for _ in Kind:
        before = looking.seen[Kind.PUSH]
        looking.run()
        counts.append(looking.seen[Kind.PUSH] - before)
    part = LOOKS_TIME.total_seconds() / len(Kind)
    assert min(counts) <= part + 1
    assert max(counts) >= LOOKS_TIME.total_seconds()


def test_a_kind_whose_list_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch)
    looking.add(Kind.DELIVERY, 3)
    real = overdue.due.overdue

    def listed(store: object, kind: Kind, *rest: object) -> object:
        if kind is Kind.PUSH:
            raise OSError
        return real(store, kind, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(overdue.due, "overdue", listed)
    looking.world.now += WATCH_INTERVAL
    assert looking.world.ring().failed == ["PUSH: OSError"]
    assert looking.seen == {Kind.DELIVERY: 3}


@pytest.mark.parametrize("seconds_left", [250, 90, 31, 5])
def test_the_looks_end_before_the_invocation_does(monkeypatch: pytest.MonkeyPatch, seconds_left: int) -> None:
    """The steps before them may have taken most of its time."""
    looking = Looking(monkeypatch)
    looking.add(Kind.PUSH, 500)
    looking.add(Kind.DELIVERY, 500)
    end = (looking.world.now + WATCH_INTERVAL) + timedelta(seconds=seconds_left)
    looking.world.now += WATCH_INTERVAL
    overdue.ring(looking.world.ports, end - looking.world.now)
    assert looking.world.now < end
    assert looking.seen.total() >= min(1, seconds_left // 90)
