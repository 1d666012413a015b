"""The upstream as a port: feed connections, statements and their status, with refusals as data.

Xero is the first upstream (`xero/bank_feeds.py`), Codat the second (`codat_upstream/bank_feeds.py`), and `upstreams.py`
has both behind this port. The domain decides on these types alone and knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from feedlane.companies.connection import CODAT_ACCESS, UpstreamName
from feedlane.companies.source_account import AccountKind, SourceAccount
from feedlane.feeds.line import Line
from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.scope import Scope

STATEMENT_LINES_MAX = 1000
DUPLICATE_STATEMENT = "duplicate-statement"


@dataclass(frozen=True)
class Statement:
    """Consecutive ledger lines of one feed. Balances are the customer's: positive is credit, negative overdrawn."""

    feed_connection_id: str
    start_date: date
    end_date: date
    start_balance: Decimal
    end_balance: Decimal
    lines: tuple[Line, ...]


class StatementStatus(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"


class Accepted(Record):
    """The upstream has the statement (202 is not yet delivered). `problems` explain a rejection.

    `lines` is how many of its lines the upstream says it has; None if it does not say. `by_content`: it was found by
    its lines, which no other statement has.
    """

    statement_id: str
    status: StatementStatus
    problems: tuple[Problem, ...] = ()
    lines: int | None = None
    by_content: bool = False

    @property
    def is_known_already(self) -> bool:
        """Whether it was rejected only because every line was received before, in another statement."""
        is_rejected = self.status is StatementStatus.REJECTED and bool(self.problems)
        return is_rejected and all(problem.type == DUPLICATE_STATEMENT for problem in self.problems)


class AlreadyReceived(Record):
    """Every line of the statement was received before (`duplicate-statement`). In which statement, it does not say.

    `statement_id` is that of the statement just rejected, which has none of the lines.
    """

    statement_id: str | None = None


class Refusal(Record):
    """Refused until its cause is fixed. `scope` is what has to stop.

    `in_doubt`: the answer itself leaves open whether an earlier request with the same key was taken.
    """

    scope: Scope
    reason: str
    problem: Problem
    in_doubt: bool = False


class TryLater(Record):
    """Not now: a rate limit (429) or an outage. Nothing was accepted. `scope` (app, tenant) is what has to wait.

    `is_outage`: nobody knows how long it lasts, so that each wait is longer than the one before. `key_is_spent`: the
    answer is kept under the Idempotency-Key, so the same bytes are sent again under a new one.
    """

    scope: Scope
    seconds: int
    reason: str
    is_outage: bool = False
    key_is_spent: bool = False


class Failed(Record):
    """The upstream answered that it failed (500): the outcome is unknown, and the answer is cached under the
    Idempotency-Key, so the same bytes are sent again under a new key."""

    problem: Problem


class NoAnswer(Record):
    """No answer (time-out, connection lost): the outcome is unknown, and the same bytes are sent again under the same
    key. `problem`: an answer that leaves the outcome open, if there was one."""

    reason: str
    problem: Problem | None = None


class SearchPlace(Record):
    """Where a search of the upstream's list of statements stopped. Only the upstream reads the fields but `began`.

    `since` is when the statement was written down: it was not sent before. `alone`: no other statement of its
    connection is in doubt, and all that are known are among the `others`, so that one that nobody knows is this one.

    `page` is read next. `first` and `last` tell a page that was read before: the first statement of the list, and of
    the page before. `second_best` is the best of what was found so far, with its `rank`.
    """

    began: datetime
    since: datetime | None = None
    alone: bool = False
    page: int = 1
    first: str = ""
    last: str = ""
    second_best: Accepted | None = None
    rank: int = 0


class Ambiguous(Record):
    """The list has statements that may be this one, or another of its connection that is in doubt too."""


PostAnswer = Accepted | AlreadyReceived | Refusal | TryLater | Failed | NoAnswer
StatusAnswer = Accepted | Refusal | TryLater | Failed | NoAnswer
SearchAnswer = StatusAnswer | SearchPlace | Ambiguous | None


class TargetAccount(Record):
    """A bank account of the upstream that can be fed."""

    id: str
    name: str
    number: str = ""
    currency: str
    kind: AccountKind


class FeedConnection(Record):
    """`active` is False while the upstream still sets it up, and if it has rejected it: `rejection` says why."""

    id: str
    account_token: str
    account_id: str | None = None
    account_name: str | None = None
    active: bool
    rejection: Problem | None = None


class NewFeedConnection(Record):
    """`account_id` names an existing account; without it a new one is created with this name and number.

    `source` is the account as the platform gave it, for an upstream that has source accounts of its own.
    """

    account_token: str
    account_id: str | None = None
    account_number: str
    account_name: str
    kind: AccountKind
    currency: str
    country: str = ""
    source: SourceAccount | None = None


class TenantAccess(Record):
    """The tenant to call, and the token set to call it with.

    For calls about accounts also the connection: by our id, and by the upstream's.
    """

    tenant_id: str
    token_set_id: str
    connection_id: str = ""
    tenant_connection_id: str = ""

    @property
    def upstream(self) -> UpstreamName:
        """Through whom the tenant is reached: the one key to Codat stands for all token sets."""
        return UpstreamName.CODAT if self.token_set_id == CODAT_ACCESS else UpstreamName.XERO


class Upstream(Protocol):
    """Every call names the access that it is about: behind one port there may be several upstreams."""

    def key_memory(self, access: TenantAccess) -> timedelta | None:
        """For how long the upstream knows a statement again, if the same bytes come under the same key.

        None if it knows it by its lines, at any time. Otherwise one in doubt is looked for before it is sent again, and
        sent again only within this time; and its list does not tell the feeds of a connection apart.
        """

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        """How many bytes the line adds to a statement's request."""

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        """The request for a statement: the same statement always gives the same bytes."""

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer: ...

    def find_statement(
        self, access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace
    ) -> SearchAnswer:
        """The status of the statement sent with this request, looked for in the part of the list at `place`.

        A `SearchPlace` is where to go on. None, at the end of the list: it is not there.

        `others` are the upstream's ids of statements that may look the same and are known to be different ones.
        """

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer: ...

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        """What the problems of a rejected statement mean: what has to stop, and why."""

    def explained(self, access: TenantAccess, refusal: Refusal, feed_connection_id: str) -> Refusal:
        """The refusal with a more exact reason, where the upstream's words leave open what has to be done."""

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]: ...

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]: ...

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        """Raises `Refused` with the problem, `Unavailable`, `ReconnectionNeeded`."""

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        """None if there is none. Raises `Refused` if we lack access, `Unavailable`, `ReconnectionNeeded`."""

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None: ...
