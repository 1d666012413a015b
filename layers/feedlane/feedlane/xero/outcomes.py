"""What an unsuccessful answer means for the sender: refused, try later, failed, or unknown."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import httpx

from feedlane.errors import APP_KEYS_REJECTED, FeedlaneError, NotSent, Unanswered
from feedlane.feeds import obstacles
from feedlane.feeds.call_limits import CallLimits
from feedlane.feeds.obstacles import Obstacle
from feedlane.feeds.refusals import INTERNAL_ERROR, refusal_of
from feedlane.feeds.upstream import Failed, NoAnswer, TryLater
from feedlane.retry_after import xero_retry_after
from feedlane.scope import Scope
from feedlane.xero.problems import is_page, problems_in

# Which limit was hit -> what has to wait, and for how long if Xero does not say (as for `concurrent`).
# Spellings vary (`day`, `DayLimit`): only the start is compared.
_RATE_LIMITS = {
    "app": (Scope.APP, 10),
    "minute": (Scope.TENANT, 10),
    "day": (Scope.TENANT, 600),
    "concurrent": (Scope.TENANT, 1),
}
_OUTAGE_SECONDS = 30


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


def share_wait(limits: CallLimits, tenant_id: str | None, answer: httpx.Response, now: datetime) -> None:
    """Tells everyone of the wait that this answer asks for, if it asks for one."""
    asked = wait_asked(answer, now)
    if asked is not None:
        limits.wait(tenant_id, *asked)


def obstacle_of(error: FeedlaneError | NotSent | Unanswered) -> Obstacle:
    """The same for an error that kept the request from being sent or answered."""
    return obstacles.obstacle_of(error, keys_rejected=APP_KEYS_REJECTED, no_access_now="no-token-now")


def raise_obstacle(obstacle: Obstacle) -> NoReturn:
    """Raises the obstacle as an error of the domain, for callers that wait for a result."""
    obstacles.raise_obstacle(obstacle, "Xero")


def _rate_limit(answer: httpx.Response, now: datetime) -> TryLater:
    header = answer.headers.get("x-rate-limit-problem", "").strip().lower()
    kind = next((kind for kind in _RATE_LIMITS if header.startswith(kind)), "minute")
    scope, default_seconds = _RATE_LIMITS[kind]
    seconds = xero_retry_after(answer.headers, now) or default_seconds
    return TryLater(scope=scope, seconds=seconds, reason=f"rate-limit-{kind}")
