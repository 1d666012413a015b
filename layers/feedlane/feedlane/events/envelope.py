"""The envelope around every event: for webhooks as bytes, for the bus with what routing needs beside it."""

from __future__ import annotations

from typing import Any

from feedlane import money
from feedlane.clock import iso
from feedlane.events.event import Event

Json = dict[str, Any]


def envelope(event: Event) -> Json:
    """Codat's envelope: the one place that knows its shape."""
    return {
        "id": event.id,
        "eventType": event.type,
        "generatedDate": iso(event.time),
        "payload": event.payload,
    }


def webhook_body(event: Event) -> bytes:
    """A webhook's bytes. The same for the same event, however often they are made."""
    return money.dumps(envelope(event)).encode()


def bus_detail(event: Event) -> str:
    """The detail of the event on the bus. `feedlane` is for routing, and in no webhook."""
    routing = {"subject": event.subject, "companyId": event.company_id, "companyTags": event.company_tags}
    return money.dumps(envelope(event) | {"feedlane": routing})


def event_from_detail(detail: Json) -> Event:
    """The event that a detail tells of, without its payload: the outbox has that digit for digit."""
    routing = detail["feedlane"]
    return Event(
        id=detail["id"],
        type=detail["eventType"],
        subject=routing["subject"],
        time=detail["generatedDate"],
        company_id=routing["companyId"],
        company_tags=routing["companyTags"],
        payload={},
    )
