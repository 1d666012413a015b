"""The table's stream, as Lambda hands it over: the events that were put into the outbox, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from feedlane.event import Event
from feedlane.relaying import Captured

_OUTBOX = "EVENT#"
_plain = TypeDeserializer().deserialize


def events_in(batch: dict[str, Any]) -> Iterator[Captured]:
    """Each new event with its place in the stream. The table's other changes are passed over."""
    for record in batch["Records"]:
        change = record["dynamodb"]
        if record["eventName"] != "INSERT" or not change["Keys"]["pk"]["S"].startswith(_OUTBOX):
            continue
        item = {name: _plain(value) for name, value in change["NewImage"].items()}
        yield Captured(change["SequenceNumber"], Event.model_validate(item))
