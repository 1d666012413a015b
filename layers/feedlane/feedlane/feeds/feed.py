"""A feed: a source account mapped to a feed connection, with its ledger. The unit of order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from feedlane.companies.source_account import AccountKind, LedgerBalance
from feedlane.record import Record
from feedlane.scope import Scope, hold_subjects


class FlightStatus(StrEnum):
    POSTING = "POSTING"
    """Written down; it is not known whether the upstream has it."""
    PENDING = "PENDING"
    """The upstream has it and has not yet answered how it ended."""


class Flight(Record):
    """The statement in flight: a feed has at most one."""

    number: int
    first: int
    last: int
    status: FlightStatus


class Gathering(Record):
    """More messages were on the queue behind those recorded last, so a statement that is not full waits for them.

    It waits from `since` (the first full batch, or the last statement) to `until`, which every full batch postpones.
    """

    since: datetime
    until: datetime


class SetAside(Record):
    """A line that is never sent, because a release excluded it. It stays in the ledger (`set_aside_items.py`)."""

    sequence: int
    transaction_id: str
    on: datetime


class Feed(Record):
    """The state of a feed. Lines are numbered from 1 in the order of the ledger.

    `delivered_through` ≤ `flight.last` ≤ `recorded_through`. For example, lines 1 to 10 are recorded, 1 to 4 delivered,
    5 is set aside, and 6 to 8 are in flight: `recorded_through` is 10, `delivered_through` 4, `set_aside_ahead` 1,
    `passed_through` 5 and `flight.last` 8. Five lines are `waiting` (6 to 10): those in flight are not yet delivered.

    `set_aside` counts all lines ever set aside, `set_aside_ahead` those after `delivered_through`.

    `suspect_through`: lines up to this one were refused together, perhaps for one of them, so that they are sent in
    halves until it is found. It means nothing any more once they are delivered or set aside.

    `start_date` came with the last mapping: lines dated before it are set aside when they are recorded. Empty: none.

    `version` rises with every change: appending, cutting and delivering each commit on the version that they have read.

    Lines up to `tried_through` were in a statement that ended without being delivered. If Xero keeps their ids, they
    are sent under others: those of `id_turn`, if that is not 0.

    `look` is when the watch looks at the feed, should nobody have moved it on by then. Whatever moves it on sets it
    anew; what is only appended does not, or a steady stream would put the look off for ever.
    """

    id: str
    company_id: str
    connection_id: str
    account_id: str
    tenant_id: str
    token_set_id: str
    feed_connection_id: str
    kind: AccountKind = AccountKind.BANK
    currency: str
    time_zone: str = "UTC"
    created: datetime
    start_date: str = ""
    recorded_through: int = 0
    recorded_date: str = ""
    recorded_balance: Decimal | None = None
    delivered_through: int = 0
    statements: int = 0
    flight: Flight | None = None
    tried_through: int = 0
    id_turn: int = 0
    gathering: Gathering | None = None
    set_aside: int = 0
    set_aside_ahead: int = 0
    suspect_through: int = 0
    look: datetime | None = None
    version: int = 0

    @property
    def waiting(self) -> int:
        """How many recorded lines are still to be delivered."""
        return self.recorded_through - self.delivered_through - self.set_aside_ahead

    def passed_through(self, never_sent: Collection[int]) -> int:
        """The last line that needs no delivery: `delivered_through`, or the last one set aside directly after it.

        `never_sent` are the lines after `delivered_through` that are set aside, at least as far as needed.
        """
        through = self.delivered_through
        while through + 1 in never_sent:
            through += 1
        return through

    def delivered(self, through: int, never_sent: Collection[int]) -> Feed:
        """The feed with every line up to `through` delivered, and those set aside directly after it passed."""
        passed = self.but(delivered_through=through).passed_through(never_sent)
        behind = sum(self.delivered_through < number <= passed for number in never_sent)
        id_turn = self.id_turn if passed < self.tried_through else 0
        return self.but(delivered_through=passed, set_aside_ahead=self.set_aside_ahead - behind, id_turn=id_turn)

    def undelivered(self, last: int) -> Feed:
        """The feed after its statement up to line `last` ended without being delivered."""
        return self.but(flight=None, tried_through=max(self.tried_through, last))

    @property
    def ledger_balance(self) -> LedgerBalance | None:
        """None before the first line."""
        return None if self.recorded_balance is None else LedgerBalance(self.recorded_balance, self.recorded_date)

    @property
    def hold_subjects(self) -> list[tuple[Scope, str]]:
        return hold_subjects(self.id, self.connection_id, self.tenant_id)
