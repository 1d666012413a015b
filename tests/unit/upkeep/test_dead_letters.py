"""The watch tells how many messages are in the dead-letter queues."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.aws import clients, dead_letters
from feedlane.environment import Environment
from tests.stack.template import statements, variables_of

URLS = ("https://sqs/1/transactions-dead-letters.fifo", "https://sqs/1/events-dead-letters")


class FakeSQS:
    def __init__(self) -> None:
        self.counts = dict.fromkeys(URLS, 0)

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        [name] = request["AttributeNames"]
        return {"Attributes": {name: str(self.counts[request["QueueUrl"]])}}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSQS:
    fake, variables = FakeSQS(), Environment({"DEAD_LETTER_QUEUE_URLS": ",".join(URLS)})
    monkeypatch.setattr(clients, "client", lambda _: fake)
    monkeypatch.setattr(dead_letters, "environment", lambda: variables)
    return fake


def test_the_messages_of_all_dead_letter_queues_are_counted(sqs: FakeSQS) -> None:
    assert dead_letters.waiting() == 0
    sqs.counts = dict(zip(URLS, (3, 4), strict=True))
    assert dead_letters.waiting() == 7


def test_the_watch_may_ask_each_queue_that_it_is_to_count() -> None:
    _, counted = variables_of("tend_connections")["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"]  # type: ignore[index]
    [allowed] = [one for one in statements("tend_connections") if one["Action"] == "sqs:GetQueueAttributes"]
    assert [url["Ref"] for url in counted] == [arn["Fn::GetAtt"][0] for arn in allowed["Resource"]]
