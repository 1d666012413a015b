"""Why a connection needs its customer again: each reason has a word of its own, so that nobody has to read texts."""

from __future__ import annotations

from datetime import datetime

from feedlane.connection import ACCESS_REFUSED, MISSING_SCOPE, Connection, ConnectionError
from feedlane.problem import Problem

# The reason of the hold, whatever the connection's own reason is.
RECONNECTION_NEEDED = "reconnection-needed"
TOLD_TO_CUSTOMERS = "The integration de-authorized access to the connection."
NOT_AUTHORISED = "The connection was authorised without access to bank feeds; the customer has to reconnect."


def _no_access(type: str, title: str, detail: str) -> Problem:
    return Problem(type=type, title=title, status=401, detail=detail)


REMOVED = _no_access(
    "connection-removed",
    "Connection removed",
    "The organisation is no longer connected to the app: it was disconnected in Xero.",
)
ONE_OFF_ENDED = _no_access(
    "one-off-access-ended", "One-off access ended", "The customer gave access once, and it has ended."
)
NOT_GRANTED = _no_access("token-set-unknown", "Not authorised", "There is no authorisation of this customer any more.")
OTHER_APP = _no_access(
    "granted-to-another-app",
    "Granted to another app",
    "The customer authorised another Xero app than the one whose keys are set.",
)
WITHOUT_BANK_FEEDS = Problem(type=MISSING_SCOPE, title="Missing scope", status=403, detail=NOT_AUTHORISED)

# Problems of token sets by their types, and what they mean for a connection.
_REASONS = {
    "invalid_grant": "authorisation-ended",
    NOT_GRANTED.type: "authorisation-ended",
    "about:blank": ACCESS_REFUSED,
}


def reason_of(problem: Problem) -> str:
    return _REASONS.get(problem.type, problem.type)


def error_of(problem: Problem, now: datetime) -> ConnectionError:
    """The problem as a connection shows it."""
    return ConnectionError(
        status_code=str(problem.status),
        status_text=problem.detail or problem.title,
        error_message=TOLD_TO_CUSTOMERS,
        errored_on=now,
        reason=reason_of(problem),
    )


def problem_of(connection: Connection) -> Problem | None:
    """Why nothing can be sent before the customer has reconnected, or None."""
    need = connection.need
    if need is not None and connection.needs_reconnection:
        return Problem(type=need.reason, title="Reconnection needed", status=403, detail=need.status_text)
    if connection.is_linked and connection.lacks_bank_feeds:
        return WITHOUT_BANK_FEEDS
    return None
