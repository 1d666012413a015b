"""What the checks know of an upstream: its books, what it was asked, and what it has refused.

One shape for all upstreams: the world of each has its own `Books`. A rule that only one upstream has is one of its
`own_rules`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

from feedlane.store.table import Key
from tests.chaos.refusals import Refusal

if TYPE_CHECKING:
    from tests.chaos.transport import Call
    from tests.chaos.world import Place


class Booked(NamedTuple):
    """A line in an account at Xero, under the platform's own id."""

    account_id: str
    transaction_id: str
    amount: Decimal


class ReceivedLine(NamedTuple):
    """A line as it was sent. `arrived`: this statement brought it. `dropped`: the upstream took it for a known one."""

    id: str
    day: str
    amount: Decimal
    arrived: bool
    dropped: bool

    @property
    def own_id(self) -> str:
        """The platform's id of a line that was sent under another, because Xero kept the first."""
        return own_id(self.id)


@dataclass(frozen=True)
class Received:
    """A statement that the upstream has accepted. Until `ended_at`, the feed may have no other one there."""

    feed_connection_id: str
    lines: Sequence[ReceivedLine]
    opening: Decimal
    closing: Decimal
    received_at: datetime
    ended_at: datetime
    is_delivered: bool


class Post(NamedTuple):
    """A statement as it was posted. `request` has the bytes of the frozen intent."""

    key: str
    request: bytes
    was_stored: bool


class Books(Protocol):
    name: str
    reasons: Mapping[str, Collection[str]]
    """By reason of a hold, the types of refusal that it may have for its cause."""
    app_subject: str
    """Under which the not-before time of all tenants is stored."""

    @property
    def calls_per_minute_max(self) -> int:
        """Of one tenant."""

    @property
    def knows_lines_by_id(self) -> bool:
        """False if a line that it never had may be dropped for its content."""

    @property
    def refusals(self) -> Sequence[Refusal]: ...

    def received(self, place: Place) -> list[Received]:
        """All statements that it accepted for the feed, over all its feed connections, in order of arrival.

        Without those of which it knew every line.
        """

    def booked(self, place: Place) -> set[Booked]:
        """What the organisation of the place has in its accounts."""

    def posts(self) -> list[Post]: ...

    def key_of(self, statement_key: str) -> str:
        """The Idempotency-Key that our key of a statement becomes."""

    def line_ids(self, request: bytes) -> list[str]:
        """The ids in a statement's frozen request."""

    def counted_calls(self) -> list[Call]:
        """The calls that count towards the limits."""

    def is_about_statements(self, call: Call) -> bool: ...

    def wait_key(self, call: Call) -> Key:
        """Where the wait is stored that the answer to this call asks for."""

    def ended(self, place: Place) -> list[tuple[str, str]]:
        """Types and subjects of the refusals for which the customer of the place has to come again."""

    def own_rules(self) -> list[str]:
        """The violations of rules that only this upstream has."""

    def canaries(self) -> set[str]:
        """What must be in no item, message, event or log record."""


def own_id(id: str) -> str:
    return id.partition("~")[0]
