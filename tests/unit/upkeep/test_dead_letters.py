"""The watch tells how many messages are in the dead-letter queues."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from feedlane.aws import clients, dead_letters, metrics
from feedlane.environment import Environment
from feedlane.errors import Unavailable
from feedlane.store.store import Store
from feedlane.upkeep import dead_letter_count
from feedlane.upkeep.dead_letter_count import DeadLetterCount
from feedlane.upkeep.watch import Watch
from feedlane.wiring import functions as wiring
from tests.builders import NOW
from tests.fakes.table import MemoryTable
from tests.handlers import Context, load
from tests.stack.template import statements, variables_of
from tests.worlds.app_keys import World
from tests.worlds.vault import CLIENT_ID, SECRET

URLS = (
    "https://sqs/1/feedlane-transactions-dead-letters.fifo",
    "https://sqs/1/feedlane-events-dead-letters",
    "https://sqs/1/feedlane-schedule-dead-letters",
)


class FakeSQS:
    def __init__(self) -> None:
        self.counts = dict.fromkeys(URLS, 0)
        self.hidden = dict.fromkeys(URLS, 0)

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        counts = {
            "ApproximateNumberOfMessages": str(self.counts[request["QueueUrl"]]),
            "ApproximateNumberOfMessagesNotVisible": str(self.hidden[request["QueueUrl"]]),
        }
        return {"Attributes": {name: counts[name] for name in request["AttributeNames"]}}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSQS:
    fake, variables = FakeSQS(), Environment({"DEAD_LETTER_QUEUE_URLS": ",".join(URLS)})
    monkeypatch.setattr(clients, "client", lambda _: fake)
    monkeypatch.setattr(dead_letters, "environment", lambda: variables)
    return fake


def test_the_messages_of_all_dead_letter_queues_are_counted(sqs: FakeSQS) -> None:
    assert dead_letters.waiting().total == 0
    sqs.counts = dict(zip(URLS, (3, 4, 0), strict=True))
    assert dead_letters.waiting() == (7, 7)


def test_a_message_that_somebody_looks_at_is_counted_all_the_same(sqs: FakeSQS) -> None:
    sqs.hidden[URLS[1]] = 2
    assert dead_letters.waiting() == (2, 2)


def test_those_of_the_schedules_are_counted_and_raise_no_second_alarm(sqs: FakeSQS) -> None:
    sqs.counts = dict(zip(URLS, (3, 4, 5), strict=True))
    assert dead_letters.waiting() == (12, 7)


def test_the_count_is_kept_with_the_time_when_the_first_one_was_counted() -> None:
    store = Store(MemoryTable())
    for minutes, total in ((0, 0), (10, 3), (20, 3), (30, 5)):
        dead_letter_count.note_count(store, total, NOW + timedelta(minutes=minutes))
    assert dead_letter_count.last_count(store) == DeadLetterCount(total=5, since=NOW + timedelta(minutes=10))
    dead_letter_count.note_count(store, 0, NOW + timedelta(minutes=40))
    assert dead_letter_count.last_count(store) == DeadLetterCount()


def _run_watch(monkeypatch: pytest.MonkeyPatch, told: list[int]) -> World:
    """The watch finds three dead letters, one of them of a schedule."""
    world, app = World(), load("tend_connections")
    world.save(CLIENT_ID, SECRET)
    watch = Watch(world.ports, world.vault(), None)  # type: ignore[arg-type]
    app.dead_letters = SimpleNamespace(waiting=lambda: dead_letters.Waiting(3, 2))  # type: ignore[attr-defined]
    monkeypatch.setattr(metrics, "record_dead_letters", told.append)
    monkeypatch.setattr(wiring, "watch", lambda: watch)
    app.handler({"watch": True}, Context(seconds_left=300))
    return world


def test_the_watch_keeps_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    world = _run_watch(monkeypatch, told)
    assert dead_letter_count.last_count(world.store).total == 3
    assert told == [2]


def test_the_watch_goes_on_if_the_count_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The table is not available", 2)

    told: list[int] = []
    monkeypatch.setattr(dead_letter_count, "note_count", away)
    _run_watch(monkeypatch, told)
    assert told == [2]


def test_the_watch_may_ask_each_queue_that_it_is_to_count() -> None:
    _, counted = variables_of("tend_connections")["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"]  # type: ignore[index]
    [allowed] = [one for one in statements("tend_connections") if one["Action"] == "sqs:GetQueueAttributes"]
    assert [url["Ref"] for url in counted] == [arn["Fn::GetAtt"][0] for arn in allowed["Resource"]]
