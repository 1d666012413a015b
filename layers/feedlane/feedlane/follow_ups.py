"""Follow-up messages on `statement-checks`: what to check later, each kind with the fields that it needs.

Their JSON is on the queue while a new version is deployed: `kind` and the names of fields stay, and a new field needs a
default.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from feedlane.record import Record


class _Message(Record):
    """Validators are built at the first message, not at import: most functions only send follow-ups."""

    model_config = ConfigDict(defer_build=True)


class StatementCheck(_Message):
    """Has Xero ended the statement? `turn` counts the checks; a check whose turn has passed makes no call.

    `once`: the watch asks, and comes back by itself, so this check is put off for one delay of SQS at most.
    """

    kind: Literal["statement"] = "statement"
    feed_id: str
    number: int
    turn: int = 0
    once: bool = False


class FeedConnectionCheck(_Message):
    """Is the feed connection active? `turn` counts the checks; the delay grows with it.

    `once`: whoever asks comes back by itself, so this check is followed by no other.
    """

    kind: Literal["feedConnection"] = "feedConnection"
    feed_id: str
    turn: int = 0
    once: bool = False


class PushOperationCheck(_Message):
    """Was `transactions.fifo` notified of the push, and has the push timed out?

    `once`: whoever asks comes back by itself, so this check is followed by no other.
    """

    kind: Literal["operation"] = "operation"
    feed_id: str
    operation_key: str
    company_id: str
    once: bool = False


class Wake(_Message):
    """The feed may have something to send. `at` is the time of the planned wake-up, if it was planned."""

    kind: Literal["wake"] = "wake"
    feed_id: str
    at: str = ""


class WakeAll(_Message):
    """All feeds may have something to send: those of the connections after `after`."""

    kind: Literal["wakeAll"] = "wakeAll"
    after: str = ""


class HoldCheck(_Message):
    """Have the other feeds under the hold that stopped this feed been woken? For the app: those after `after`."""

    kind: Literal["hold"] = "hold"
    feed_id: str
    after: str = ""


class ReleaseCheck(_Message):
    """Is the release of the hold on this subject complete? Then its feeds are woken, those after `after`."""

    kind: Literal["release"] = "release"
    scope: str
    subject: str
    after: str = ""


class RemovedAccountCheck(_Message):
    """Have the open push operations of a removed account's feed failed?"""

    kind: Literal["removed"] = "removed"
    feed_id: str


class OneOffAccessCheck(_Message):
    """Has the connection's one-off access ended?"""

    kind: Literal["oneOffAccess"] = "oneOffAccess"
    company_id: str
    connection_id: str


class RecoveryCheck(_Message):
    """Do the feeds of a recovered connection send again?"""

    kind: Literal["connectionBack"] = "connectionBack"
    company_id: str
    connection_id: str


class UpstreamChangeCheck(_Message):
    """Can the change of the connection's upstream go on?"""

    kind: Literal["upstreamChange"] = "upstreamChange"
    company_id: str
    connection_id: str


ConnectionFollowUp = OneOffAccessCheck | RecoveryCheck | UpstreamChangeCheck
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


@cache
def _adapter() -> TypeAdapter[FollowUp]:
    return TypeAdapter(Annotated[FollowUp, Field(discriminator="kind")])


def parse_follow_up(body: str | bytes) -> FollowUp:
    """Raises `ValueError` (pydantic's `ValidationError`) if the body is not a follow-up message."""
    return _adapter().validate_json(body)
