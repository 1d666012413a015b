"""A company: the platform's customer, a business."""

from __future__ import annotations

import re
from datetime import datetime

from feedlane.companies.connection import UpstreamName
from feedlane.errors import Invalid
from feedlane.record import Record

TAGS_MAX = 10
# Lists show every company with all of its connections.
CONNECTIONS_MAX = 50
_FORBIDDEN_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")


class Company(Record):
    """`connection_ids` are its connections; `block` is its place in the list of companies (`store/blocks.py`).

    `upstream` is that of its next connections; None: as the settings say.
    """

    id: str
    name: str
    description: str | None = None
    tags: dict[str, str] = {}
    upstream: UpstreamName | None = None
    created: datetime
    connection_ids: tuple[str, ...] = ()
    block: int = 0
    version: int = 1


def clean_name(name: str) -> str:
    """The name without the characters that Codat strips. Raises `Invalid` if nothing is left, or more than 255."""
    cleaned = _FORBIDDEN_IN_NAMES.sub("", name).strip()
    if not cleaned:
        raise Invalid.field("name", "must contain at least one letter or digit", "Required")
    if len(cleaned) > 255:
        raise Invalid.field("name", "must have at most 255 characters", "MaximumLength")
    return cleaned


def check_upstream(name: str | None) -> UpstreamName | None:
    """Raises `Invalid` for an upstream that there is not."""
    if name is None or name in list(UpstreamName):
        return None if name is None else UpstreamName(name)
    raise Invalid.field("upstream", f"must be {' or '.join(UpstreamName)}, or null: as the settings say", "Enum")


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """A copy of the tags. Raises `Invalid` above 10 tags, 27 characters in a key, or 100 in a value."""
    if len(tags) > TAGS_MAX:
        raise Invalid.field("tags", f"must have at most {TAGS_MAX} tags", "MaximumCount")
    for key, value in tags.items():
        if not 1 <= len(key) <= 27:
            raise Invalid.field(f"tags.{key}", "must have a key of 1 to 27 characters", "MaximumLength")
        if len(value) > 100:
            raise Invalid.field(f"tags.{key}", "must have a value of at most 100 characters", "MaximumLength")
    return dict(tags)
