"""What an unsuccessful answer of Codat's means: refused, try later, failed, or unknown."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import httpx

from feedlane.codat_upstream.answers import Item, envelope_in, rate_limit_seconds, retry_after
from feedlane.codat_upstream.problems import KEY_REJECTED, envelope_problems, refusal_for, said_by_codat
from feedlane.feeds import obstacles
from feedlane.feeds.obstacles import Obstacle
from feedlane.feeds.refusals import INTERNAL_ERROR, NO_TYPE, status_phrase
from feedlane.feeds.upstream import Failed, NoAnswer, TryLater
from feedlane.problem import Problem
from feedlane.scope import Scope

_OUTAGE_SECONDS = 30


def obstacle_in(answer: httpx.Response, now: datetime, *, writes: bool = False) -> Obstacle | None:
    """Why the request was not done; None for a success.

    A page is an outage of something in front of Codat, at a 429 too. What Codat did before it came, nobody knows: that
    leaves the outcome of a request that `writes` open, as does every failure of Codat's.
    """
    status = answer.status_code
    if answer.is_success:
        return None
    envelope = envelope_in(answer)
    if status == 429 and (envelope is not None or not writes):
        return TryLater(scope=Scope.APP, seconds=rate_limit_seconds(answer, now), reason="rate-limit-codat")
    if status == 408:
        return NoAnswer(reason="Request Timeout")
    if envelope is None or not answer.is_client_error:
        return _failure(answer, envelope, now, writes)
    if status == 409:
        problem = envelope_problems(envelope, status)[0]
        if not said_by_codat(problem):
            return refusal_for(problem)
        # The first request with this key is still in progress, or what it is about is not ready, or not connected.
        return NoAnswer(reason="409 Conflict", problem=problem)
    return refusal_for(envelope_problems(envelope, status)[0])


def _failure(answer: httpx.Response, envelope: Item | None, now: datetime, writes: bool) -> Obstacle:
    status, seconds = answer.status_code, retry_after(answer, now) or _OUTAGE_SECONDS
    is_maintenance = status == 503 and envelope is not None
    if is_maintenance or not writes:
        # Codat is offline for maintenance and has taken nothing; but it keeps this answer under the key, as any other.
        return TryLater(
            scope=Scope.TENANT, seconds=seconds, reason="outage", is_outage=True, key_is_spent=is_maintenance and writes
        )
    if answer.is_client_error:
        return NoAnswer(reason=f"{status} without Codat's words")
    if envelope is None:
        return Failed(problem=Problem(type=NO_TYPE, title=status_phrase(status), status=status))
    return Failed(problem=envelope_problems(envelope, status)[0].but(type=INTERNAL_ERROR, title=status_phrase(status)))


def obstacle_of(error: Exception) -> Obstacle:
    """The same for an error that kept the request from being sent or answered."""
    return obstacles.obstacle_of(error, keys_rejected=KEY_REJECTED, no_access_now="no-key-now")


def raise_obstacle(obstacle: Obstacle) -> NoReturn:
    """Raises the obstacle as an error of the domain, for callers that wait for a result."""
    obstacles.raise_obstacle(obstacle, "Codat")
