"""The stand-ins stop a chain of messages where Lambda would, so that a loop which the template forbids fails a test."""

from __future__ import annotations

import random
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.chains import RUNS_MAX, lineage_of_run
from tests.chaos.sqs import Queue
from tests.chaos.timeline import Timeline
from tests.fakes.queues import FakeQueues
from tests.stack import template

FUNCTION = "push_statements"


@pytest.fixture
def no_loops() -> Iterator[None]:
    with patch.object(template, "allows_recursion", lambda function: False):
        yield


def runs_of_a_loop(most: int = 3 * RUNS_MAX) -> tuple[int, FakeQueues]:
    """How often a function runs whose every run sends it another message, if nothing stops it before `most`."""
    queues, runs = FakeQueues(), 0
    queues.wake("feed")
    while queues.woken and runs < most:
        before = len(queues.stopped)
        queues.run(FUNCTION, queues.woken.pop(0), lambda: queues.wake("feed"))
        runs += len(queues.stopped) == before
    return runs, queues


@pytest.mark.usefixtures("no_loops")
def test_the_seventeenth_run_of_a_function_in_a_chain_does_not_happen() -> None:
    runs, queues = runs_of_a_loop()
    assert (runs, queues.stopped) == (RUNS_MAX, [(FUNCTION, "feed")])


def test_a_function_that_may_loop_is_not_stopped() -> None:
    runs, queues = runs_of_a_loop()
    assert (runs, queues.stopped) == (3 * RUNS_MAX, [])


@pytest.mark.usefixtures("no_loops")
def test_a_chain_that_reaches_the_limit_becomes_a_dead_letter_and_the_rest_of_its_batch_runs() -> None:
    timeline = Timeline()
    queue = Queue("checks", timeline, random.Random(1))
    for number in range(2):
        queue.send(f"check {number}")
    looped, new = queue.messages
    looped.lineage = {"check_statements": RUNS_MAX}
    assert queue.receive_for("check_statements", 10) == [new]
    assert queue.dead == queue.stopped == [looped]
    # Put back, it begins a new chain.
    queue.redrive()
    assert queue.receive_for("check_statements", 10) == [looped]


@pytest.mark.usefixtures("no_loops")
def test_another_functions_runs_do_not_count() -> None:
    queue = Queue("checks", Timeline(), random.Random(1))
    queue.send("check")
    queue.messages[0].lineage = {"push_statements": 3 * RUNS_MAX}
    assert queue.receive_for("check_statements", 10)


def test_what_a_run_sends_continues_the_longest_chain_of_its_batch() -> None:
    lineages = [{"check_statements": 3, "push_statements": 7}, {"check_statements": 5}, {}]
    assert lineage_of_run("check_statements", lineages) == {"check_statements": 6, "push_statements": 7}
