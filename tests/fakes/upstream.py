"""An upstream in memory: it keeps the posts and answers as the test sets it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from feedlane.feeds.line import Line
from feedlane.feeds.refusals import INVALID_COUNTRY, refusal_of
from feedlane.feeds.upstream import (
    Accepted,
    AlreadyReceived,
    FeedConnection,
    NewFeedConnection,
    PostAnswer,
    Refusal,
    SearchAnswer,
    SearchPlace,
    Statement,
    StatementStatus,
    StatusAnswer,
    TargetAccount,
    TenantAccess,
)
from feedlane.money import dumps
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests import rights

NO_FEEDS = Refusal(
    scope=Scope.TENANT,
    reason="organisation-without-bank-feeds",
    problem=Problem(
        type="invalid-organisation-bank-feeds",
        title="Invalid Organisation",
        status=403,
        detail="The organisation does not support automated bank feeds.",
    ),
)
REJECTED = Refusal(
    scope=Scope.FEED,
    reason="account-not-valid",
    problem=Problem(type="account-not-valid", title="Account Not Valid", status=422, detail="It is archived."),
)
LINE_REFUSED = Refusal(
    scope=Scope.FEED,
    reason="invalid-data",
    problem=Problem(type="invalid-request", title="Invalid Request", status=400, detail="A line is wrong."),
)

GONE = Refusal(
    scope=Scope.FEED,
    reason="feed-connection-gone",
    problem=Problem(type="invalid-feed-connection", title="Invalid Feed Connection", status=403, detail="It is gone."),
)


@dataclass
class FakeUpstream:
    """`answers` go to the next posts, which are then not taken; `lost` are answers to posts that are taken.

    `refusals` are raised by the next creations of a feed connection. With `deletes_slowly`, a deleted one is listed
    until `finish_deletions`. A post for a feed connection that was ended is refused (`end`).

    `poison` are the answers to all statements that have a certain line: those are not taken either.

    `taken` has the new ids of each statement taken, `fed` its feed connection. Each feed connection has ids of its own.
    """

    answers: list[PostAnswer] = field(default_factory=list)
    lost: list[PostAnswer] = field(default_factory=list)
    poison: dict[str, PostAnswer] = field(default_factory=dict)
    statuses: dict[str, StatusAnswer] = field(default_factory=dict)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    taken: list[list[str]] = field(default_factory=list)
    fed: list[str] = field(default_factory=list)
    targets: list[TargetAccount] = field(default_factory=list)
    connections: list[FeedConnection] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    created: list[NewFeedConnection] = field(default_factory=list)
    deletes_slowly: bool = False
    deleting: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    memory: timedelta | None = None

    def key_memory(self, access: TenantAccess) -> timedelta | None:
        return self.memory

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        return len("".join(line.as_strings()).encode()) + 100

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        lines = [line.as_strings() for line in statement.lines]
        balances = [statement.start_balance, statement.end_balance]
        return dumps({"feed": statement.feed_connection_id, "balances": balances, "lines": lines}).encode()

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        rights.require_vault()
        self.posts.append((idempotency_key, request))
        if self.answers:
            return self.answers.pop(0)
        ids, feed = _transaction_ids(request), _feed(request)
        if feed in self.ended:
            return GONE
        known_ids = {id for taken, fed in zip(self.taken, self.fed, strict=False) if fed == feed for id in taken}
        if known_ids.issuperset(ids):
            return AlreadyReceived()
        if poisoned := [self.poison[id] for id in ids if id in self.poison]:
            return poisoned[0]
        self.taken.append([id for id in ids if id not in known_ids])
        self.fed.append(feed)
        statement_id = f"statement-{len(self.taken)}"
        self.statuses[statement_id] = Accepted(statement_id=statement_id, status=StatementStatus.DELIVERED)
        if self.lost:
            return self.lost.pop(0)
        return Accepted(statement_id=statement_id, status=StatementStatus.PENDING)

    def find_statement(
        self, access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace
    ) -> SearchAnswer:
        rights.require_vault()
        sent = (_transaction_ids(request), _feed(request))
        pairs = zip(self.taken, self.fed, strict=False)
        numbers = [number for number, pair in enumerate(pairs, 1) if pair == sent]
        return self.statuses[f"statement-{numbers[0]}"] if numbers else None

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer:
        rights.require_vault()
        return self.statuses[statement_id]

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        if problems[0].status in {401, 403} or problems[0].type == INVALID_COUNTRY:
            return refusal_of(problems[0])
        return Refusal(scope=Scope.FEED, reason="statement-rejected", problem=problems[0])

    def explained(self, access: TenantAccess, refusal: Refusal, feed_connection_id: str) -> Refusal:
        return refusal

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        rights.require_vault()
        return self.targets

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]:
        rights.require_vault()
        return self.connections

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        rights.require_vault()
        if self.refusals:
            raise self.refusals.pop(0)
        self.created.append(new)
        connection = FeedConnection(
            id=f"feed-connection-{len(self.created)}",
            account_token=new.account_token,
            account_id=new.account_id,
            active=True,
        )
        self.connections.append(connection)
        return connection

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        rights.require_vault()
        return next((connection for connection in self.connections if connection.id == feed_connection_id), None)

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None:
        rights.require_vault()
        self.deleting.add(feed_connection_id)
        if not self.deletes_slowly:
            self.finish_deletions()

    def finish_deletions(self) -> None:
        self.connections = [connection for connection in self.connections if connection.id not in self.deleting]
        self.deleting.clear()

    def end(self, feed_connection_id: str) -> None:
        """As the customer does in Xero: Deactivate feed."""
        self.deleting.add(feed_connection_id)
        self.finish_deletions()
        self.ended.add(feed_connection_id)


def _feed(request: bytes) -> str:
    return str(json.loads(request)["feed"])


def _transaction_ids(request: bytes) -> list[str]:
    return [line[0] for line in json.loads(request)["lines"]]
