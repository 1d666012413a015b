"""Events: what happened. Each is written to the outbox in the same commit as the change itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import field_serializer, field_validator

from feedlane import money
from feedlane.record import Record

Json = dict[str, Any]


def without_nulls(payload: Json) -> Json:
    """The payload without unknown values: the field is absent, never null."""
    return {name: value for name, value in payload.items() if value is not None}


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Event(Record):
    """Events of one `subject` (a feed, a connection, a company, the app) stay in order."""

    id: str
    type: str
    subject: str
    time: datetime
    company_id: str | None = None
    company_tags: dict[str, str] = {}
    payload: dict[str, Any]

    @field_serializer("payload", when_used="json")
    def _as_text(self, payload: dict[str, Any]) -> str:
        """Stored as JSON text: a number in the table, or a float, would not keep an amount digit for digit."""
        return money.dumps(payload)

    @field_validator("payload", mode="before")
    @classmethod
    def _of_text(cls, payload: Any) -> Any:
        return money.loads(payload) if isinstance(payload, str) else payload


COMPANY_CREATED = "company.created"
COMPANY_DELETED = "company.deleted"
CONNECTION_CREATED = "connection.created"
CONNECTION_CONNECTED = "connection.connected"
CONNECTION_DISCONNECTED = "connection.disconnected"
CONNECTION_RECONNECTED = "connection.reconnected"
CONNECTION_FAILED = "connection.failed"
CONNECTION_DELETED = "connection.deleted"
WRITE_SUCCESSFUL = "bankTransactions.write.successful"
WRITE_UNSUCCESSFUL = "bankTransactions.write.unsuccessful"
SOURCE_ACCOUNT_CONNECTED = "bankFeeds.sourceAccount.connected"
SOURCE_ACCOUNT_DISCONNECTED = "bankFeeds.sourceAccount.disconnected"

# Feedlane's own.
HELD = "bankFeeds.held"
RELEASED = "bankFeeds.released"
GAP_FOUND = "bankFeeds.gapFound"
HOLE_FOUND = "bankFeeds.holeFound"
HOLE_MENDED = "bankFeeds.holeMended"
STATEMENT_STUCK = "bankFeeds.statement.stuck"
STATEMENT_RESOLVED = "bankFeeds.statement.resolved"
CONNECTION_NEEDS_RECONNECTION = "connection.needsReconnection"
CONNECTION_RECOVERED = "connection.recovered"
CONNECTION_UPSTREAM_CHANGE = "connection.upstreamChange"
AUTHORIZATION_UNANSWERED = "connection.authorizationUnanswered"
CONNECTION_LIMIT_REACHED = "connectionLimit.reached"
DAILY_LIMIT_REACHED = "dailyLimit.reached"
SETTINGS_CHANGED = "settings.changed"
CONSUMER_DISABLED = "webhook.consumerDisabled"
TEST = "webhook.test"

ALL_TYPES = (
    COMPANY_CREATED, COMPANY_DELETED, CONNECTION_CREATED, CONNECTION_CONNECTED, CONNECTION_DISCONNECTED,
    CONNECTION_RECONNECTED, CONNECTION_FAILED, CONNECTION_DELETED, WRITE_SUCCESSFUL, WRITE_UNSUCCESSFUL,
    SOURCE_ACCOUNT_CONNECTED, SOURCE_ACCOUNT_DISCONNECTED, HELD, RELEASED, GAP_FOUND, HOLE_FOUND,
    HOLE_MENDED, STATEMENT_STUCK, STATEMENT_RESOLVED,
    CONNECTION_NEEDS_RECONNECTION, CONNECTION_RECOVERED, CONNECTION_UPSTREAM_CHANGE, AUTHORIZATION_UNANSWERED,
    CONNECTION_LIMIT_REACHED, DAILY_LIMIT_REACHED, SETTINGS_CHANGED, CONSUMER_DISABLED, TEST,
)  # fmt: skip
