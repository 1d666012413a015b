"""What keeps an upstream from doing what it is asked, as data: for both upstreams the same."""

from __future__ import annotations

from typing import NoReturn

from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.errors import AppKeysRejected, LimitReached, NotSent, ReconnectionNeeded, Refused, Unanswered, Unavailable
from feedlane.feeds.upstream import Failed, NoAnswer, Refusal, TryLater
from feedlane.scope import Scope

Obstacle = Refusal | TryLater | Failed | NoAnswer

# What keeps a call from being sent or answered. `LimitReached` is `Unavailable` too.
CALL_ERRORS = (NotSent, Unanswered, Unavailable, AppKeysRejected, ReconnectionNeeded)

_UNREACHABLE_WAIT_SECONDS = 5
_NO_ACCESS_WAIT_SECONDS = 5


def obstacle_of(error: Exception, *, keys_rejected: str, no_access_now: str) -> Obstacle:
    """The obstacle that one of `CALL_ERRORS` is.

    `keys_rejected` is the reason of the refusal if the upstream rejects our keys; `no_access_now` is why to try later
    if they cannot be had. Raises any other error again.
    """
    match error:
        case NotSent():
            return TryLater(scope=Scope.TENANT, seconds=_UNREACHABLE_WAIT_SECONDS, reason="unreachable", is_outage=True)
        case Unanswered():
            return NoAnswer(reason=str(error))
        case ReconnectionNeeded(problem=problem):
            return Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=problem)
        case AppKeysRejected(problem=problem):
            return Refusal(scope=Scope.APP, reason=keys_rejected, problem=problem)
        case LimitReached(retry_after=seconds):
            # Ours, not the upstream's: nobody else has to wait for it.
            return TryLater(scope=Scope.FEED, seconds=seconds or 1, reason="own-limit")
        case Unavailable(retry_after=seconds):
            wait = seconds or _NO_ACCESS_WAIT_SECONDS
            return TryLater(scope=Scope.TENANT, seconds=wait, reason=no_access_now, is_outage=True)
        case _:
            raise error


def raise_obstacle(obstacle: Obstacle, upstream: str) -> NoReturn:
    """Raises the obstacle as an error of the domain, for callers that wait for a result of `upstream`."""
    match obstacle:
        case Refusal(scope=Scope.CONNECTION, problem=problem):
            raise ReconnectionNeeded(problem)
        case Refusal(problem=problem):
            raise Refused(problem)
        case TryLater(seconds=seconds, reason=reason):
            raise Unavailable(f"{upstream} asked to try again later ({reason})", seconds)
        case Failed(problem=problem):
            raise Unavailable(f"{upstream} failed: {problem.sentence}")
        case NoAnswer(reason=reason):
            raise Unavailable(f"{upstream} did not answer ({reason})")
