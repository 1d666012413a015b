"""A consumer: a webhook endpoint of the platform, and which events it wants."""

from __future__ import annotations

from datetime import datetime

from feedlane.events.event import TEST, Event
from feedlane.record import Record

CONSUMERS_MAX = 50


class Consumer(Record):
    """No event types means all of them; `company_tags` are `key:value`, any match is enough.

    What concerns no one company (a refusal of the app, the connection limit) passes every filter of tags.

    The signing secret is not here, nor are the values of its headers: the vault has them.
    """

    id: str
    url: str
    event_types: tuple[str, ...] = ()
    company_tags: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()
    disabled: bool = False
    disabled_because: str = ""
    """By itself: "gone" (it answered 410) or "failing" (for days). By somebody: "asked"."""
    created: datetime
    secret_rotated: datetime | None = None
    failing_since: datetime | None = None
    version: int = 1

    @property
    def subject(self) -> str:
        """What the events about it are ordered by."""
        return f"consumer/{self.id}"

    def wants(self, event: Event) -> bool:
        """Whether its filters let the event through. While it is disabled, its deliveries are kept for it."""
        if event.type == TEST:
            return event.subject == self.subject
        if self.event_types and event.type not in self.event_types:
            return False
        tags = {f"{key}:{value}" for key, value in event.company_tags.items()}
        of_everybody = event.company_id is None
        return not self.company_tags or of_everybody or bool(tags & set(self.company_tags))
