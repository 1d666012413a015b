"""The faults that the simulator's page offers: those that Xero documents, and those of everything before Xero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.simulator.control_fields import ControlError


@dataclass(frozen=True)
class Offered:
    """`body` is what `POST /_simulator/faults` takes, without whom and how often it strikes."""

    title: str
    about: str
    body: dict[str, Any]


STATEMENTS = {"method": "POST", "path": "/Statements"}
OFFERED = {
    "noBankFeeds": Offered(
        "403: the organisation has no bank feeds",
        "Statements are refused with invalid-organisation-bank-feeds. Feedlane holds the account and tells you.",
        {"fault": "problem", "problem": "invalid-organisation-bank-feeds", "match": STATEMENTS},
    ),
    "notApproved": Offered(
        "403: the app has no bank feeds",
        "Statements are refused with invalid-application, as without Xero's approval.",
        {"fault": "problem", "problem": "invalid-application", "match": STATEMENTS},
    ),
    "accountNotValid": Offered(
        "422: the account is not valid for a bank feed",
        "Statements are refused with account-not-valid, as for an archived account.",
        {"fault": "problem", "problem": "account-not-valid", "match": STATEMENTS},
    ),
    "minute": Offered(
        "429: too many calls this minute",
        "Every call is refused, with Retry-After: 30.",
        {"fault": "rateLimit", "limit": "minute", "seconds": 30},
    ),
    "day": Offered(
        "429: too many calls today",
        "Every call is refused, with Retry-After: 3600.",
        {"fault": "rateLimit", "limit": "day", "seconds": 3600},
    ),
    "error": Offered("500: an error at Xero", "Every call fails.", {"fault": "status", "status": 500}),
    "unavailable": Offered(
        "503: Xero is not available", "Every call fails, in Xero's own shape.", {"fault": "status", "status": 503}
    ),
    "outage": Offered(
        "An outage: a page instead of Xero",
        "Everything is answered by an HTML page with 503: calls, tokens and the consent page.",
        {"fault": "page", "status": 503},
    ),
    "blocked": Offered(
        "A firewall blocks you: a page with 403",
        "Everything is answered by an HTML page that is not Xero's. It says nothing about the organisation.",
        {"fault": "page", "status": 403},
    ),
    "slow": Offered("Slow answers", "Every call takes 10 seconds longer.", {"fault": "delay", "seconds": 10}),
    "lost": Offered(
        "A statement's answer is lost",
        "Xero takes the statement, and the connection ends before its answer.",
        {"fault": "dropResponse", "match": STATEMENTS},
    ),
    "lostToken": Offered(
        "A token's answer is lost",
        "Xero replaces the refresh token, and the connection ends before its answer.",
        {"fault": "dropResponse", "match": {"method": "POST", "path": "/connect/token"}},
    ),
}


def body_of(name: str, tenant_id: str, times: float | None) -> dict[str, Any]:
    """For one organisation, or for all if there is no id; without a number, until the fault is turned off."""
    if name not in OFFERED:
        raise ControlError("fault", "must be one of those listed")
    body = OFFERED[name].body
    match = {**body.get("match", {}), **({"tenantId": tenant_id} if tenant_id else {})}
    return {**body, "match": match, "times": times}


def title_of(fault: dict[str, Any]) -> str:
    """What the page calls an active fault, as `GET /_simulator/faults` shows it."""
    for offered in OFFERED.values():
        if all(_is_same(fault, name, value) for name, value in offered.body.items()):
            return offered.title
    return f"{fault['fault']} {fault['status'] or ''}".strip()


def _is_same(fault: dict[str, Any], name: str, value: Any) -> bool:
    if name == "match":
        return all(fault["match"].get(key) == wanted for key, wanted in value.items())
    if name == "problem":
        return bool((fault["problem"] or {}).get("type") == value)
    return bool(fault[name] == value)
