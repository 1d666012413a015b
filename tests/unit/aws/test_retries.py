"""How often a message is received again, and in which order: an outage makes no dead letter, and nothing starves."""

from __future__ import annotations

from itertools import count, takewhile
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from feedlane.aws import batch
from tests.handlers import sample
from tests.stack.template import of_type, queue_settings

DAY, LONG_WEEKEND = 86_400, 4 * 86_400
SOURCES = [name for name, queue in of_type("AWS::SQS::Queue").items() if "RedrivePolicy" in queue["Properties"]]
DEAD_LETTERS = [name for name in of_type("AWS::SQS::Queue") if name not in SOURCES]


@pytest.mark.parametrize("queue", SOURCES)
def test_an_outage_of_a_day_uses_up_less_than_half_of_a_messages_receives(queue: str) -> None:
    """The rest is for what had no time before."""
    receives, seconds = 0, 0
    while seconds < DAY:
        receives += 1
        seconds += batch.retry_pause_seconds(receives)
    assert 2 * receives < queue_settings(queue).receives_max


@pytest.mark.parametrize("queue", SOURCES)
def test_a_message_is_given_up_before_its_queue_drops_it(queue: str) -> None:
    """Even if each receive ends in a crash. What is in no queue can never be put back."""
    settings = queue_settings(queue)
    assert settings.receives_max * settings.visibility_seconds + LONG_WEEKEND < settings.retention_seconds


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_dead_letters_are_kept_as_long_as_sqs_can(queue: str) -> None:
    assert queue_settings(queue).retention_seconds == 14 * DAY


def test_every_pause_ends_within_the_twenty_minutes_in_which_all_is_looked_at() -> None:
    pauses = [batch.retry_pause_seconds(receives) for receives in range(1, 1001)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert max(pauses) == pauses[-1] == 300


def records(*receives: int, groups: str = "") -> dict[str, Any]:
    """Records with so many receives each, the oldest first."""
    [raw] = sample("record_transactions")["Records"][:1]
    made = []
    for number, received in enumerate(receives):
        attributes = raw["attributes"] | {
            "ApproximateReceiveCount": str(received),
            "SentTimestamp": str(1_000_000 + number),
            "MessageGroupId": groups[number] if groups else "",
        }
        made.append(raw | {"messageId": f"m{number}", "receiptHandle": f"r{number}", "attributes": attributes})
    return {"Records": made}


def ignore(*_: Any) -> None:
    return None


def test_what_was_received_most_often_goes_first_and_the_oldest_of_these() -> None:
    seen: list[str] = []
    event = records(1, 3, 1, 3)
    batch.one_by_one(event, lambda record: seen.append(record.id), ignore, Logger(), lambda: 60_000)
    assert seen == ["m1", "m3", "m0", "m2"]


def test_of_groups_received_equally_often_the_oldest_goes_first_and_keeps_its_order() -> None:
    seen: list[list[str]] = []
    event = records(1, 1, 1, 1, groups="zazb")
    batch.by_group(event, lambda group: seen.append([r.id for r in group]), ignore, Logger(), lambda: 60_000)
    assert seen == [["m0", "m2"], ["m1"], ["m3"]]


def test_a_message_without_time_has_its_turn_before_fresh_ones() -> None:
    """One message of a batch has time. A message that had none is first as soon as it is received again."""
    waiting, receives = 0, count(1)
    seen: list[str] = []
    times = iter((60_000, 0) * 20)
    for received in takewhile(lambda number: not seen or "m1" not in seen, receives):
        waiting = received
        event = records(1, received)
        batch.one_by_one(event, lambda record: seen.append(record.id), ignore, Logger(), lambda: next(times))
    assert waiting <= 2
