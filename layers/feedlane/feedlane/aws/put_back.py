"""Puts dead letters back. Every receiver recognises what it has already processed.

Whoever dies between sending and removing a message leaves it to be sent again. Within five minutes SQS
drops the copy by its deduplication id; after that the ledger, the feed or the delivery does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError

from feedlane.aws.dead_letter_queue import DeadLetter
from feedlane.ids import derived_id

# A stream batch has up to 100 events of up to 0.4 MB; a function call takes 6 MB.
_EVENTS_PER_CALL_MAX = 10


class Aws(Protocol):
    """Access to AWS: the operator's own, or a function's. Names are without the stack's prefix.

    What somebody has no access to raises `NotPutBack`.
    """

    def client(self, service: str) -> Any: ...

    def table_streams(self) -> Any:
        """The client that reads the table's stream."""

    def queue_url(self, name: str) -> str: ...

    def function_name(self, name: str) -> str:
        """How calls name the function: its name in AWS, or its ARN."""


PutBack = Callable[[Aws, DeadLetter], str]
"""Puts a message back; returns the new message's id, or an empty string. Raises `NotPutBack`."""


class NotPutBack(Exception):
    """The message has to stay in its dead-letter queue, for this reason."""


def requeue_to(queue: str, body: Callable[[DeadLetter], str] = lambda letter: letter.body) -> PutBack:
    """Sends the message to the queue it came from, in its group.

    The deduplication id differs from the original's, or SQS would drop the message within five minutes. It is the
    same each time the message is put back.
    """

    def put_back(aws: Aws, letter: DeadLetter) -> str:
        fifo = {"MessageGroupId": letter.group, "MessageDeduplicationId": derived_id("put back", letter.id)}
        attributes = fifo if queue.endswith(".fifo") else {}
        sent = aws.client("sqs").send_message(QueueUrl=aws.queue_url(queue), MessageBody=body(letter), **attributes)
        return str(sent["MessageId"])

    return put_back


def rerun(function: str) -> PutBack:
    """Starts the function again. If it fails again, that leaves a new dead letter."""

    def put_back(aws: Aws, letter: DeadLetter) -> str:
        payload = letter.json.get("requestPayload", letter.json)
        _start(aws, function, payload)
        return ""

    return put_back


def publish_again(aws: Aws, letter: DeadLetter) -> str:
    """Returns an unrouted event to its queue; relays events that did not reach the bus from the stream."""
    event = letter.json
    if letter.is_of_the_stream:
        for records in _chunks(_stream_records(aws, event["DDBStreamBatchInfo"])):
            _relay(aws, records)
        return ""
    if "detail" not in event:
        raise NotPutBack("it is not an event")
    return requeue_to("events")(aws, letter)


def _start(aws: Aws, function: str, payload: Any) -> None:
    aws.client("lambda").invoke(
        FunctionName=aws.function_name(function), InvocationType="Event", Payload=json.dumps(payload).encode()
    )


def _relay(aws: Aws, records: list[dict[str, Any]]) -> None:
    """Waits for the result: a failed relay leaves no dead letter of its own."""
    answer = aws.client("lambda").invoke(
        FunctionName=aws.function_name("relay_events"), Payload=json.dumps({"Records": records}).encode()
    )
    if "FunctionError" in answer:
        raise NotPutBack("the event bus did not accept its events; try again later")


def _chunks(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = list(records)
    for start in range(0, len(batch), _EVENTS_PER_CALL_MAX):
        yield batch[start : start + _EVENTS_PER_CALL_MAX]


def _stream_records(aws: Aws, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The batch's new events, in the form Lambda delivers. The stream keeps them for a day."""
    streams, last = aws.table_streams(), int(batch["endSequenceNumber"])
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
        period = f"{batch.get('approximateArrivalOfFirstRecord')} to {batch.get('approximateArrivalOfLastRecord')}"
        raise NotPutBack(
            f"the stream no longer has its events; find them in the table under EVENT#…, {period}"
        ) from None


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Leaves out the record's time, which JSON cannot carry."""
    return {name: value for name, value in record["dynamodb"].items() if name != "ApproximateCreationDateTime"}
