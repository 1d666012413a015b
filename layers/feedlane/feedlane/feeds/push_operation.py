"""A push operation: the record of one push request, `Pending → Success / Failed / TimedOut`."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from feedlane.errors import Finding
from feedlane.ids import feed_id
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
    """`through` is the ledger line whose delivery makes it succeed; 0 until it is recorded.

    `lines` is the number of lines it added, up to `through`; the rest of its `transactions` were already in the ledger.
    `backfill` is the key of the refused push that this one mends (`hole.py`).
    For a release, `lines` is the number of lines from the first one not delivered, with those set aside.
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
    backfill: str = ""
    through: int = 0
    lines: int = 0
    version: int = 0

    @property
    def is_unrecorded(self) -> bool:
        """A push of the API that the ledger has yet to take, or refuse."""
        return self.door is Door.API and not self.is_decided

    @property
    def is_decided(self) -> bool:
        """Whether the ledger has taken or refused it: a repeat changes nothing.

        One that timed out before is recorded all the same. If it is refused, it has errors beside its time-out.
        """
        may_be_recorded = self.status in (PushStatus.PENDING, PushStatus.TIMED_OUT) and not self.errors
        return bool(self.through) or not may_be_recorded

    @property
    def is_refused(self) -> bool:
        return self.status is PushStatus.FAILED or bool(self.errors)

    @property
    def feed_id(self) -> str:
        return feed_id(self.connection_id, self.account_id)

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
        """When it times out, if its sender set a timeout."""
        if self.timeout_in_minutes is None:
            return None
        return self.requested_on + timedelta(minutes=self.timeout_in_minutes)

    def timed_out(self, now: datetime) -> PushOperation:
        """Only the operation ends: its transactions may still be delivered."""
        message = f"The operation did not finish within {self.timeout_in_minutes} minutes."
        return self.but(status=PushStatus.TIMED_OUT, status_code=408, completed_on=now, error_message=message)
