"""Errors of the domain. Each carries its facts; `codat/errors.py` is the one place that turns them into answers."""

from __future__ import annotations

from feedlane.problem import Problem
from feedlane.record import Record


class Finding(Record):
    """One thing that validation has to say about one item: its id (or field), the rule, and a sentence."""

    item_id: str
    message: str
    validator: str


class FeedlaneError(Exception):
    """The base of all errors that a caller can cause or must be told of."""


class Invalid(FeedlaneError):
    """Bad input: which fields, and the rule each breaks."""

    def __init__(self, message: str, findings: list[Finding] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.findings = findings or []

    @classmethod
    def field(cls, name: str, message: str, validator: str = "Validation") -> Invalid:
        finding = Finding(item_id=name, message=message, validator=validator)
        return cls(f"{name}: {message}", [finding])


class NotFound(FeedlaneError):
    def __init__(self, what: str, id: str) -> None:
        super().__init__(f"No {what} was found with ID {id}")
        self.what = what


class Conflict(FeedlaneError):
    """The request contradicts what is there, or one limit of ours is reached."""


class Unauthorized(FeedlaneError):
    """The caller did not say who it is, or not rightly."""


class Refused(FeedlaneError):
    """The other side (or a hold because of it) refuses; `problem` is what it said."""

    def __init__(self, problem: Problem, message: str | None = None) -> None:
        super().__init__(message or problem.sentence)
        self.problem = problem


class Unavailable(FeedlaneError):
    """Something needed did not answer, or asked us to come back later (seconds, if it said)."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ReconnectionNeeded(FeedlaneError):
    """The token set is dead, or the connection is gone at the other side: only the customer can mend it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


# Why the whole app is held then.
APP_KEYS_REJECTED = "app-keys-rejected"


class AppKeysRejected(FeedlaneError):
    """Xero does not know the app's keys, or the keys are not set: the app's fault, never a customer's."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem
