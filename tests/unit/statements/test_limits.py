"""No more calls than Xero allows, in any minute, at once or in a day, over all function instances."""

from __future__ import annotations

import threading
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.statements.gate import Gate
from feedlane.statements.limits import (
    CALL_DURATION_MAX,
    DAILY_CALLS_RESERVED,
    Limits,
    RateLimited,
    Traffic,
    admit,
    finish_call,
)
from feedlane.store.store import Store
from tests import builders
from tests.builders import NOW
from tests.fakes.table import MemoryTable


@given(st.lists(st.integers(0, 20), min_size=1, max_size=150), st.integers(1, 12))
def test_no_sixty_seconds_hold_more_calls_than_allowed(pauses: list[int], minute: int) -> None:
    now, traffic, admitted = NOW, Traffic(), []
    for number, pause in enumerate(pauses):
        now += timedelta(seconds=pause)
        result = admit(traffic, Limits(per_minute=minute), now, str(number))
        if isinstance(result, Traffic):
            traffic = result
            admitted.append(now)
    for start in admitted:
        assert sum(start <= call < start + timedelta(seconds=60) for call in admitted) <= minute


@given(st.integers(1, 12))
def test_who_waits_as_long_as_told_may_go(minute: int) -> None:
    traffic = Traffic()
    for number in range(minute):
        result = admit(traffic, Limits(per_minute=minute), NOW + timedelta(seconds=number), str(number))
        assert isinstance(result, Traffic)
        traffic = result
    now = NOW + timedelta(seconds=minute)
    wait = admit(traffic, Limits(per_minute=minute), now, "next")
    assert isinstance(wait, RateLimited)
    assert isinstance(admit(traffic, Limits(per_minute=minute), now + timedelta(seconds=wait.seconds), "next"), Traffic)


def test_a_call_that_ended_makes_room_and_one_that_never_does_makes_room_in_time() -> None:
    limits = Limits(per_minute=100, concurrent=1)
    first = admit(Traffic(), limits, NOW, "a")
    assert isinstance(first, Traffic)
    assert admit(first, limits, NOW, "b") == RateLimited(1)
    assert isinstance(admit(finish_call(first, "a"), limits, NOW, "b"), Traffic)
    assert isinstance(admit(first, limits, NOW + CALL_DURATION_MAX, "b"), Traffic)


def test_a_day_has_its_number_and_the_next_day_starts_anew() -> None:
    limits = Limits(per_minute=100, per_day=1)
    first = admit(Traffic(), limits, NOW, "a")
    assert isinstance(first, Traffic)
    assert isinstance(admit(first, limits, NOW, "b"), RateLimited)
    assert isinstance(admit(first, limits, NOW + timedelta(days=1), "b"), Traffic)


def test_instances_that_ask_at_the_same_moment_share_one_count() -> None:
    store = Store(MemoryTable())
    answers: list[int | None] = []

    def enter(number: int) -> None:
        gate = Gate(builders.ports(store=store), Limits(per_minute=10), Limits(per_minute=7))
        answers.append(gate.enter("t", NOW, str(number)))

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) <= 7
    gate = Gate(builders.ports(store=store), Limits(per_minute=10), Limits(per_minute=7))
    assert gate.enter("u", NOW, "after") is not None or None in answers


def test_a_tenant_that_is_full_does_not_stop_another() -> None:
    gate = Gate(builders.ports(), Limits(per_minute=1), Limits(per_minute=10))
    assert gate.enter("full", NOW, "a") is None
    assert gate.enter("full", NOW, "b") is not None
    assert gate.enter("other", NOW, "c") is None


def test_the_days_number_follows_the_setting_and_starts_with_the_lowest_tiers() -> None:
    store = Store(MemoryTable())
    assert _calls_of_a_day(store, "new") == 1000 - DAILY_CALLS_RESERVED
    store.commit(settings_items.put_settings(Settings(daily_limit=250)))
    assert _calls_of_a_day(store, "a-few") == 250 - DAILY_CALLS_RESERVED
    store.commit(settings_items.put_settings(settings_items.settings(store).but(daily_limit=251)))
    assert Gate(builders.ports(store=store)).enter("a-few", NOW + timedelta(hours=6), "one-more") is None
    assert Gate(builders.ports(store=store)).enter("a-few", NOW + timedelta(hours=6), "none-more") is not None


def _calls_of_a_day(store: Store, tenant: str) -> int:
    """Makes a call every 20 seconds, from noon on, until the daily limit is reached. Returns their number."""
    for number in range(2000):
        now = NOW + timedelta(seconds=20 * number)
        if Gate(builders.ports(store=store)).enter(tenant, now, f"{tenant}-{number}") is not None:
            return number
        Gate(builders.ports(store=store)).leave(tenant, now, f"{tenant}-{number}")
    raise AssertionError("the daily limit was never reached")
