"""The errors of the domain. Each carries its facts; only `codat/errors.py` turns them into HTTP answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from feedlane.problem import Problem
from feedlane.record import Record


class Finding(Record):
    """One finding of a validation: the item's id (or the field), the rule, and what it demands."""

    item_id: str
    message: str
    validator: str


class FeedlaneError(Exception):
    """The base of all errors that a caller can cause or has to know about."""


class Invalid(FeedlaneError):
    """Bad input: which fields are wrong, and the rule that each breaks."""

    def __init__(self, message: str, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.findings = findings or []

    @classmethod
    def field(cls, name: str, message: str, validator: str = "Validation") -> Invalid:
        finding = Finding(item_id=name, message=message, validator=validator)
        return cls(f"{name}: {message}", [finding])


def require_all(*rules: Callable[[], object]) -> None:
    """Applies every rule, so that whoever filled in a form reads all that is wrong at once. Raises `Invalid`."""
    found: list[Invalid] = []
    for rule in rules:
        try:
            rule()
        except Invalid as error:
            found.append(error)
    if found:
        findings = [finding for error in found for finding in error.findings]
        raise Invalid("; ".join(error.message for error in found), findings)


class NotFound(FeedlaneError):
    def __init__(self, what: str, id: str) -> None:
        super().__init__(f"No {what} was found with ID {id}")
        self.what = what


class Conflict(FeedlaneError):
    """The request contradicts the current state, or a limit of Feedlane's is reached."""


class Unauthorized(FeedlaneError):
    """The caller sent no credentials, or wrong ones."""


class TooManyAttempts(FeedlaneError):
    """Too many wrong credentials came from the caller's address. It may try again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many wrong API keys have come from this address; try again later.")
        self.retry_after = retry_after


class Refused(FeedlaneError):
    """Xero refuses, now or in the hold that records it; `problem` is Xero's."""

    def __init__(self, problem: Problem, message: str | None = None) -> None:
        super().__init__(message or problem.sentence)
        self.problem = problem


class Unavailable(FeedlaneError):
    """A dependency did not answer, or asked to be called later: `retry_after` has the seconds, if it named any."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LimitReached(Unavailable):
    """Xero's limits, or a wait that Xero asked for, forbid the call now. It was not made."""

    def __init__(self, seconds: float) -> None:
        wait = max(1, math.ceil(seconds))
        super().__init__(f"Xero may not be called for another {wait} seconds: its limits for calls are reached", wait)


class ReconnectionNeeded(FeedlaneError):
    """The token set is dead, or the connection is gone at Xero: only the customer can restore it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


# The reason of the hold on the app that follows.
APP_KEYS_REJECTED = "app-keys-rejected"


class AppKeysRejected(FeedlaneError):
    """Xero does not know the app's keys, or the keys are not set: the app's fault, never a customer's."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


class NotSent(Exception):
    """No connection was made: the upstream has not received the request."""


class Unanswered(Exception):
    """The request was sent and no complete answer came back: what the upstream did with it is unknown."""


class TimedOut(Unanswered, TimeoutError):
    """Nothing came back in the whole time that a call may take: whoever calls again pays that time again."""
