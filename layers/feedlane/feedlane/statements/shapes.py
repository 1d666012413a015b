"""A feed in JSON, with its last statement and its hold, as Feedlane's own routes show it."""

from __future__ import annotations

from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import problem_json
from feedlane.codat.query import Fields
from feedlane.feeds.feed import Feed, SetAside, Span
from feedlane.holds.held_feeds import WaitingCount
from feedlane.holds.hold import Hold
from feedlane.holds.shapes import hold_json
from feedlane.statements.statement import StatementRecord

FEED_FIELDS: Fields = dict.fromkeys(
    [
        "id",
        "companyId",
        "connectionId",
        "accountId",
        "tenantId",
        "feedConnectionId",
        "currency",
        "accountType",
        "waiting",
        "holes",
        "recordedDate",
        "upstream",
    ]
)


def feed_json(
    feed: Feed, last: StatementRecord | None = None, hold: Hold | None = None, behind: WaitingCount | None = None
) -> dict[str, Any]:
    """`hold` is the widest hold that stops the feed, `behind` the transactions waiting behind it."""
    return {
        "id": feed.id,
        "companyId": feed.company_id,
        "connectionId": feed.connection_id,
        "accountId": feed.account_id,
        "tenantId": feed.tenant_id or None,
        "upstream": feed.upstream,
        "upstreams": _upstreams_json(feed),
        "changingUpstream": feed.changing,
        "feedConnectionId": feed.feed_connection_id or None,
        "accountType": feed.kind,
        "currency": feed.currency,
        "created": iso(feed.created),
        "startDate": feed.start_date or None,
        "recorded": feed.recorded_through,
        "recordedDate": feed.recorded_date or None,
        "recordedBalance": feed.recorded_balance,
        "delivered": feed.delivered_through,
        "waiting": feed.waiting,
        "setAside": feed.set_aside,
        "holes": feed.holes,
        "syntheticBalances": feed.synthetic_balances,
        "inFlight": feed.flight.model_dump(mode="json") if feed.flight else None,
        "lastStatement": _statement_json(last) if last else None,
        "hold": hold_json(hold, behind) if hold and behind else None,
    }


def set_aside_json(line: SetAside) -> dict[str, Any]:
    return {"id": line.transaction_id, "line": line.sequence, "setAsideOn": iso(line.on)}


def _upstreams_json(feed: Feed) -> list[dict[str, Any]]:
    """From which line on the feed has had which upstream."""
    spans = feed.spans or (Span(upstream=feed.upstream, first=1),)
    return [{"upstream": span.upstream, "fromLine": span.first} for span in spans]


def _statement_json(statement: StatementRecord) -> dict[str, Any]:
    return {
        "number": statement.number,
        "first": statement.first,
        "last": statement.last,
        "startDate": statement.start_date,
        "endDate": statement.end_date,
        "status": statement.state,
        "statementId": statement.upstream_id,
        "postedOn": iso(statement.posted_on) if statement.posted_on else None,
        "endedOn": iso(statement.ended_on) if statement.ended_on else None,
        "problems": [problem_json(problem) for problem in statement.problems],
        "doubt": statement.doubt if statement.stuck else None,
    } | ({"resolvedAs": statement.resolved_as} if statement.resolved_as else {})
