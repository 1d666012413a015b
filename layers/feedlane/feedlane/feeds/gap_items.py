"""How a feed's gaps are kept: beside its head, which counts them, one item for each push that has found some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from feedlane.clock import iso
from feedlane.feeds.ledger import Addition
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import add_record
from feedlane.store.store import Store
from feedlane.store.table import Index, Put

# If the balances of a push do not run at all, more of them would say nothing new.
GAPS_KEPT_MAX = 20


class FoundGap(Record):
    """Transactions may be missing between the line before, dated `after`, and line `line`, dated `before`."""

    line: int
    transaction_id: str
    after: str
    before: str
    expected_balance: Decimal
    given_balance: Decimal

    @property
    def difference(self) -> Decimal:
        return self.given_balance - self.expected_balance


class PushGaps(Record):
    """The first `gaps` of the `count` that a push has found."""

    operation_key: str
    found: datetime
    count: int
    gaps: tuple[FoundGap, ...]


def add_gaps(feed_id: str, operation_key: str, outcome: Addition, latest: str, now: datetime) -> list[Put]:
    """The gaps of a push that is recorded; none if its balances run. `latest` is the date of the line before it."""
    if not outcome.gaps:
        return []
    numbers = {id: recorded.sequence for id, recorded in outcome.ids.items()}
    dates = _dates_before(outcome, latest)
    gaps = tuple(
        FoundGap(
            line=numbers[gap.transaction_id],
            transaction_id=gap.transaction_id,
            after=dates[gap.transaction_id],
            before=gap.date,
            expected_balance=gap.expected_balance,
            given_balance=gap.given_balance,
        )
        for gap in outcome.gaps[:GAPS_KEPT_MAX]
    )
    return [put_gaps(feed_id, PushGaps(operation_key=operation_key, found=now, count=len(outcome.gaps), gaps=gaps))]


def put_gaps(feed_id: str, push: PushGaps) -> Put:
    listed = dict(zip(Index.LISTS.keys, (keys.GAPS, f"{iso(push.found)}#{feed_id}"), strict=True))
    return add_record(keys.gaps(feed_id, push.gaps[0].line), push, **listed)


def feeds_with_gaps(store: Store, since: datetime, limit: int) -> tuple[Mapping[str, datetime], bool]:
    """The feeds in which a gap was found since then, each with the time of the first one; the latest gap's first.

    From the newest `limit` pushes that have found some; and whether there may be more. One feed can have all of these.
    The list is slightly behind the table.
    """
    found, read = dict[str, datetime](), 0
    for item in store.table.query(keys.GAPS, start=iso(since), reverse=True, limit=limit, index=Index.LISTS):
        moment, _, feed_id = item[Index.LISTS.keys[1]].partition("#")
        found[feed_id] = datetime.fromisoformat(moment)
        read += 1
    return found, read == limit


def newest_gaps(store: Store, feed_id: str, limit: int) -> Sequence[PushGaps]:
    """Of the pushes that have found gaps, the last ones first."""
    pk, _ = keys.gaps(feed_id, 0)
    items = store.table.query(pk, prefix="GAP#", reverse=True, limit=limit)
    return [PushGaps.model_validate(item) for item in items]


def _dates_before(outcome: Addition, latest: str) -> Mapping[str, str]:
    """The date of the line before each line, by the line's transaction id."""
    dates = (latest, *(line.date for line in outcome.lines))
    return {line.id: date for line, date in zip(outcome.lines, dates, strict=False)}
