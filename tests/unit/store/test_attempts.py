"""Attempts at a commit: how many, how far apart, and with which outcome."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from feedlane.errors import Conflict
from feedlane.store import attempts as module
from feedlane.store.attempts import ATTEMPTS_MAX, DELAY_SECONDS_MAX, AttemptsExhausted, attempts
from feedlane.store.table import ConditionFailed, Contended


@pytest.fixture
def slept() -> Iterator[list[float]]:
    """The delays, each at the maximum of its random range."""
    delays: list[float] = []
    with (
        patch.object(module, "sleep", delays.append),
        patch.object(module.random, "uniform", lambda _, maximum: maximum),
    ):
        yield delays


def commit(failures: int, tries: list[int], error: type[ConditionFailed] = ConditionFailed) -> None:
    """Fails as many times as `failures`, and notes each try."""
    tries.append(len(tries) + 1)
    if len(tries) <= failures:
        raise error([("pk", str(len(tries)))])


def test_what_succeeds_at_once_is_done_once_and_without_a_delay(slept: list[float]) -> None:
    tries: list[int] = []
    for attempt in attempts("feed f"):
        with attempt:
            commit(0, tries)
    assert (tries, slept) == ([1], [])


@pytest.mark.parametrize("error", [ConditionFailed, Contended])
def test_the_first_retry_goes_at_once_and_the_second_waits(slept: list[float], error: type[ConditionFailed]) -> None:
    tries: list[int] = []
    for attempt in attempts("feed f"):
        with attempt:
            commit(2, tries, error)
    assert (tries, slept) == ([1, 2, 3], [0.02])


def test_return_and_break_end_the_loop(slept: list[float]) -> None:
    def returned() -> int:
        for attempt in attempts("feed f"):
            with attempt:
                return 1
        return 2

    assert returned() == 1
    passes = 0
    for attempt in attempts("feed f"):
        with attempt:
            commit(0, [])
            break
        passes += 1
    assert (passes, slept) == (0, [])


def test_what_stands_behind_the_block_prepares_the_next_attempt() -> None:
    tries: list[int] = []
    reads = 0
    for attempt in attempts("feed f"):
        with attempt:
            commit(2, tries)
            break
        reads += 1
    assert (tries, reads) == ([1, 2, 3], 2)


def all_fail(attempts_max: int = ATTEMPTS_MAX, otherwise: Exception | None = None) -> None:
    tries: list[int] = []
    for attempt in attempts("feed f", attempts_max=attempts_max, otherwise=otherwise):
        with attempt:
            commit(attempts_max, tries)


def test_after_the_last_attempt_the_error_names_what_was_contended_and_the_last_keys(slept: list[float]) -> None:
    with pytest.raises(AttemptsExhausted, match="feed f: none of 10 attempts") as raised:
        all_fail()
    assert isinstance(raised.value, ConditionFailed)
    assert raised.value.keys == (("pk", "10"),)
    assert isinstance(raised.value.__cause__, ConditionFailed)
    assert len(slept) == ATTEMPTS_MAX - 2


def test_whoever_asks_for_it_gets_an_error_of_their_own() -> None:
    with pytest.raises(Conflict) as raised:
        all_fail(3, Conflict("try again"))
    assert isinstance(raised.value.__cause__, AttemptsExhausted)


def test_other_errors_pass_through_at_once(slept: list[float]) -> None:
    tries: list[int] = []

    def broken() -> None:
        for attempt in attempts("feed f"):
            tries.append(1)
            with attempt:
                raise KeyError("other")

    with pytest.raises(KeyError):
        broken()
    assert (tries, slept) == ([1], [])


def test_an_attempt_that_never_gets_to_its_block_counts_as_failed() -> None:
    tries: list[int] = []

    def skipping() -> None:
        for _ in attempts("feed f", attempts_max=4):
            tries.append(1)

    with pytest.raises(AttemptsExhausted) as raised:
        skipping()
    assert (len(tries), raised.value.keys) == (4, ())


def test_delays_grow_and_are_bounded(slept: list[float]) -> None:
    with pytest.raises(AttemptsExhausted):
        all_fail(12)
    assert slept[:4] == [0.02, 0.04, 0.08, 0.16]
    assert slept[4:] == [DELAY_SECONDS_MAX] * 6


def test_chance_takes_any_part_of_a_delay() -> None:
    delays: list[float] = []
    with patch.object(module, "sleep", delays.append), pytest.raises(AttemptsExhausted):
        all_fail(200)
    assert 0 <= min(delays) < 0.05
    assert 0.15 < max(delays) <= DELAY_SECONDS_MAX
