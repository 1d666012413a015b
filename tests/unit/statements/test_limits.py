"""No more calls than Xero allows, in any minute, at once or in a day, over all function instances."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.statements.gate import Gate
from feedlane.statements.limits import (
    APP_STATEMENT_LIMITS,
    CALL_DURATION_MAX,
    DAILY_CALLS_RESERVED,
    Call,
    DayFull,
    Lane,
    Limits,
    Slot,
    Traffic,
    admit,
    finish_call,
    moment,
)
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from tests import builders
from tests.builders import NOW
from tests.fakes.table import MemoryTable


def ask(traffic: Traffic, limits: Limits, now: datetime, id: str, held: Lane | None = None) -> Traffic | Slot | DayFull:
    return admit(traffic, limits, now, Call(id, Lane.POSTS, held))


class Gates:
    """The gate, asked by a feed of its own at each time."""

    def __init__(self, tenant: Limits | None = None, app: Limits = APP_STATEMENT_LIMITS, store: Any = None) -> None:
        self.now = NOW
        self.store = store or Store(MemoryTable())
        self.gate = Gate(builders.ports(store=self.store, clock=lambda: self.now), tenant, app)

    def enter(self, tenant: str, id: str, now: datetime | None = None) -> float | None:
        self.now = now or self.now
        return self.gate.enter(builders.feed(account_id=id).but(tenant_id=tenant), Lane.POSTS, id)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=150), st.integers(1, 12))
def test_no_sixty_seconds_hold_more_calls_than_allowed(pauses: list[int], minute: int) -> None:
    now, traffic, admitted = NOW, Traffic(), []
    for number, pause in enumerate(pauses):
        now += timedelta(seconds=pause)
        result = ask(traffic, Limits(per_minute=minute), now, str(number))
        if isinstance(result, Traffic):
            traffic = result
            admitted.append(now)
    for start in admitted:
        assert sum(start <= call < start + timedelta(seconds=60) for call in admitted) <= minute


@given(st.integers(1, 12))
def test_who_waits_as_long_as_told_may_go(minute: int) -> None:
    traffic = Traffic()
    for number in range(minute):
        result = ask(traffic, Limits(per_minute=minute), NOW + timedelta(seconds=number), str(number))
        assert isinstance(result, Traffic)
        traffic = result
    slot = ask(traffic, Limits(per_minute=minute), NOW + timedelta(seconds=minute), "next")
    assert isinstance(slot, Slot)
    assert moment(slot.at) < NOW + timedelta(seconds=60.1)
    assert isinstance(ask(slot.traffic, Limits(per_minute=minute), moment(slot.at), "next", slot.lane), Traffic)


def test_a_call_that_ended_makes_room_and_one_that_never_does_makes_room_in_time() -> None:
    limits = Limits(per_minute=100, concurrent=1)
    first = ask(Traffic(), limits, NOW, "a")
    assert isinstance(first, Traffic)
    slot = ask(first, limits, NOW, "b")
    assert isinstance(slot, Slot)
    assert moment(slot.at) - NOW < timedelta(seconds=1.1)
    assert isinstance(ask(finish_call(first, "a", NOW), limits, NOW, "b"), Traffic)
    assert isinstance(ask(first, limits, NOW + CALL_DURATION_MAX, "b"), Traffic)


def test_a_day_has_its_number_and_the_next_day_starts_anew() -> None:
    limits = Limits(per_minute=100, per_day=1)
    first = ask(Traffic(), limits, NOW, "a")
    assert isinstance(first, Traffic)
    assert isinstance(ask(first, limits, NOW, "b"), DayFull)
    assert isinstance(ask(first, limits, NOW + timedelta(days=1), "b"), Traffic)


def test_instances_that_ask_at_the_same_moment_share_one_count() -> None:
    store = Store(MemoryTable())
    answers: list[float | None] = []

    def work(number: int) -> None:
        answers.append(Gates(Limits(per_minute=10), Limits(per_minute=7), store).enter("t", str(number)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) <= 7
    gates = Gates(Limits(per_minute=10), Limits(per_minute=7), store)
    assert gates.enter("u", "after") is not None or None in answers


def test_a_feed_that_comes_early_has_the_slot_that_it_was_given() -> None:
    gates = Gates(app=Limits(per_minute=1))
    assert gates.enter("a", "first") is None
    waits = [gates.enter("b", "second") for _ in range(3)]
    third = gates.enter("c", "third")
    assert len(set(waits)) == 1
    assert waits[0]
    assert third
    assert 62 < third - waits[0] + 0.1 < 64
    assert gates.enter("b", "second", NOW + timedelta(seconds=waits[0])) is None


def test_a_slot_is_used_once_and_not_long_after_its_time() -> None:
    gates = Gates(app=Limits(per_minute=1))
    assert gates.enter("a", "first") is None
    waits = [gates.enter("b", id) for id in ("second", "third", "fourth", "fifth", "sixth")]
    assert all(waits)
    at = NOW + timedelta(seconds=waits[0] or 0)
    assert gates.enter("b", "second", at) is None
    again = gates.enter("b", "second", at)
    assert again
    assert again > 240
    late = NOW + timedelta(seconds=(waits[1] or 0) + 130)
    queued_again = gates.enter("b", "third", late)
    assert queued_again
    assert queued_again > 60


def test_a_call_that_was_hard_to_count_is_counted_when_it_goes() -> None:
    gates, contended = Gates(app=Limits(per_minute=1)), 3
    table: Any = gates.store.table
    real = table.commit

    def commit(*writes: Any) -> None:
        nonlocal contended
        if contended:
            contended -= 1
            gates.now += timedelta(seconds=4)
            raise ConditionFailed([write.key for write in writes])
        real(*writes)

    table.commit = commit
    assert gates.enter("a", "first") is None
    assert gates.enter("b", "second", NOW + timedelta(seconds=61)) is not None


def test_a_tenant_that_is_full_does_not_stop_another() -> None:
    gates = Gates(Limits(per_minute=1), Limits(per_minute=10))
    assert gates.enter("full", "a") is None
    assert gates.enter("full", "b") is not None
    assert gates.enter("other", "c") is None


def test_the_days_number_follows_the_setting_and_starts_with_the_lowest_tiers() -> None:
    store = Store(MemoryTable())
    assert _calls_of_a_day(store, "new") == 1000 - DAILY_CALLS_RESERVED
    store.commit(settings_items.put_settings(Settings(daily_limit=250)))
    assert _calls_of_a_day(store, "a-few") == 250 - DAILY_CALLS_RESERVED
    store.commit(settings_items.put_settings(settings_items.settings(store).but(daily_limit=251)))
    assert Gates(store=store).enter("a-few", "one-more", NOW + timedelta(hours=6)) is None
    assert Gates(store=store).enter("a-few", "none-more", NOW + timedelta(hours=6)) is not None


def _calls_of_a_day(store: Store, tenant: str) -> int:
    """Makes a call every 20 seconds, from noon on, until the daily limit is reached. Returns their number."""
    for number in range(2000):
        now = NOW + timedelta(seconds=20 * number)
        gates = Gates(store=store)
        if gates.enter(tenant, f"{tenant}-{number}", now) is not None:
            return number
        gates.gate.leave(tenant, f"{tenant}-{number}")
    raise AssertionError("the daily limit was never reached")
