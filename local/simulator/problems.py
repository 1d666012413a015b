"""Xero's error bodies: the catalogue of problem types, and their three shapes."""

import uuid
from http.client import responses
from typing import Any

from local.simulator.answers import PROBLEM, Answer

Problem = dict[str, Any]

CATALOGUE: dict[str, tuple[str, int, str]] = {
    "invalid-request": ("Invalid Request", 400, "The request is invalid."),
    "invalid-account-token": ("Invalid Account Token", 400, "The account token is not valid."),
    "missing-identifying-fields": (
        "Request Is Missing Identifying Fields",
        400,
        "The request did not include a mandatory field.",
    ),
    "invalid-country-specified": (
        "Invalid Country",
        400,
        "The country specified is not valid for the application.",
    ),
    "invalid-application": (
        "Invalid Application",
        403,
        "The application has not been configured to use these API endpoints.",
    ),
    "suspended-or-terminated-application": (
        "Suspended Or Terminated Application",
        403,
        "The application has been suspended or terminated.",
    ),
    "invalid-organisation-bank-feeds": (
        "Invalid Organisation",
        403,
        "The organisation does not support automated bank feeds.",
    ),
    "invalid-organisation-multi-currency": (
        "Invalid Organisation",
        403,
        "The organisation does not support the specified currency.",
    ),
    "invalid-feed-connection": (
        "Invalid Feed Connection",
        403,
        "The feed connection does not exist or is not active.",
    ),
    "invalid-feed-connection-for-organisation": (
        "Invalid Feed Connection",
        403,
        "The feed connection does not belong to the organisation.",
    ),
    "invalid-user-role": (
        "Invalid User Role",
        403,
        "The user's role does not allow bank feeds to be managed.",
    ),
    "bank-feed-not-found": ("Bank Feed Not Found", 404, "The feed connection was not found."),
    "statement-not-found": ("Statement Not Found", 404, "The statement was not found."),
    "feed-not-found-or-already-deleted": (
        "Feed Connection Not Found",
        404,
        "The feed connection was not found or has already been deleted.",
    ),
    "duplicate-statement": (
        "Duplicate Statement Received",
        409,
        "The received statement was marked as a duplicate.",
    ),
    "feed-already-connected-in-current-organisation": (
        "Feed Connection Failed",
        409,
        "The AccountToken, AccountNumber or AccountId is already connected to another Xero Bank Account"
        " in the selected Xero Organisation.",
    ),
    "feed-connected-in-different-organisation": (
        "Feed connected in different organisation",
        409,
        "The AccountToken is connected to another Xero Bank Account associated with this bank."
        " This Xero Bank Account belongs to a different Xero Organisation.",
    ),
    "feed-already-connected-in-different-organisation": (
        "Feed Connection Failed",
        409,
        "The AccountToken, AccountNumber or AccountId is already connected in a different Xero Organisation.",
    ),
    "account-name-already-exists": (
        "Account Name Already Exists",
        409,
        "The account name is already in use.",
    ),
    "invalid-end-balance": (
        "Invalid End Balance",
        422,
        "End balance does not match start balance +/- statement line amounts.",
    ),
    "invalid-start-date": ("Invalid Start Date", 422, "The start date must not be older than one year."),
    "invalid-end-date": ("Invalid End Date", 422, "The end date must not be in the future."),
    "invalid-start-and-end-date": (
        "Invalid Start And End Date",
        422,
        "The end date must be later than the start date.",
    ),
    "account-not-valid": ("Account Not Valid", 422, "The account is not valid for a bank feed."),
    "too-many-requests": ("Too Many Requests", 429, "The rate limit has been exceeded."),
    "internal-error": (
        "Intermittent Internal Xero Error",
        500,
        "The request should be retried. If the error persists, a Xero support issue should be raised.",
    ),
}


def problem(type_: str, detail: str | None = None, *, title: str | None = None, status: int | None = None) -> Problem:
    """A problem of the catalogue, optionally with other facts. Types outside the catalogue are allowed."""
    known_title, known_status, known_detail = CATALOGUE.get(type_, (type_, 400, type_))
    return {
        "type": type_,
        "title": title or known_title,
        "status": status or known_status,
        "detail": detail or known_detail,
    }


def root(fault: Problem, http_status: int | None = None) -> Answer:
    return Answer(http_status or int(fault.get("status", 400)), fault, PROBLEM)


def gateway(status: int, detail: str, headers: dict[str, str] | None = None) -> Answer:
    """The error body of the gateway in front of every API: capitalised keys, no problem type."""
    body: dict[str, Any] = {
        "Type": None,
        "Title": responses.get(status, "Error"),
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }
    return Answer(status, body, headers=headers or {})


def oauth_error(error: str) -> Answer:
    """The token endpoint answers only the error's name."""
    return Answer(400, {"error": error})
