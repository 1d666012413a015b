"""A push operation: the record of one push request, `Pending → Success / Failed / TimedOut`."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from feedlane.errors import Finding
from feedlane.problem import Problem
from feedlane.record import Record


class PushStatus(StrEnum):
    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"


class Door(StrEnum):
    API = "api"
    QUEUE = "queue"
    RELEASE = "release"


class PushOperation(Record):
    """`through` is the ledger line with whose delivery it succeeds; 0 while it is not recorded.

    `lines` is how many lines it added, up to `through`; the rest of its `transactions` were in the ledger before.
    """

    key: str
    company_id: str
    connection_id: str
    account_id: str
    door: Door
    requested_on: datetime
    status: PushStatus = PushStatus.PENDING
    status_code: int = 202
    completed_on: datetime | None = None
    timeout_in_minutes: int | None = None
    error_message: str | None = None
    problem: Problem | None = None
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    content: str = ""
    parts: int = 0
    transactions: int = 0
    through: int = 0
    lines: int = 0
    version: int = 0

    def succeeded(self, now: datetime) -> PushOperation:
        return self.but(status=PushStatus.SUCCESS, status_code=200, completed_on=now)

    def failed(
        self,
        now: datetime,
        message: str,
        status_code: int = 400,
        problem: Problem | None = None,
        errors: tuple[Finding, ...] = (),
    ) -> PushOperation:
        return self.but(
            status=PushStatus.FAILED,
            status_code=status_code,
            completed_on=now,
            error_message=message,
            problem=problem,
            errors=errors,
        )

    @property
    def due(self) -> datetime | None:
        """When it times out, if its sender gave it a time."""
        if self.timeout_in_minutes is None:
            return None
        return self.requested_on + timedelta(minutes=self.timeout_in_minutes)

    def timed_out(self, now: datetime) -> PushOperation:
        """Only the status ends: what is recorded may still be delivered."""
        message = f"The operation did not end within {self.timeout_in_minutes} minutes."
        return self.but(status=PushStatus.TIMED_OUT, status_code=408, completed_on=now, error_message=message)
