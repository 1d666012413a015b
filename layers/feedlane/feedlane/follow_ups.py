"""Follow-up messages, on `statement-checks`: what is looked at again later, each kind with what it needs.

Their JSON is what lies on the queue, also while a new version is deployed: `kind` and the names of fields stay, and a
field that is added needs a default.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from feedlane.record import Record


class StatementCheck(Record):
    """How does the statement fare? `turn` counts the checks; one whose turn is over asks nobody."""

    kind: Literal["statement"] = "statement"
    feed_id: str
    number: int
    turn: int = 0


class FeedConnectionCheck(Record):
    """Is the feed connection active? `turn` counts the checks, which come later and later."""

    kind: Literal["feedConnection"] = "feedConnection"
    feed_id: str
    turn: int = 0


class PushOperationCheck(Record):
    """Was the push rung for, and is its time over?"""

    kind: Literal["operation"] = "operation"
    feed_id: str
    operation_key: str
    company_id: str


class Wake(Record):
    """The feed may have something to send. `at` is what it was planned for, if it was planned."""

    kind: Literal["wake"] = "wake"
    feed_id: str
    at: str = ""


class WakeAll(Record):
    """All feeds may have something to send: those behind the connection `after`."""

    kind: Literal["wakeAll"] = "wakeAll"
    after: str = ""


class HoldCheck(Record):
    """Do the other feeds know of the hold that this feed met? Of a hold of the app, those behind `after`."""

    kind: Literal["hold"] = "hold"
    feed_id: str
    after: str = ""


class ReleaseCheck(Record):
    """Has the release of what holds this subject come to its end? Then its feeds are woken, those behind `after`."""

    kind: Literal["release"] = "release"
    scope: str
    subject: str
    after: str = ""


class RemovedAccountCheck(Record):
    """Has what waited in the feed of a removed account failed?"""

    kind: Literal["removed"] = "removed"
    feed_id: str


class OneOffAccessCheck(Record):
    """Has the connection's one-off access ended?"""

    kind: Literal["oneOffAccess"] = "oneOffAccess"
    company_id: str
    connection_id: str


class RecoveryCheck(Record):
    """Do the feeds of a connection that is well again go on?"""

    kind: Literal["connectionBack"] = "connectionBack"
    company_id: str
    connection_id: str


class LinkStartCheck(Record):
    """Has the customer come back from Xero? `link_state` is the fingerprint of the start's state."""

    kind: Literal["linkStart"] = "linkStart"
    link_state: str


ConnectionFollowUp = OneOffAccessCheck | RecoveryCheck | LinkStartCheck
FollowUp = (
    StatementCheck
    | FeedConnectionCheck
    | PushOperationCheck
    | Wake
    | WakeAll
    | HoldCheck
    | ReleaseCheck
    | RemovedAccountCheck
    | ConnectionFollowUp
)
_follow_ups: TypeAdapter[FollowUp] = TypeAdapter(Annotated[FollowUp, Field(discriminator="kind")])


def parse_follow_up(body: str | bytes) -> FollowUp:
    """Raises `ValueError` (pydantic's `ValidationError`) for what is not one of them."""
    return _follow_ups.validate_json(body)
