"""What became of the holds on a subject before: when they were released, by whom, and what was sent then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.feeds.push_operation import PushOperation
from feedlane.holds.hold import Hold
from feedlane.record import Record
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Index, Put

RETENTION = timedelta(days=90)
RELEASES_KEPT_MAX = 10
OPERATIONS_KEPT_MAX = 4


class StartedOperation(Record):
    company_id: str
    key: str


class Release(Record):
    """A hold that was released. `by`: who asked for it; empty if it came by itself.

    `operations` are those under which its transactions are sent, or the first of them if `has_more`.
    """

    hold_id: str
    reason: str
    title: str
    since: datetime
    released: datetime
    by: str = ""
    transactions: int = 0
    operations: tuple[StartedOperation, ...] = ()
    has_more: bool = False


class HoldHistory(Record):
    """The latest releases on a subject, the last one at the end."""

    scope: Scope
    subject: str
    company_id: str | None = None
    connection_id: str | None = None
    account_id: str | None = None
    releases: tuple[Release, ...] = ()

    @property
    def latest(self) -> Release:
        return self.releases[-1]


def find_histories(store: Store, subjects: Iterable[tuple[Scope, str]]) -> dict[tuple[Scope, str], HoldHistory]:
    found = store.table.get_many(keys.hold_history(scope, subject) for scope, subject in subjects)
    histories = map(HoldHistory.model_validate, found.values())
    return {(history.scope, history.subject): history for history in histories}


def latest_histories(store: Store, limit: int) -> list[HoldHistory]:
    """Those of the subjects whose holds were released last. The list is slightly behind the table."""
    items = store.table.query(keys.RELEASED_HOLDS, reverse=True, limit=limit, index=Index.LISTS)
    return [HoldHistory.model_validate(item) for item in items]


def add_release(
    store: Store,
    hold: Hold,
    now: datetime,
    by: str,
    transactions: int,
    operations: Sequence[PushOperation],
    has_more: bool = False,
) -> Put:
    """The write that records the release, for the commit that lifts the hold: so nobody else writes the history."""
    key = keys.hold_history(hold.scope, hold.subject)
    before = record_in(HoldHistory, store.table.get(key))
    started = [StartedOperation(company_id=one.company_id, key=one.key) for one in operations]
    release = Release(
        hold_id=hold.id,
        reason=hold.reason,
        title=hold.problem.title,
        since=hold.since,
        released=now,
        by=by,
        transactions=transactions,
        operations=tuple(started[:OPERATIONS_KEPT_MAX]),
        has_more=has_more or len(started) > OPERATIONS_KEPT_MAX,
    )
    history = HoldHistory(
        scope=hold.scope,
        subject=hold.subject,
        company_id=hold.company_id,
        connection_id=hold.connection_id,
        account_id=hold.account_id,
        releases=(*(before.releases if before else ()), release)[-RELEASES_KEPT_MAX:],
    )
    index_keys = {"gsi1pk": keys.RELEASED_HOLDS, "gsi1sk": f"{iso(now)}#{hold.subject}"}
    return Put(item_of(key, history, expires_at=expiry(now, RETENTION), **index_keys))
