"""What Xero's problems stop, whichever upstream brings them, and the three shapes in which Xero states them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from feedlane.companies.reconnection import MISSING_FEED_CONNECTIONS_SCOPE
from feedlane.feeds.upstream import Refusal
from feedlane.problem import Problem
from feedlane.scope import Scope

INTERNAL_ERROR = "internal-error"
INVALID_END_DATE = "invalid-end-date"
INVALID_COUNTRY = "invalid-country-specified"
ACCOUNT_NOT_VALID = "account-not-valid"
NOT_ENABLED_FOR_2 = "invalid-application-for-feed-connections-2"
ALREADY_CONNECTED_HERE = "feed-already-connected-in-current-organisation"
NAME_TAKEN = "account-name-already-exists"
# Refusals of a feed connection that may be there already: made by a request whose answer was lost, or by another one.
MAY_BE_THERE = frozenset({ALREADY_CONNECTED_HERE, NAME_TAKEN})
FEED_CONNECTION_GONE_TYPES = frozenset(
    {"feed-not-found-or-already-deleted", "bank-feed-not-found", "invalid-feed-connection"}
)
# RFC 9457: a problem without a type. Xero's gateway sends `"Type": null`.
NO_TYPE = "about:blank"
_HTTP_STATUS = re.compile(r"[1-5][0-9]{2}")


class Meaning(NamedTuple):
    """What has to stop, and why: a reason code that does not depend on Xero's text."""

    scope: Scope
    reason: str


MEANING_BY_TYPE = {
    "invalid-application": Meaning(Scope.APP, "app-not-enabled"),
    "suspended-or-terminated-application": Meaning(Scope.APP, "app-suspended"),
    "invalid-organisation-bank-feeds": Meaning(Scope.TENANT, "organisation-without-bank-feeds"),
    "invalid-user-role": Meaning(Scope.TENANT, "user-role-too-low"),
    "invalid-organisation-multi-currency": Meaning(Scope.FEED, "currency-not-supported"),
    "invalid-feed-connection": Meaning(Scope.FEED, "feed-connection-gone"),
    "invalid-feed-connection-for-organisation": Meaning(Scope.FEED, "feed-connection-elsewhere"),
    "feed-not-found-or-already-deleted": Meaning(Scope.FEED, "feed-connection-gone"),
    "bank-feed-not-found": Meaning(Scope.FEED, "feed-connection-gone"),
    "statement-not-found": Meaning(Scope.FEED, "statement-not-found"),
    ACCOUNT_NOT_VALID: Meaning(Scope.FEED, "account-not-valid"),
    ALREADY_CONNECTED_HERE: Meaning(Scope.FEED, "account-already-connected"),
    "feed-connected-in-different-organisation": Meaning(Scope.FEED, "account-connected-elsewhere"),
    "feed-already-connected-in-different-organisation": Meaning(Scope.FEED, "account-connected-elsewhere"),
    INVALID_COUNTRY: Meaning(Scope.FEED, "country-not-allowed"),
    NAME_TAKEN: Meaning(Scope.FEED, "account-name-taken"),
    # Ours: of the app or the consent, and for feed connections alone. Statements go on.
    NOT_ENABLED_FOR_2: Meaning(Scope.FEED, "feed-connections-not-enabled"),
    MISSING_FEED_CONNECTIONS_SCOPE: Meaning(Scope.FEED, MISSING_FEED_CONNECTIONS_SCOPE),
    "invalid-account-token": Meaning(Scope.FEED, "invalid-data"),
    "missing-identifying-fields": Meaning(Scope.FEED, "invalid-data"),
    "invalid-request": Meaning(Scope.FEED, "invalid-data"),
    "invalid-end-balance": Meaning(Scope.FEED, "invalid-balance"),
    "invalid-start-date": Meaning(Scope.FEED, "start-date-refused"),
    INVALID_END_DATE: Meaning(Scope.FEED, "end-date-refused"),
    "invalid-start-and-end-date": Meaning(Scope.FEED, "dates-reversed"),
}
UNKNOWN_MEANING = Meaning(Scope.FEED, "refused")
# The gateway refuses the caller, not the content: no access to the tenant, no scope, a dead token.
NO_ACCESS_MEANING = Meaning(Scope.CONNECTION, "no-access")

# Problems are kept with holds, connections, statements and push operations, whose items have a limit.
PROBLEMS_MAX = 10
TYPE_LENGTH_MAX, TITLE_LENGTH_MAX, DETAIL_LENGTH_MAX = 500, 500, 4_000


def refusal_of(problem: Problem) -> Refusal:
    """Decided by type, at any HTTP status: Xero documents types better than the status each comes with."""
    meaning = MEANING_BY_TYPE.get(problem.type, UNKNOWN_MEANING)
    if problem.type == NO_TYPE and problem.status in {401, 403}:
        meaning = NO_ACCESS_MEANING
    return Refusal(scope=meaning.scope, reason=meaning.reason, problem=problem)


def stated_problems(value: dict[str, Any], status: int) -> tuple[Problem, ...]:
    """Every problem in an answer's object, in any of the shapes; none if it states none."""
    return item_problems(value, status) or _items_problems(value, status) or _root_problem(value, status)


def item_problems(item: dict[str, Any], status: int) -> tuple[Problem, ...]:
    """The problems inside one item: `error` of a feed connection, `errors` of a statement."""
    errors = item.get("errors")
    errors = errors if isinstance(errors, list) else []
    found = [error for error in [item.get("error"), *errors] if isinstance(error, dict)]
    return tuple(_problem(error, status) for error in found[:PROBLEMS_MAX])


def _items_problems(value: dict[str, Any], status: int) -> tuple[Problem, ...]:
    items = value.get("items")
    if not isinstance(items, list):
        return ()
    objects = [item for item in items if isinstance(item, dict)]
    return tuple(problem for item in objects for problem in item_problems(item, status))[:PROBLEMS_MAX]


def _root_problem(value: dict[str, Any], status: int) -> tuple[Problem, ...]:
    """A problem at the root, or the gateway's, whose keys are mostly capitalised."""
    if status < 400 or not {str(key).lower() for key in value} & {"type", "title", "detail"}:
        return ()
    return (_problem(value, status),)


def _problem(value: dict[str, Any], status: int) -> Problem:
    """Xero's texts unchanged, up to a length. An item's error may lack a status: then the answer's counts."""
    fields = {str(key).lower(): item for key, item in value.items()}
    item_status = str(fields.get("status"))
    code = int(item_status) if _HTTP_STATUS.fullmatch(item_status) else status
    return Problem(
        type=str(fields.get("type") or NO_TYPE)[:TYPE_LENGTH_MAX],
        title=str(fields.get("title") or status_phrase(code))[:TITLE_LENGTH_MAX],
        status=code,
        detail=str(fields.get("detail") or "")[:DETAIL_LENGTH_MAX],
    )


def status_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
