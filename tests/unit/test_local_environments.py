"""Environments of functions start a few at a time, and are taken over by the calls that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ministack.core import lambda_runtime

from local import environments

CONFIG = {"FunctionName": "probe", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:probe"}


class Pool:
    """Environments that take `seconds` to start, all of them on the same CPU."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.starting = self.starting_max = self.started = 0
        self.fails = False
        self._lock = threading.Lock()

    def start(self, _worker: Any) -> None:
        with self._lock:
            self.starting += 1
            self.starting_max = max(self.starting_max, self.starting)
        time.sleep(self.seconds)
        with self._lock:
            self.starting -= 1
            self.started += 1
        if self.fails:
            raise RuntimeError("it cannot be imported")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    pool = Pool(seconds=0.1)
    monkeypatch.setattr(lambda_runtime, "ensure_spawned", pool.start)
    monkeypatch.setattr(lambda_runtime, "_workers", {})
    return pool


def call(_number: int, name: str = "probe", seconds: float = 0.01) -> None:
    """Takes an environment, and gives it back `seconds` after it has it."""
    worker, _ = environments.lease(name, CONFIG, b"")
    assert worker.in_use
    time.sleep(seconds)
    lambda_runtime.release_worker(worker)


def test_forty_calls_at_once_wait_for_a_few_environments_and_not_for_forty(pool: Pool) -> None:
    with ThreadPoolExecutor(40) as threads:
        list(threads.map(call, range(40)))
    assert pool.starting_max == environments.STARTS_MAX
    assert pool.started < 20


def test_calls_that_need_environments_for_long_get_one_each(pool: Pool) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: call(number, seconds=1.5), range(6)))
    assert (pool.started, pool.starting_max) == (6, environments.STARTS_MAX)


def test_a_function_does_not_wait_for_those_of_another(pool: Pool) -> None:
    pool.seconds = 0.2
    with ThreadPoolExecutor(8) as threads:
        others = [threads.submit(call, number, seconds=1.5) for number in range(7)]
        time.sleep(0.1)
        call(0, name="other")
        assert pool.started < 7
        for other in others:
            other.result()
    assert pool.started == 8


def test_one_that_cannot_start_is_left_to_its_call(pool: Pool) -> None:
    pool.fails = True
    worker, reason = environments.lease("probe", CONFIG, b"")
    assert (reason, worker.in_use) == ("spawn", True)
