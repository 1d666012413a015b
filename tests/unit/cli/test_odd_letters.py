"""Whatever a dead letter has, it can be listed, and nothing of its content is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.aws.dead_letter_queue import DeadLetter
from feedlane.wiring.dead_letters import KINDS, Concern

SECRET = {"name": "canary"}
ODD: tuple[Any, ...] = (
    None, "canary", [SECRET], {},
    {"companyId": SECRET, "transactions": [SECRET], "connectionId": [1], "accountId": "canary " * 200},
    {"companyId": "é canary", "pushOperationKey": SECRET},
    {"feedId": SECRET}, {"feedId": "/"}, {"feed_id": 7, "kind": SECRET, "number": SECRET},
    {"consumerId": SECRET, "eventId": [SECRET]}, {"consumerId": "c", "replayId": SECRET},
    {"detail": "canary", "detail-type": SECRET}, {"detail": {"id": SECRET, "feedlane": "canary"}},
    {"DDBStreamBatchInfo": "canary"}, {"DDBStreamBatchInfo": {"batchSize": SECRET}},
    {"requestPayload": "canary"}, {"requestPayload": SECRET},
)  # fmt: skip


def letter(body: Any, **more: Any) -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {"SentTimestamp": "1000", "ApproximateReceiveCount": "7"}
    return DeadLetter.of({"MessageId": "1", "ReceiptHandle": "r", "Body": text, "Attributes": attributes} | more)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("body", ODD, ids=str)
def test_any_body_can_be_described_and_shows_no_content(kind: Any, body: Any) -> None:
    told = kind.describe(letter(body)), kind.concern(letter(body))
    assert "canary" not in str(told)
    assert len(str(told)) < 500


@pytest.mark.parametrize(
    "attribute",
    [{"DataType": "Binary", "BinaryValue": b"x"}, {"DataType": "String", "StringValue": "y" * 9_000}, {}],
)
def test_a_reason_that_a_producer_has_made_up_is_no_trouble(attribute: dict[str, Any]) -> None:
    found = letter({}, MessageAttributes={"reason": attribute})
    assert len(found.reason) <= 1_000
    assert found.receives == 7


@pytest.mark.parametrize(
    ("kind", "body", "concern"),
    [
        ("transactions", {"companyId": "c", "connectionId": "k", "accountId": "a"}, Concern("c", "k", "a")),
        ("statements", {"feedId": "k/a/b"}, Concern("", "k", "a/b")),
        ("checks", {"kind": "statement", "feed_id": "k/a", "number": 1}, Concern("", "k", "a")),
        ("checks", {"kind": "oneOffAccess", "company_id": "c", "connection_id": "k"}, Concern("c", "k")),
        ("deliveries", {"consumerId": "w", "eventId": "e"}, Concern(consumer_id="w", event_id="e")),
        ("events", {"detail": {"id": "e", "feedlane": {"companyId": "c"}}}, Concern("c")),
        ("schedule", {"watch": True}, Concern()),
    ],
)
def test_the_ids_that_a_letter_names_are_found(kind: str, body: Any, concern: Concern) -> None:
    assert KINDS[kind].concern(letter(body)) == concern


def test_a_replay_is_called_one() -> None:
    assert KINDS["deliveries"].describe(letter({"consumerId": "w", "replayId": "r"})) == "replay r for consumer w"
