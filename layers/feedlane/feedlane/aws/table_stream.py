"""The table's stream as Lambda passes it to a function: the events added to the outbox, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from feedlane.events.event import Event
from feedlane.events.relay import StreamedEvent

_OUTBOX = "EVENT#"
_plain = TypeDeserializer().deserialize


def events_in(batch: dict[str, Any], on_unreadable: Callable[[str, str], None]) -> Iterator[StreamedEvent]:
    """Each new event with its place in the stream. Other changes of the table are skipped.

    An unreadable event stays in the outbox and is reported by its key, with the reason: it must not stop the events
    after it.
    """
    for record in batch["Records"]:
        change = record["dynamodb"]
        key = change["Keys"]
        if record["eventName"] != "INSERT" or not key["pk"]["S"].startswith(_OUTBOX):
            continue
        try:
            event = Event.model_validate({name: _plain(value) for name, value in change["NewImage"].items()})
        except (ValueError, TypeError, RecursionError) as error:
            # The class of the error, not its text, which quotes the item.
            on_unreadable(f"{key['pk']['S']} {key['sk']['S']}", f"it cannot be read: {type(error).__name__}")
            continue
        yield StreamedEvent(change["SequenceNumber"], event)
