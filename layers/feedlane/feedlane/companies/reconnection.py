"""Why a connection needs its customer again. Each reason is a stable word, so that clients need not parse texts."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies.connection import (
    ACCESS_REFUSED,
    FEED_CONNECTIONS_2_SCOPE,
    MISSING_SCOPE,
    Connection,
    ConnectionFault,
)
from feedlane.credentials.problems import NOT_GRANTED, unauthorised_problem
from feedlane.problem import Problem

# The reason of the hold on the connection, whatever the fault on the connection says.
RECONNECTION_NEEDED = "reconnection-needed"
CUSTOMER_MESSAGE = "The integration de-authorized access to the connection."
MISSING_FEED_CONNECTIONS_SCOPE = "missing-feed-connections-scope"
BANK_FEEDS_NOT_AUTHORISED = "The connection was authorised without access to bank feeds; the customer has to reconnect."

CONNECTION_REMOVED = unauthorised_problem(
    "connection-removed",
    "Connection removed",
    "The organisation is no longer connected to the app: it was disconnected in Xero.",
)
BANK_FEEDS_SCOPE_MISSING = Problem(
    type=MISSING_SCOPE, title="Missing scope", status=403, detail=BANK_FEEDS_NOT_AUTHORISED
)

# About feed connections alone: statements go on without this scope, and so the connection does.
FEED_CONNECTIONS_SCOPE_MISSING = Problem(
    type=MISSING_FEED_CONNECTIONS_SCOPE,
    title="Missing scope",
    status=403,
    detail=(
        f"The connection was authorised without the scope {FEED_CONNECTIONS_2_SCOPE}, which connecting another account "
        "needs; the customer has to reconnect."
    ),
)

# A connection's reason by the type of its token set's problem; other types are reasons themselves.
_REASON_BY_PROBLEM_TYPE = {
    "invalid_grant": "authorisation-ended",
    NOT_GRANTED.type: "authorisation-ended",
    "about:blank": ACCESS_REFUSED,
}


def reason_of(problem: Problem) -> str:
    return _REASON_BY_PROBLEM_TYPE.get(problem.type, problem.type)


def fault_of(problem: Problem, now: datetime) -> ConnectionFault:
    """The problem in the form that a connection keeps."""
    return ConnectionFault(
        status_code=str(problem.status),
        status_text=problem.detail or problem.title,
        error_message=CUSTOMER_MESSAGE,
        errored_on=now,
        reason=reason_of(problem),
    )


def reconnection_problem(connection: Connection) -> Problem | None:
    """Why nothing can be sent until the customer reconnects, or None."""
    fault = connection.reconnection_fault
    if fault is not None and connection.needs_reconnection:
        return Problem(type=fault.reason, title="Reconnection needed", status=403, detail=fault.status_text)
    if connection.is_linked and connection.lacks_bank_feeds:
        return BANK_FEEDS_SCOPE_MISSING
    return None
