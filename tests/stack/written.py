"""Everything that a deployed system has written, but for its secrets: logs, items, events, messages, configurations."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from boto3.dynamodb.types import Binary, TypeDeserializer

from local.instance import STACK, Instance

_plain = TypeDeserializer().deserialize


class Written(NamedTuple):
    """One thing, as the bytes that were written, and where it is."""

    where: str
    content: bytes


def everything(instance: Instance) -> Iterator[Written]:
    for look in LOOKS:
        yield from look(instance)


def log_events(instance: Instance) -> Iterator[Written]:
    """What CloudWatch Logs has of all functions and of the API."""
    client = instance.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for found in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from (Written(f"log {name}", event["message"].encode()) for event in found["events"])


def log_files(instance: Instance) -> Iterator[Written]:
    """What the processes of the local system print, functions among them."""
    for file in sorted(instance.logs.glob("*.log")):
        with file.open("rb") as lines:
            yield from (Written(f"file {file.name}", line) for line in lines)


def items(instance: Instance) -> Iterator[Written]:
    client = instance.client("dynamodb")
    table = instance.outputs()["TableName"]
    for page in client.get_paginator("scan").paginate(TableName=table):
        yield from (Written(f"item {item['pk']['S']}", _bytes(item)) for item in page["Items"])


def items_of_the_past(instance: Instance) -> Iterator[Written]:
    """Every version of every item that was ever written, also of those that are gone: the table's stream."""
    table = instance.client("dynamodb").describe_table(TableName=instance.outputs()["TableName"])["Table"]
    client, stream = instance.client("dynamodbstreams"), table["LatestStreamArn"]
    for shard in client.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            found = client.get_records(ShardIterator=iterator)
            for record in found["Records"]:
                image = record["dynamodb"].get("NewImage", {})
                yield Written(f"change of {record['dynamodb']['Keys']['pk']['S']}", _bytes(image))
            iterator = found.get("NextShardIterator") if found["Records"] else None


def messages(instance: Instance) -> Iterator[Written]:
    """Those that wait in any queue, dead-letter queues too. They come back after a while."""
    client = instance.client("sqs")
    for url in client.list_queues(QueueNamePrefix=STACK).get("QueueUrls", []):
        seen: set[str] = set()
        while True:
            answer = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30, MessageAttributeNames=["All"]
            )
            new = [one for one in answer.get("Messages", []) if one["MessageId"] not in seen]
            if not new:
                break
            seen |= {one["MessageId"] for one in new}
            yield from (Written(f"queue {url.rpartition('/')[2]}", json.dumps(one).encode()) for one in new)


def configurations(instance: Instance) -> Iterator[Written]:
    """Of the stack and its functions, environment variables included."""
    functions = instance.client("lambda").list_functions()["Functions"]
    yield from (Written(f"function {one['FunctionName']}", json.dumps(one, default=str).encode()) for one in functions)
    stack = instance.client("cloudformation").describe_stacks(StackName=STACK)
    yield Written("stack", json.dumps(stack["Stacks"], default=str).encode())


LOOKS: tuple[Callable[[Instance], Iterator[Written]], ...] = (
    log_events,
    log_files,
    items,
    items_of_the_past,
    messages,
    configurations,
)


def _bytes(image: dict[str, Any]) -> bytes:
    """An item's texts, with what is compressed in it unpacked."""
    parts = []
    for name, value in image.items():
        plain = _plain(value)
        if isinstance(plain, Binary):
            plain = _unpacked(bytes(plain))
        parts.append(f"{name}={plain}")
    return "\n".join(parts).encode()


def _unpacked(raw: bytes) -> str:
    with suppress(zlib.error):
        raw = zlib.decompress(raw)
    return raw.decode(errors="replace")
