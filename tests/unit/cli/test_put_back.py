"""Dead letters go back: events to the bus or to their queue, daily runs to their function."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from feedlane.aws.dead_letter_queue import DeadLetter
from feedlane.aws.put_back import NotPutBack, publish_again, rerun

EVENT = {"source": "feedlane", "detail-type": "bankFeeds.held", "detail": {"id": "event-1", "payload": {"amount": 1.5}}}
BATCH = {
    "shardId": "shard-1",
    "startSequenceNumber": "100",
    "endSequenceNumber": "140",
    "approximateArrivalOfFirstRecord": "2026-05-20T12:00:00Z",
    "approximateArrivalOfLastRecord": "2026-05-20T12:00:09Z",
    "batchSize": 3,
    "streamArn": "arn:stream",
}


class Aws:
    """Functions that keep what they are called with, and a stream with what a test puts into it."""

    def __init__(self, records: list[dict[str, Any]] | None = None) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.sent: list[tuple[str, str]] = []
        self.fails = False
        self.error = ""
        self._records = records or []

    def client(self, service: str) -> Any:
        assert service in {"lambda", "sqs"}
        return self

    def table_streams(self) -> Any:
        return self

    def queue_url(self, name: str) -> str:
        return name

    def function_name(self, name: str) -> str:
        return f"feedlane-{name}"

    def invoke(self, *, FunctionName: str, Payload: bytes, InvocationType: str = "RequestResponse") -> Any:  # noqa: N803
        self.calls.append((FunctionName, InvocationType, json.loads(Payload)))
        return {"FunctionError": "Unhandled"} if self.fails else {}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> Any:  # noqa: N803
        self.sent.append((QueueUrl, MessageBody))
        return {"MessageId": f"sent-{len(self.sent)}"}

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, "GetShardIterator")
        assert (asked["StreamArn"], asked["ShardId"]) == ("arn:stream", "shard-1")
        assert (asked["ShardIteratorType"], asked["SequenceNumber"]) == ("AT_SEQUENCE_NUMBER", "100")
        return {"ShardIterator": "0"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        """Two at once, as the stream answers in pages of its own."""
        at = int(ShardIterator)
        last = {} if at + 2 >= len(self._records) else {"NextShardIterator": str(at + 2)}
        return {"Records": self._records[at : at + 2]} | last


def letter(body: Any) -> DeadLetter:
    return DeadLetter("letter-1", "receipt", json.dumps(body), "", "", datetime(2026, 5, 20, tzinfo=UTC), "")


def record(sequence: int, pk: str = "EVENT#k/a", name: str = "INSERT") -> dict[str, Any]:
    change = {
        "Keys": {"pk": {"S": pk}, "sk": {"S": str(sequence)}},
        "NewImage": {"pk": {"S": pk}, "id": {"S": f"event-{sequence}"}},
        "SequenceNumber": str(sequence),
        "ApproximateCreationDateTime": datetime(2026, 5, 20, tzinfo=UTC),
    }
    return {"eventID": f"r-{sequence}", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}


def test_an_event_that_was_not_routed_goes_back_to_its_queue() -> None:
    """The rule and the queue park the event as it is."""
    aws = Aws()
    assert publish_again(aws, letter(EVENT)) == "sent-1"
    assert aws.sent == [("events", json.dumps(EVENT))]
    assert aws.calls == []


def test_what_is_no_event_stays() -> None:
    aws = Aws()
    with pytest.raises(NotPutBack, match="not an event"):
        publish_again(aws, letter({"other": 1}))
    assert aws.calls == []


def test_events_that_did_not_reach_the_bus_are_relayed_from_the_stream_in_order() -> None:
    records = [
        record(100),
        record(110, pk="FEED#k/a"),
        record(120),
        record(130, name="MODIFY"),
        record(140),
        record(150),
    ]
    aws = Aws(records)
    publish_again(aws, letter({"DDBStreamBatchInfo": BATCH}))
    [(function, kind, payload)] = aws.calls
    assert (function, kind) == ("feedlane-relay_events", "RequestResponse")
    assert [one["dynamodb"]["SequenceNumber"] for one in payload["Records"]] == ["100", "120", "140"]


def test_a_long_batch_goes_in_calls_that_a_function_takes() -> None:
    aws = Aws([record(100 + number) for number in range(25)])
    publish_again(aws, letter({"DDBStreamBatchInfo": BATCH}))
    assert [len(payload["Records"]) for _, _, payload in aws.calls] == [10, 10, 5]


def test_a_batch_that_the_bus_does_not_take_stays() -> None:
    aws = Aws([record(100)])
    aws.fails = True
    with pytest.raises(NotPutBack, match="did not accept"):
        publish_again(aws, letter({"DDBStreamBatchInfo": BATCH}))


def test_what_the_stream_has_forgotten_stays_and_is_told_where_to_find() -> None:
    aws = Aws()
    aws.error = "TrimmedDataAccessException"
    with pytest.raises(NotPutBack, match="EVENT#…, 2026-05-20T12:00:00Z to 2026-05-20T12:00:09Z"):
        publish_again(aws, letter({"DDBStreamBatchInfo": BATCH}))
    aws.error = "AccessDeniedException"
    with pytest.raises(ClientError):
        publish_again(aws, letter({"DDBStreamBatchInfo": BATCH}))


@pytest.mark.parametrize(("body", "payload"), [({"requestPayload": {"run": 1}}, {"run": 1}), ("{}", {})])
def test_a_daily_run_is_started_once_more(body: Any, payload: Any) -> None:
    aws = Aws()
    rerun("tend_connections")(aws, letter(body))
    assert aws.calls == [("feedlane-tend_connections", "Event", payload)]
