"""The due index: what is listed in it, under which time, and what is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedlane.clock import UTC
from feedlane.store import due
from feedlane.store.store import Store
from feedlane.store.table import Put
from tests.fakes.quick_table import QuickTable
from tests.fakes.table import MemoryTable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_moves_on_is_looked_at_within_twenty_minutes_by_a_watch_of_every_ten() -> None:
    for seconds in range(0, 600, 7):
        now = NOON + timedelta(seconds=seconds)
        assert due.LOOK_AFTER <= due.next_look(now) - now <= timedelta(minutes=10)


def test_times_are_rounded_so_that_a_busy_item_keeps_its_place() -> None:
    looks = {due.next_look(NOON + timedelta(seconds=seconds)) for seconds in range(1, 300)}
    assert looks == {NOON + timedelta(minutes=10)}
    assert due.next_look(NOON) == NOON + timedelta(minutes=5)


@pytest.mark.parametrize("make_table", [MemoryTable, QuickTable])
def test_the_longest_overdue_come_first_and_what_is_not_due_does_not_come(make_table: type[MemoryTable]) -> None:
    store = Store(make_table())
    for number in range(20):
        at = NOON + timedelta(minutes=5 * number)
        item = {"pk": f"FEED#{number}", "sk": "FEED", **due.due_keys("feed", str(number), at)}
        store.commit(Put(item))
    store.commit(Put({"pk": "FEED#idle", "sk": "FEED", **due.due_keys("feed", "idle", None)}))
    store.commit(Put({"pk": "HOLD#x", "sk": "HOLD", **due.due_keys("hold", "x", NOON)}))

    now = NOON + timedelta(minutes=27)
    assert due.overdue(store, "feed", now, 100) == [(f"FEED#{number}", "FEED") for number in range(6)]
    assert due.overdue(store, "feed", now, 2) == [("FEED#0", "FEED"), ("FEED#1", "FEED")]
    assert due.overdue(store, "hold", now, 2) == [("HOLD#x", "HOLD")]
