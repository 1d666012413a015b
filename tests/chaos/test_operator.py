"""How patient an operator is."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from feedlane.errors import NotFound, Unavailable
from feedlane.link import connections
from tests.chaos.operator import TRIES_MAX, Operator
from tests.chaos.timeline import Timeline

HOUR = 3600.0
PLACE: Any = SimpleNamespace(company_id="company-1")


class World:
    """A company that cannot be deleted before `deletable_from`, while an outage lasts an hour."""

    ports = upstream = None

    def __init__(self, deletable_from: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.timeline = Timeline()
        self.faults = SimpleNamespace(on=False, outages=SimpleNamespace(last_end=HOUR))
        self.tries, self._deletable_from, self._is_there = 0, deletable_from, True
        monkeypatch.setattr(connections, "delete_company", self._delete)

    @property
    def now(self) -> datetime:
        return self.timeline.now()

    def _delete(self, *_: Any) -> None:
        self.tries += 1
        if not self._is_there:
            raise NotFound("company", PLACE.company_id)
        if self.timeline.seconds < self._deletable_from:
            raise Unavailable("down")
        self._is_there = False

    def delete(self) -> BaseException | None:
        operator: Any = Operator(self)  # type: ignore[arg-type]
        task = self.timeline.start("operator", lambda: operator.delete_company(PLACE))
        self.timeline.run(1150)  # it waits after the twentieth try
        self.timeline.jump(HOUR)
        self.timeline.run(100 * HOUR)
        return task.failed


def test_what_failed_before_the_outage_was_over_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(HOUR, monkeypatch)
    assert world.delete() is None


def test_what_fails_once_all_is_calm_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1000 * HOUR, monkeypatch)
    failed = world.delete()
    assert isinstance(failed, AssertionError)
    assert world.tries > TRIES_MAX
