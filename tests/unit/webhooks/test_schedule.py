"""When a delivery is retried, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.retry_after import consumer_retry_after
from feedlane.webhooks.delivery import RETRY_SCHEDULE_SECONDS, Answer, Delivery, DeliveryState, retry_seconds
from feedlane.webhooks.pause import Pause
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, hold_event

THROTTLED = Answer(status=429)


def test_the_schedule_is_codats() -> None:
    assert RETRY_SCHEDULE_SECONDS == (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
    assert [retry_seconds(tries, BROKEN, 0) for tries in range(1, 8)] == list(RETRY_SCHEDULE_SECONDS[1:])


def test_after_the_eighth_failure_there_is_no_ninth_attempt() -> None:
    delivery = Delivery.of(hold_event(), "consumer-1")
    for _ in range(8):
        delivery = delivery.after_attempt(BROKEN, NOW, 0)
    assert delivery.state is DeliveryState.FAILURE
    assert delivery.due is None
    assert len(delivery.attempts) == 8


@given(st.integers(1, 7), st.floats(-0.2, 0.2))
def test_jitter_moves_a_delay_by_a_fifth_at_most(tries: int, jitter: float) -> None:
    wait = retry_seconds(tries, BROKEN, jitter)
    assert wait is not None
    assert RETRY_SCHEDULE_SECONDS[tries] * 0.8 <= wait <= RETRY_SCHEDULE_SECONDS[tries] * 1.2


@pytest.mark.parametrize("answer", [TIMEOUT, THROTTLED, Answer(status=502), Answer(status=504)])
@pytest.mark.parametrize("jitter", [-0.2, 0, 0.2])
def test_a_consumer_without_time_has_a_minute_at_least(answer: Answer, jitter: float) -> None:
    wait = retry_seconds(1, answer, jitter)
    assert wait is not None
    assert 60 <= wait <= 72


@pytest.mark.parametrize(("retry_after", "wait"), [(1, 300), (299, 300), (450, 450), (600, 600), (86_400, 600)])
def test_retry_after_is_kept_between_the_delay_and_twice_the_delay(retry_after: int, wait: int) -> None:
    assert retry_seconds(2, Answer(status=503, retry_after=retry_after), 0) == wait


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("1.2", 2),
        ("0", 0),
        ("-5", 0),
        ("Mon, 04 May 2026 09:32:00 GMT", 120),
        ("Mon, 04 May 2026 09:32:00 -0000", 120),
        ("Mon, 04 May 2026 09:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
        ("\u00b2", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value: str, seconds: int | None) -> None:
    now = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    assert consumer_retry_after(value, now) == seconds


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    assert Delivery.of(hold_event(), "c").after_attempt(Answer(status=status), NOW, 0).state is DeliveryState.SUCCESS


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 304, 400, 401, 404, 409, 500, 503, 599])
def test_nothing_else_is(status: int) -> None:
    delivery = Delivery.of(hold_event(), "c").after_attempt(Answer(status=status), NOW, 0)
    assert delivery.state is DeliveryState.ATTEMPTING
    assert delivery.due == NOW + timedelta(seconds=5)


def test_every_attempt_is_kept_with_what_came_of_it() -> None:
    delivery = Delivery.of(hold_event(), "c")
    for answer in (BROKEN, TIMEOUT, OK):
        delivery = delivery.after_attempt(answer, NOW, 0)
    kept = [(attempt.status, attempt.error, attempt.duration_ms, attempt.excerpt) for attempt in delivery.attempts]
    assert kept == [(500, None, 30, "oops"), (None, "timeout", 15_000, ""), (204, None, 12, "")]


def test_a_replay_starts_the_schedule_anew_and_keeps_the_attempts() -> None:
    delivery = Delivery.of(hold_event(), "c")
    for _ in range(8):
        delivery = delivery.after_attempt(BROKEN, NOW, 0)
    restarted = delivery.restarted().after_attempt(BROKEN, NOW, 0)
    assert restarted.state is DeliveryState.ATTEMPTING
    assert len(restarted.attempts) == 9


def test_a_pause_grows_while_nothing_gets_better_and_ends_with_any_other_answer() -> None:
    pause = Pause(consumer_id="c", until=NOW)
    lengths = []
    for _ in range(6):
        pause = pause.after_answer(TIMEOUT, NOW)
        lengths.append(pause.seconds)
    assert lengths == [60, 120, 240, 480, 900, 900]
    assert not pause.after_answer(BROKEN, NOW).is_active
    assert pause.after_answer(Answer(status=429, retry_after=86_400), NOW).seconds == 900
