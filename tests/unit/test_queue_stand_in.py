"""The stand-in for SQS counts receives, blocks a group and drops what is too old, as the template's queues do."""

from __future__ import annotations

import random
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from tests.chaos.outages import DAY
from tests.chaos.sqs import Message, Queue
from tests.chaos.timeline import Timeline
from tests.stack.template import queue_settings

GROUPS = 10
# How long a call takes while its service hangs, with the client's own retries.
HANGS_SECONDS = 30.0
FUNCTION_SECONDS = 60.0
RECEIVES_MAX = queue_settings("StatementsQueue").receives_max


class Function:
    """Handles batches of `statements.fifo`. Until `up`, each call hangs and then fails."""

    def __init__(self, up: float) -> None:
        self.timeline = Timeline()
        self.queue = Queue("statements.fifo", self.timeline, random.Random(1))
        self.done: dict[str, float] = {}
        self._up = up

    def run_until(self, seconds: float) -> None:
        while self.timeline.seconds < seconds and self.queue.messages:
            if messages := self.queue.receive(GROUPS):
                self._invoke(messages)
            else:
                self.timeline.seconds += 1

    def _invoke(self, messages: list[Message]) -> None:
        began, receipts = self.timeline.seconds, {message.id: message.receipt for message in messages}

        def time_left() -> int:
            return int(1000 * (FUNCTION_SECONDS - (self.timeline.seconds - began)))

        def handle(records: list[batch.SqsRecord]) -> None:
            if self.timeline.seconds < self._up:
                self.timeline.seconds += HANGS_SECONDS
                raise TimeoutError
            self.done |= {record.body: self.timeline.seconds for record in records}

        def postpone(record: batch.SqsRecord, pause: int) -> None:
            self.queue.hide_received(record.receipt, pause)

        event: Any = {"Records": [message.record() for message in messages]}
        logger = Logger(service="stand-in", level="CRITICAL")
        answer = batch.by_group(event, handle, postpone, logger, time_left)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in messages:
            if message.id not in failed:
                self.queue.delete(message, receipts[message.id])


def test_nothing_becomes_a_dead_letter_in_a_day_of_calls_that_hang_and_all_go_soon_after() -> None:
    """Most messages of each batch have no time, again and again."""
    function = Function(up=DAY)
    for number in range(GROUPS):
        function.queue.send(str(number), f"group-{number}", str(number))
    function.run_until(2 * DAY)
    assert function.queue.exhausted == []
    assert len(function.done) == GROUPS
    assert max(function.done.values()) - DAY < 20 * 60


def test_a_group_keeps_its_order_whatever_was_received_how_often() -> None:
    function = Function(up=600)
    for number in range(6):
        function.queue.send(str(number), "group", str(number))
        function.run_until(function.timeline.seconds + 40)
    function.run_until(DAY)
    assert list(function.done) == [str(number) for number in range(6)]


def test_what_is_received_too_often_becomes_a_dead_letter_and_is_counted() -> None:
    function = Function(up=100 * DAY)
    function.queue.send("poison", "group", "poison")
    function.run_until(100 * DAY)
    assert [message.body for message in function.queue.exhausted] == ["poison"]
    # Three days of weekend and nobody there.
    assert function.timeline.seconds > 3 * DAY
    assert function.queue.dead[0].receives == RECEIVES_MAX + 1


def test_what_is_older_than_its_queue_keeps_it_is_gone() -> None:
    function = Function(up=0)
    function.queue.send("old", "group", "old")
    function.timeline.seconds += queue_settings("StatementsQueue").retention_seconds + 1
    assert function.queue.receive(10) == []
    assert [message.body for message in function.queue.expired] == ["old"]


def test_receives_that_must_fail_are_passed_over_at_the_pace_of_the_last_one() -> None:
    function = Function(up=DAY)
    function.queue.send("x", "group", "x")
    [message] = function.queue.messages
    message.receives, message.visible = 20, 300.0
    function.queue.pass_time([message], DAY)
    assert message.receives == 20 + int(DAY / 300)
    assert DAY - 300 <= message.visible <= DAY + 300
