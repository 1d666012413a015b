"""What an unsuccessful answer means for the sender: refused, try later, failed, or unknown."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import httpx

from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.errors import (
    APP_KEYS_REJECTED,
    AppKeysRejected,
    FeedlaneError,
    LimitReached,
    ReconnectionNeeded,
    Refused,
    Unavailable,
)
from feedlane.feeds.refusals import INTERNAL_ERROR, refusal_of
from feedlane.feeds.upstream import Failed, NoAnswer, Refusal, TryLater
from feedlane.retry_after import xero_retry_after
from feedlane.scope import Scope
from feedlane.xero.http import NotSent, Unanswered
from feedlane.xero.problems import is_page, problems_in

Obstacle = Refusal | TryLater | Failed | NoAnswer

# Which limit was hit -> what has to wait, and for how long if Xero does not say (as for `concurrent`).
# Spellings vary (`day`, `DayLimit`): only the start is compared.
_RATE_LIMITS = {
    "app": (Scope.APP, 10),
    "minute": (Scope.TENANT, 10),
    "day": (Scope.TENANT, 600),
    "concurrent": (Scope.TENANT, 1),
}
_OUTAGE_SECONDS = 30
_UNREACHABLE_WAIT_SECONDS = 5
_VAULT_WAIT_SECONDS = 5


def obstacle_in(answer: httpx.Response, now: datetime) -> Obstacle | None:
    """Why the request was not done; None for a success, whose items may still be refused.

    A page of something in front of Xero is an outage. What Xero did before it came, nobody knows: see
    `is_outcome_unknown`.
    """
    status = answer.status_code
    if answer.is_success:
        return None
    if status == 429:
        return _rate_limit(answer, now)
    if status == 503:
        # Maintenance, or "The Organisation is offline": Xero did not take the request.
        seconds = xero_retry_after(answer.headers, now) or _OUTAGE_SECONDS
        return TryLater(scope=Scope.TENANT, seconds=seconds, reason="outage", is_outage=True)
    if status == 408:
        return NoAnswer(reason="Request Timeout")
    if answer.is_client_error and is_page(status, answer.content):
        return TryLater(scope=Scope.TENANT, seconds=_OUTAGE_SECONDS, reason="outage", is_outage=True)
    problems = problems_in(status, answer.content)
    problem = problems[0] if problems else problems_in(502, b"")[0]
    if not answer.is_client_error or problem.type == INTERNAL_ERROR:
        return Failed(problem=problem)
    return refusal_of(problem)


def wait_asked(answer: httpx.Response, now: datetime) -> tuple[Scope, int] | None:
    """What has to wait, and for how many seconds, because this answer says so: every 429, and every `Retry-After`."""
    if answer.status_code == 429:
        limit = _rate_limit(answer, now)
        return limit.scope, limit.seconds
    seconds = None if answer.is_success else xero_retry_after(answer.headers, now)
    return None if seconds is None else (Scope.TENANT, seconds)


def is_outcome_unknown(answer: httpx.Response) -> bool:
    """Whether Xero may have done what was asked, although a refusal came back: the refusal is a page's.

    A 429 and a 503 say themselves that nothing was taken.
    """
    return answer.is_client_error and answer.status_code != 429 and is_page(answer.status_code, answer.content)


def obstacle_of(error: FeedlaneError | NotSent | Unanswered) -> Obstacle:
    """The same for an error that kept the request from being sent or answered."""
    match error:
        case NotSent():
            return TryLater(scope=Scope.TENANT, seconds=_UNREACHABLE_WAIT_SECONDS, reason="unreachable", is_outage=True)
        case Unanswered():
            return NoAnswer(reason=str(error))
        case ReconnectionNeeded(problem=problem):
            return Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=problem)
        case AppKeysRejected(problem=problem):
            return Refusal(scope=Scope.APP, reason=APP_KEYS_REJECTED, problem=problem)
        case LimitReached(retry_after=seconds):
            # Ours, not Xero's: nobody else has to wait for it.
            return TryLater(scope=Scope.FEED, seconds=seconds or 1, reason="own-limit")
        case Unavailable(retry_after=seconds):
            return TryLater(
                scope=Scope.TENANT, seconds=seconds or _VAULT_WAIT_SECONDS, reason="no-token-now", is_outage=True
            )
        case _:
            raise error


def raise_obstacle(obstacle: Obstacle) -> NoReturn:
    """Raises the obstacle as an error of the domain, for callers that wait for a result."""
    match obstacle:
        case Refusal(scope=Scope.CONNECTION, problem=problem):
            raise ReconnectionNeeded(problem)
        case Refusal(problem=problem):
            raise Refused(problem)
        case TryLater(seconds=seconds, reason=reason):
            raise Unavailable(f"Xero asked to try again later ({reason})", seconds)
        case Failed(problem=problem):
            raise Unavailable(f"Xero failed: {problem.sentence}")
        case NoAnswer(reason=reason):
            raise Unavailable(f"Xero did not answer ({reason})")


def _rate_limit(answer: httpx.Response, now: datetime) -> TryLater:
    header = answer.headers.get("x-rate-limit-problem", "").strip().lower()
    kind = next((kind for kind in _RATE_LIMITS if header.startswith(kind)), "minute")
    scope, default_seconds = _RATE_LIMITS[kind]
    seconds = xero_retry_after(answer.headers, now) or default_seconds
    return TryLater(scope=scope, seconds=seconds, reason=f"rate-limit-{kind}")
