"""The table's stream as Lambda passes it to a function: the events added to the outbox, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from pydantic import ValidationError

from feedlane.events.event import Event
from feedlane.events.relay import StreamedEvent

_OUTBOX = "EVENT#"
_plain = TypeDeserializer().deserialize


def events_in(batch: dict[str, Any], on_unreadable: Callable[[str], None]) -> Iterator[StreamedEvent]:
    """Each new event with its place in the stream. Other changes of the table are skipped.

    An unreadable event stays in the outbox and is reported by its key: it must not stop the events after it.
    """
    for record in batch["Records"]:
        change = record["dynamodb"]
        key = change["Keys"]
        if record["eventName"] != "INSERT" or not key["pk"]["S"].startswith(_OUTBOX):
            continue
        item = {name: _plain(value) for name, value in change["NewImage"].items()}
        try:
            event = Event.model_validate(item)
        except ValidationError:
            on_unreadable(f"{key['pk']['S']} {key['sk']['S']}")
            continue
        yield StreamedEvent(change["SequenceNumber"], event)
