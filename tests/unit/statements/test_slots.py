"""Slots: whoever may not call now gets a time, in order, and nobody asks again and again."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.statements import gate as gate_module
from feedlane.statements.gate import Gate
from feedlane.statements.limits import (
    APP_STATEMENT_LIMITS,
    TENANT_LIMITS,
    Call,
    Lane,
    Limits,
    Slot,
    Traffic,
    admit,
)
from feedlane.store import attempts as attempts_module
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Item, Write
from tests import builders
from tests.builders import NOW
from tests.fakes.quick_table import QuickTable
from tests.worlds.asking import Asking

POSTS, LOOKS = Lane.POSTS, Lane.LOOKS
ONE = Limits(per_minute=1)


def ask(traffic: Traffic, second: float, lane: Lane = POSTS, held: Lane | None = None) -> Traffic | Slot:
    answer = admit(traffic, ONE, NOW + timedelta(seconds=second), Call("call", lane, held))
    assert isinstance(answer, Traffic | Slot)
    return answer


def slot(answer: Traffic | Slot) -> Slot:
    assert isinstance(answer, Slot)
    return answer


def went(answer: Traffic | Slot) -> Traffic:
    assert isinstance(answer, Traffic)
    return answer


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from((POSTS, LOOKS))), min_size=1, max_size=120),
    st.integers(1, 20),
    st.sampled_from((0.0, 2.0, 90.0)),
    st.sampled_from((0.0, 0.3, 1.0)),
    st.randoms(use_true_random=False),
)
def test_no_minute_is_over_the_limit_and_all_who_come_again_go(
    calls: list[tuple[int, Lane]], minute: int, late: float, lost: float, rng: random.Random
) -> None:
    asking = Asking(Limits(per_minute=minute), rng, late=late, lost=lost)
    asking.run([(float(second), lane) for second, lane in sorted(calls)])
    assert asking.most_in_a_minute() <= minute
    assert lost or len(asking.went) == len(calls)


def test_a_burst_after_slow_traffic_goes_with_few_asks() -> None:
    """The minute empties more slowly than slots are given, so that most have to move up a lane."""
    asking = Asking(APP_STATEMENT_LIMITS)
    asking.run([(number * 0.5, POSTS) for number in range(100)] + [(50 + n / 100, POSTS) for n in range(1000)])
    assert sum(asking.asks.values()) <= 3 * len(asking.asks)
    assert asking.seconds / 60 < 1.1 * 1100 / APP_STATEMENT_LIMITS.per_minute


def test_posts_and_looks_that_keep_coming_go_with_at_most_three_asks() -> None:
    rng = random.Random(1)
    calls = [(rng.uniform(0, 600), lane) for lane in (POSTS, LOOKS) for _ in range(1500)]
    asking = Asking(APP_STATEMENT_LIMITS, rng)
    asking.run(sorted(calls))
    assert len(asking.went) == len(calls)
    assert max(asking.asks.values()) <= 3


def test_those_whom_an_outage_made_late_go_with_at_most_three_asks() -> None:
    asking = Asking(APP_STATEMENT_LIMITS, stalls=(200, 280))
    asking.run([(number / 100, POSTS) for number in range(3000)])
    assert max(asking.asks.values()) <= 3


def test_slots_that_nobody_uses_only_pass() -> None:
    asking = Asking(APP_STATEMENT_LIMITS, lost=1.0)
    asking.run([(number / 100, POSTS) for number in range(3000)])
    assert len(asking.went) == APP_STATEMENT_LIMITS.per_minute
    later = NOW + timedelta(minutes=20)
    assert isinstance(admit(asking.traffic, APP_STATEMENT_LIMITS, later, Call("next", LOOKS)), Traffic)


def test_many_feeds_of_one_organisation_queue_up_too() -> None:
    for takes in (0.5, 2.0):
        asking = Asking(TENANT_LIMITS, takes=takes)
        asking.run([(number / 100, POSTS) for number in range(100)])
        assert sum(asking.asks.values()) <= 3.5 * len(asking.asks)
        assert asking.most_in_a_minute() <= TENANT_LIMITS.per_minute
        assert asking.seconds < 120


def test_posts_go_before_looks_that_have_waited_longer() -> None:
    asking = Asking(APP_STATEMENT_LIMITS)
    asking.run([(number / 100, LOOKS) for number in range(1500)] + [(200, POSTS)] * 500)
    posts = [(at - NOW).total_seconds() - 200 for at, call_id in asking.went if int(call_id) >= 1500]
    assert max(posts) < 1.2 * 60 * 500 / APP_STATEMENT_LIMITS.per_minute
    assert asking.seconds / 60 < 1.2 * 2000 / APP_STATEMENT_LIMITS.per_minute


def test_looks_leave_room_for_a_post_that_comes_unannounced() -> None:
    asking = Asking(APP_STATEMENT_LIMITS)
    asking.run([(number / 100, LOOKS) for number in range(600)] + [(100 + number * 3, POSTS) for number in range(20)])
    assert all(asking.asks[str(600 + number)] == 1 for number in range(20))


def test_a_look_yields_once() -> None:
    traffic = went(ask(Traffic(), 0))
    look = slot(ask(traffic, 1, LOOKS))
    post = slot(ask(look.traffic, 2, POSTS))
    assert post.at <= look.at
    again = slot(ask(post.traffic, 61, LOOKS, held=look.lane))
    assert again.lane is POSTS
    later_post = slot(ask(again.traffic, 62, POSTS))
    assert later_post.at > again.at


def test_the_count_of_calls_stays_small() -> None:
    """A write costs one unit for each KB, and twice that in a transaction."""
    asking = Asking(APP_STATEMENT_LIMITS, lost=1.0)
    asking.run([(number / 50, lane) for number in range(2500) for lane in (POSTS, LOOKS)])
    assert len(asking.traffic.ages) == APP_STATEMENT_LIMITS.per_minute
    assert stored_bytes(asking.traffic) < 1024


def stored_bytes(traffic: Traffic) -> int:
    """By DynamoDB's rules: a number takes a byte for two digits and one more, an element of a list one more."""
    fields = traffic.model_dump(mode="json")
    numbers = [*fields["ages"], *fields["next_slots"], fields["counted"], fields["today"], fields["version"]]
    keys_and_expiry = 60
    return sum((len(str(number)) + 1) // 2 + 2 for number in numbers) + sum(map(len, fields)) + keys_and_expiry


class SlowTable(QuickTable):
    """Every request takes some milliseconds, so that callers get in each other's way as they do in DynamoDB."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = 0

    def get_many(self, keys: Any) -> dict[Any, Item]:
        items = super().get_many(keys)
        time.sleep(0.002)
        return items

    def commit(self, *writes: Write) -> None:
        time.sleep(0.002)
        try:
            super().commit(*writes)
        except ConditionFailed:
            self.failed += 1
            raise
        finally:
            time.sleep(0.002)


def test_instances_that_ask_at_the_same_moment_share_out_slots_with_few_conflicts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty at once, the most that the two functions' concurrency allows."""
    monkeypatch.setattr(attempts_module, "sleep", time.sleep)
    table, waits, instances, each = SlowTable(), list[float | None](), 20, 15
    gate = Gate(builders.ports(store=Store(table)), app=Limits(per_minute=60))
    feeds = [builders.feed(account_id=str(n)).but(tenant_id=str(n)) for n in range(instances * each)]

    def work(number: int) -> None:
        for feed in feeds[number::instances]:
            waits.append(gate.enter(feed, POSTS, feed.id))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(instances)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(None) == 60
    reserved = [table.items.get(keys.slot(feed.id, "POSTS")) for feed in feeds]
    slots = [item["until"] for item in reserved if item]
    assert len(set(slots)) == len(slots)
    assert waits.count(gate_module.CONTENDED_WAIT_SECONDS) <= 3
    assert len(slots) >= len(feeds) - 60 - 3
    assert table.failed <= 4 * len(feeds)
