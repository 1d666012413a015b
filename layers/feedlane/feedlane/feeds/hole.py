"""A hole: a refused push whose transactions are missing, while what comes after it may go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation
from feedlane.record import Record


class Hole(Record):
    """A door took the push, and the ledger refused it. Open until its transactions are recorded, or given up.

    `missing` of its readable transactions are not recorded; `next_missing` is the id of the first of them. `unread` is
    how many could not be read: nothing tells when those arrive, so only a backfill that names the push closes it.
    """

    operation_key: str
    company_id: str
    requested_on: datetime
    transactions: int
    unread: int
    missing: int
    next_missing: str = ""
    first_date: str = ""
    last_date: str = ""
    error: str

    def without(self, missing: Sequence[str]) -> Hole:
        """As it is when only the transactions `missing` are left."""
        return self.but(missing=len(missing), next_missing=missing[0] if missing else "")


def hole_of(operation: PushOperation, lines: Sequence[Line], missing: Sequence[Line], error: str) -> Hole | None:
    """The hole that a refused push leaves; None if every transaction is in the ledger.

    `lines` are those that could be read, `missing` those of them that are not recorded.
    """
    unread = max(0, operation.transactions - len(lines))
    if not missing and not unread:
        return None
    hole = Hole(
        operation_key=operation.key,
        company_id=operation.company_id,
        requested_on=operation.requested_on,
        transactions=operation.transactions,
        unread=unread,
        missing=0,
        first_date=min((line.date for line in missing), default=""),
        last_date=max((line.date for line in missing), default=""),
        error=error,
    )
    return hole.without([line.id for line in missing])
