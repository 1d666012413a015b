"""A feed: a source account mapped to a feed connection, with its ledger. The unit of order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from feedlane.companies.connection import CODAT_ACCESS, UpstreamName
from feedlane.companies.source_account import AccountKind, LedgerBalance
from feedlane.record import Record
from feedlane.scope import APP_SUBJECT, CODAT_SUBJECT, Scope, hold_subjects


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


class Closing(Record):
    """The closing balance of the last statement delivered to this feed connection."""

    feed_connection_id: str
    balance: Decimal


class Destination(Record):
    """Where a feed's lines go, or went: a feed connection and the Xero account behind it, once that is known.

    `through` is the last line that went there, of a former one.
    """

    feed_connection_id: str
    account_id: str = ""
    account_name: str = ""
    upstream: UpstreamName = UpstreamName.XERO
    through: int = 0

    def is_same_account(self, other: Destination) -> bool | None:
        """None if that is not known. Whether two upstreams have the same ids for an account is not: then the name may
        show it."""
        if not self.account_id or not other.account_id:
            return None
        if self.account_id == other.account_id or self.upstream is other.upstream:
            return self.account_id == other.account_id
        return self.account_name == other.account_name if self.account_name and other.account_name else None


class Span(Record):
    """The upstream of the lines from line `first` on, up to the next span."""

    upstream: UpstreamName
    first: int


class Feed(Record):
    """The state of a feed. Lines are numbered from 1 in the order of the ledger.

    `delivered_through` ≤ `flight.last` ≤ `recorded_through`. For example, lines 1 to 10 are recorded, 1 to 4 delivered,
    5 is set aside, and 6 to 8 are in flight: `recorded_through` is 10, `delivered_through` 4, `set_aside_ahead` 1,
    `passed_through` 5 and `flight.last` 8. Five lines are `waiting` (6 to 10): those in flight are not yet delivered.

    `set_aside` counts all lines ever set aside, `set_aside_ahead` those after `delivered_through`.

    `suspect_through`: lines up to this one were refused together, perhaps for one of them, so that they are sent in
    halves until it is found. It means nothing any more once they are delivered or set aside.

    `start_date` came with the last mapping: lines dated before it are set aside when they are recorded. Empty: none.

    `synthetic_balances` is the feed's own choice, None to follow the settings. Then a statement opens with `closing`.

    `gaps` counts the lines recorded so far whose balance does not follow from the line before (`gap_items.py`), and
    `delivered_on` is when a statement was delivered last.

    `sent_date` is the latest day of any statement: only a backfill goes back behind it. `holes` counts the refused
    pushes whose transactions are missing (`hole.py`). `hole_to_hold`: one was to hold the feed, which was held already;
    so the next push does, once that other hold is released.

    `version` rises with every change: appending, cutting and delivering each commit on the version that they have read.

    `feed_connection_id` is empty while there is none. `awaits_connection`: the account's mapping is wanted all the
    same, and its feed connection is made as soon as Xero lets us (`mapping/again.py`). `ending` is the feed connection
    that Xero was last asked to delete: it may be listed for a while, and must not be used again. `destination` is the
    last one that was used, and `former` are those before it, in their order.

    `spans` are the upstreams that the feed has had, each with its first line; empty if there was only one. `changing`:
    its connection changes the upstream, or has done so, and nothing is sent until the account is mapped there.

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
    awaits_connection: bool = False
    ending: str = ""
    destination: Destination | None = None
    former: tuple[Destination, ...] = ()
    spans: tuple[Span, ...] = ()
    changing: bool = False
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
    synthetic_balances: bool | None = None
    closing: Closing | None = None
    sent_date: str = ""
    gaps: int = 0
    delivered_on: datetime | None = None
    holes: int = 0
    hole_to_hold: bool = False
    suspect_through: int = 0
    look: datetime | None = None
    version: int = 0

    @property
    def waiting(self) -> int:
        """How many recorded lines are still to be delivered."""
        return self.recorded_through - self.delivered_through - self.set_aside_ahead

    @property
    def closing_balance(self) -> Decimal | None:
        """What the next statement opens with if its balances are computed. None: nothing was delivered there yet."""
        closing = self.closing
        if closing is None:
            return None
        is_there = closing.feed_connection_id == self.feed_connection_id or self._is_continued(closing)
        return closing.balance if is_there else None

    def _is_continued(self, closing: Closing) -> bool:
        """Whether the feed connection feeds the account that another upstream has fed up to this balance."""
        present, former = self.destination, self.former[-1] if self.former else None
        if present is None or former is None or former.feed_connection_id != closing.feed_connection_id:
            return False
        return former.upstream is not present.upstream and former.is_same_account(present) is True

    @property
    def upstream(self) -> UpstreamName:
        return UpstreamName.CODAT if self.token_set_id == CODAT_ACCESS else UpstreamName.XERO

    def continued_through(self, upstream: UpstreamName) -> Feed:
        """The feed whose lines after those delivered go through this upstream."""
        spans, first = self.spans or (Span(upstream=self.upstream, first=1),), self.delivered_through + 1
        if spans[-1].upstream is upstream:
            return self
        before = tuple(span for span in spans if span.first < first)
        if before and before[-1].upstream is upstream:
            return self.but(spans=before)
        return self.but(spans=(*before, Span(upstream=upstream, first=first)))

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

    def all_passed(self) -> Feed:
        """The feed of which every line is delivered or set aside."""
        return self.but(delivered_through=self.recorded_through, set_aside_ahead=0, id_turn=0)

    def undelivered(self, last: int) -> Feed:
        """The feed after its statement up to line `last` ended without being delivered."""
        return self.but(flight=None, tried_through=max(self.tried_through, last))

    def sent_to(self, destination: Destination) -> Feed:
        """The feed with another destination: what the upstream has by now went to the one before."""
        before = self.destination
        if before is None or _is_same_place(before, destination):
            return self.but(destination=destination)
        flight = self.flight
        is_taken = flight is not None and flight.status is FlightStatus.PENDING
        last = max(self.delivered_through, flight.last if flight is not None and is_taken else 0)
        # Where ids come again, the other account must not open with what this one has.
        closing = None if before.feed_connection_id == destination.feed_connection_id else self.closing
        return self.but(destination=destination, former=(*self.former, before.but(through=last)), closing=closing)

    def delivered_by(self, feed_connection_id: str, last: int) -> Feed:
        """The feed whose lines up to `last` went out through this feed connection, perhaps a former one.

        One whose id the present one has again is not told from it.
        """
        present = self.destination.feed_connection_id if self.destination else ""
        ids = [former.feed_connection_id for former in self.former]
        if feed_connection_id == present or feed_connection_id not in ids:
            return self
        at = ids.index(feed_connection_id)
        later = (former.but(through=max(former.through, last)) for former in self.former[at:])
        return self.but(former=(*self.former[:at], *later))

    def elsewhere(self, number: int) -> Destination | None:
        """The other account that has the line. None for a line that the present account has, or will have."""
        present = self.destination
        for former in self.former:
            if number <= former.through:
                return former if present and former.is_same_account(present) is False else None
        return None

    @property
    def has_lines_elsewhere(self) -> bool:
        """Whether another account than the present one has some of its lines."""
        return any(self.elsewhere(former.through) for former in self.former if former.through)

    @property
    def ledger_balance(self) -> LedgerBalance | None:
        """None before the first line."""
        return None if self.recorded_balance is None else LedgerBalance(self.recorded_balance, self.recorded_date)

    @property
    def hold_subjects(self) -> list[tuple[Scope, str]]:
        return hold_subjects(self.id, self.connection_id, self.tenant_id, self.app_subject)

    @property
    def app_subject(self) -> str:
        """What a hold or a wait of the app is on, if it stops this feed."""
        return CODAT_SUBJECT if self.upstream is UpstreamName.CODAT else APP_SUBJECT


def _is_same_place(one: Destination, other: Destination) -> bool:
    """Whether it is one feed connection of one account, which may show later than the feed connection.

    At Codat, an account's feed connection always has the same id, whatever it is mapped to.
    """
    is_same_account = not one.account_id or one.account_id == other.account_id
    return one.feed_connection_id == other.feed_connection_id and is_same_account
