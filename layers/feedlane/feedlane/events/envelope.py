"""The envelope of every event: as bytes for webhooks, with the fields that routing needs for the bus."""

from __future__ import annotations

from typing import Any

from feedlane import money
from feedlane.clock import iso
from feedlane.events.event import Event

Json = dict[str, Any]


def envelope(event: Event) -> Json:
    """Codat's envelope. Only this function knows its shape."""
    return {
        "id": event.id,
        "eventType": event.type,
        "generatedDate": iso(event.time),
        "payload": event.payload,
    }


def webhook_body(event: Event) -> bytes:
    """A webhook's bytes: always the same for the same event."""
    return money.dumps(envelope(event)).encode()


def bus_detail(event: Event) -> str:
    """The event's detail on the bus. `feedlane` is for routing; webhooks do not have it."""
    routing = {"subject": event.subject, "companyId": event.company_id, "companyTags": event.company_tags}
    return money.dumps(envelope(event) | {"feedlane": routing})


def event_from_detail(detail: Json) -> Event:
    """The event of a detail, without its payload: the outbox has that digit for digit."""
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
