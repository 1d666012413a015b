"""The one place that turns exceptions into Codat's error envelope.

Codat's SDKs raise a typed error only for statuses that the operation documents, and retry 408, 429 and every 5xx for up
to an hour: an error that no retry resolves is a 4xx here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from feedlane.errors import (
    AppKeysRejected,
    Conflict,
    Finding,
    Invalid,
    NotFound,
    ReconnectionNeeded,
    Refused,
    TooManyAttempts,
    Unauthorized,
    Unavailable,
)
from feedlane.problem import Problem
from feedlane.store.table import ConditionFailed, Throttled

SERVICE = "PublicApi"
RACE_RETRY_SECONDS = 1
THROTTLED_RETRY_SECONDS = 2


class NotSupported(Exception):
    """Codat's API has this feature, Feedlane does not. Codat answers 404 for what a platform does not support."""

    def __init__(self, feature: str, status: int = 404) -> None:
        super().__init__(f"{feature} is not supported for Xero bank feeds.")
        self.status = status


class UnknownRoute(Exception):
    """No route has this path, or (with `allowed`, the methods there are) not with this method."""

    def __init__(self, method: str, path: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(f"{method} is not allowed on {path}." if allowed else f"There is no route {method} {path}.")
        self.status = 405 if allowed else 404
        self.allowed = allowed


class RefusedInput(Refused):
    """Xero refuses the input, not the caller: another input may succeed."""


@dataclass(frozen=True)
class ErrorAnswer:
    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    problem: Problem | None = None
    retry: str = "False"

    def envelope(self, correlation_id: str) -> dict[str, Any]:
        """`canBeRetried` is a string: a JSON boolean makes the SDKs lose the whole error."""
        body: dict[str, Any] = {
            "statusCode": self.status,
            "service": SERVICE,
            "error": self.message,
            "correlationId": correlation_id,
            "canBeRetried": self.retry,
            "detailedErrorCode": 0,
            "validation": {"errors": [finding_json(finding) for finding in self.errors], "warnings": []}
            if self.errors
            else None,
        }
        return body | ({"problem": problem_json(self.problem)} if self.problem else {})


_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (RefusedInput, 400),
    (Refused, 403),
    (ReconnectionNeeded, 403),
    (AppKeysRejected, 403),
    (NotFound, 404),
    (Conflict, 409),
)


def error_answer(error: Exception) -> ErrorAnswer:
    match error:
        case Invalid():
            return ErrorAnswer(400, error.message, errors=error.findings)
        case Unauthorized():
            return ErrorAnswer(401, "Unauthorized")
        case NotSupported():
            return ErrorAnswer(error.status, str(error))
        case UnknownRoute():
            return ErrorAnswer(error.status, str(error), {"Allow": ", ".join(error.allowed)} if error.allowed else {})
        case TooManyAttempts():
            return _later(429, str(error), error.retry_after)
        case ConditionFailed() | Throttled():
            return _busy(error)
        case Unavailable():
            return _later(503, str(error), error.retry_after)
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return ErrorAnswer(status, str(error), problem=getattr(error, "problem", None))
    return ErrorAnswer(500, "An unexpected error occurred.", retry="Unknown")


def _busy(error: ConditionFailed | Throttled) -> ErrorAnswer:
    if isinstance(error, Throttled):
        return _later(503, "The table is busy; please retry.", THROTTLED_RETRY_SECONDS)
    message = "Another request changed the same resource at the same time; please retry."
    return _later(503, message, RACE_RETRY_SECONDS)


def _later(status: int, message: str, seconds: int | None) -> ErrorAnswer:
    """An answer that says that the call can be repeated, and when if that is known."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return ErrorAnswer(status, message, headers, retry="True")


def finding_json(finding: Finding) -> dict[str, str]:
    return {"itemId": finding.item_id, "message": finding.message, "validatorName": finding.validator}


def problem_json(problem: Problem | None) -> dict[str, Any] | None:
    return problem.model_dump() if problem else None
