"""The ways back for dead letters. Whoever gets one again recognises what it has done before.

A command that dies after sending and before removing sends the letter a second time when it is run again. SQS drops
that within five minutes by its deduplication id, and later the ledger, the feed or the delivery does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError

from cli.dead_letter_queue import Letter
from feedlane.ids import derived_id

# A batch of the stream has a hundred events; a call of a function takes six megabytes, an event has at most 0.4.
_EVENTS_AT_ONCE = 10


class Aws(Protocol):
    """The operator's AWS, and the stack's name in front of everything in it."""

    stack: str

    def client(self, service: str) -> Any: ...

    def queue_url(self, name: str) -> str: ...


Way = Callable[[Aws, Letter], str]
"""Puts a letter back; answers the new message's id, empty if there is none. Raises `NotPutBack`."""


class NotPutBack(Exception):
    """Why this letter has to stay where it is."""


def send_again(queue: str, body: Callable[[Letter], str] = lambda letter: letter.body) -> Way:
    """Onto the queue that it came from, in its group.

    The deduplication id is another than the message had, or SQS would drop it within five minutes; and the same each
    time this letter is put back.
    """

    def way(aws: Aws, letter: Letter) -> str:
        fifo = {"MessageGroupId": letter.group, "MessageDeduplicationId": derived_id("put back", letter.id)}
        more = fifo if queue.endswith(".fifo") else {}
        sent = aws.client("sqs").send_message(QueueUrl=aws.queue_url(queue), MessageBody=body(letter), **more)
        return str(sent["MessageId"])

    return way


def run_again(function: str) -> Way:
    """The function is started once more; if it fails again, another letter says so."""

    def way(aws: Aws, letter: Letter) -> str:
        payload = letter.json.get("requestPayload", letter.json)
        _start(aws, function, payload)
        return ""

    return way


def tell_again(aws: Aws, letter: Letter) -> str:
    """An event that was not routed goes back to its queue; events that did not reach the bus are relayed from the
    stream."""
    sent = letter.json
    if "DDBStreamBatchInfo" in sent:
        for some in _together(_in_stream(aws, sent["DDBStreamBatchInfo"])):
            _relay(aws, some)
        return ""
    if "detail" not in sent:
        raise NotPutBack("it is no event")
    return send_again("events")(aws, letter)


def _start(aws: Aws, function: str, payload: Any) -> None:
    aws.client("lambda").invoke(
        FunctionName=f"{aws.stack}-{function}", InvocationType="Event", Payload=json.dumps(payload).encode()
    )


def _relay(aws: Aws, records: list[dict[str, Any]]) -> None:
    """And waits for its end: a failure leaves no letter of its own."""
    answer = aws.client("lambda").invoke(
        FunctionName=f"{aws.stack}-relay_events", Payload=json.dumps({"Records": records}).encode()
    )
    if "FunctionError" in answer:
        raise NotPutBack("the bus did not take its events; try again later")


def _together(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    found = list(records)
    for at in range(0, len(found), _EVENTS_AT_ONCE):
        yield found[at : at + _EVENTS_AT_ONCE]


def _in_stream(aws: Aws, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The batch's new events, as Lambda would hand them over. The stream has them for a day."""
    streams, last = aws.client("dynamodbstreams"), int(batch["endSequenceNumber"])
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator is not None:
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                if record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["pk"]["S"].startswith("EVENT#"):
                    yield {name: record[name] for name in ("eventID", "eventName")} | {"dynamodb": _plain(record)}
            iterator = answer.get("NextShardIterator")
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"TrimmedDataAccessException", "ResourceNotFoundException"}:
            raise
        between = f"{batch.get('approximateArrivalOfFirstRecord')} to {batch.get('approximateArrivalOfLastRecord')}"
        raise NotPutBack(f"the stream has forgotten its events; the table keeps them as EVENT#…, {between}") from None


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Without what JSON does not know: the record's time."""
    return {name: value for name, value in record["dynamodb"].items() if name != "ApproximateCreationDateTime"}
