"""Holds as the portal's rows: what each stops, what is known of it, and what became of those released before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedlane.companies.company import Company
from feedlane.companies.source_account import SourceAccount
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.holds import history as hold_history
from feedlane.holds import items as hold_items
from feedlane.holds.counts import HoldCounts
from feedlane.holds.history import HoldHistory, Release
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Index, Item, Key
from feedlane.web.portal import states
from feedlane.web.portal.holds.hold_words import HoldWords, noun_of, words_of
from feedlane.web.portal.states import State

# On the page with all groups: so many of them with rows, and so many rows together.
GROUPS_MAX = 8
GROUP_ROWS_MAX = 25
RELEASED_SHOWN_MAX = 10


@dataclass(frozen=True)
class HoldRow:
    """`account` and `feed` are those of a hold on one feed. `releases` came before it on the same subject."""

    hold: Hold
    company: Company | None
    account: SourceAccount | None
    feed: Feed | None
    releases: Sequence[Release] = ()

    @property
    def noun(self) -> str:
        return noun_of(self.hold.scope)


@dataclass(frozen=True)
class HoldGroup:
    """Holds of one reason; `rows` are the oldest of them."""

    reason: str
    words: HoldWords
    count: int
    rows: Sequence[HoldRow]

    @property
    def subject(self) -> str:
        """What is held: `96 accounts`."""
        return f"{self.count:,} {noun_of(self.rows[0].hold.scope, self.count) if self.rows else 'holds'}"

    @property
    def oldest(self) -> Hold | None:
        return self.rows[0].hold if self.rows else None


@dataclass(frozen=True)
class ReleasedRow:
    """What became of the latest release on a subject."""

    history: HoldHistory
    company: Company | None
    account: SourceAccount | None
    state: State

    @property
    def is_under_way(self) -> bool:
        return self.state is states.BEING_SENT

    @property
    def meaning(self) -> str:
        return words_of(self.history.latest.reason).meaning


def hold_groups(store: Store, counts: HoldCounts, rows_max: int = GROUP_ROWS_MAX) -> list[HoldGroup]:
    """The most frequent reasons, each with its oldest holds: a query for each group, and two reads for all rows."""
    reasons = list(counts.by_reason)[:GROUPS_MAX]
    each = max(1, rows_max // max(1, len(reasons)))
    marks = {
        reason: list(store.table.query(keys.holds_of_reason(reason), limit=each, index=Index.LISTS))
        for reason in reasons
    }
    rows = {row.hold.id: row for row in rows_of_marks(store, [mark for listed in marks.values() for mark in listed])}
    by_reason: dict[str, list[HoldRow]] = {reason: [] for reason in reasons}
    for row in rows.values():
        by_reason.setdefault(row.hold.reason, []).append(row)
    return [HoldGroup(reason, words_of(reason), counts.by_reason[reason], by_reason[reason]) for reason in reasons]


def rows_of_marks(store: Store, marks: Sequence[Item]) -> list[HoldRow]:
    """Of what the list of a reason has. Those are left out that have been lifted since."""
    subjects = [(Scope(mark["scope"]), str(mark["subject"])) for mark in marks]
    return hold_rows(store, hold_items.holds_on(store, subjects))


def hold_rows(store: Store, holds: Sequence[Hold]) -> list[HoldRow]:
    """One for each, from one read for a hundred items."""
    wanted = dict.fromkeys(key for hold in holds for key in _keys_of(hold))
    found: dict[Key, Item] = store.table.get_many(wanted)
    rows = []
    for hold in holds:
        history = record_in(HoldHistory, found.get(keys.hold_history(hold.scope, hold.subject)))
        feed_keys = _feed_keys(hold.connection_id, hold.account_id) if hold.scope is Scope.FEED else ()
        account_key, feed_key = feed_keys or (("", ""), ("", ""))
        rows.append(
            HoldRow(
                hold,
                record_in(Company, found.get(keys.company(hold.company_id or ""))),
                record_in(SourceAccount, found.get(account_key)),
                record_in(Feed, found.get(feed_key)),
                history.releases if history else (),
            )
        )
    return rows


def released_rows(store: Store, limit: int = RELEASED_SHOWN_MAX) -> list[ReleasedRow]:
    """The subjects whose holds were released last, from three reads."""
    histories = hold_history.latest_histories(store, limit)
    subjects = [(history.scope, history.subject) for history in histories]
    standing = {(hold.scope, hold.subject) for hold in hold_items.holds_on(store, subjects)}
    wanted = dict.fromkeys(key for history in histories for key in _keys_of_released(history))
    found = store.table.get_many(wanted)
    rows = []
    for history in histories:
        feed_keys = _feed_keys(history.connection_id, history.account_id)
        rows.append(
            ReleasedRow(
                history,
                record_in(Company, found.get(keys.company(history.company_id or ""))),
                record_in(SourceAccount, found.get(feed_keys[0])) if feed_keys else None,
                _state(history.latest, (history.scope, history.subject) in standing, found),
            )
        )
    return rows


def _state(release: Release, is_held_again: bool, found: Mapping[Key, Item]) -> State:
    """What became of what was released. Of very many operations it is not said that all are delivered."""
    if is_held_again:
        return states.REFUSED_AGAIN
    operations = [record_in(PushOperation, found.get(key)) for key in _operation_keys(release)]
    ends = {operation.status for operation in operations if operation is not None}
    if PushStatus.PENDING in ends:
        return states.BEING_SENT
    if ends - {PushStatus.SUCCESS}:
        return states.NOT_DELIVERED
    return states.DELIVERED if ends and not release.has_more else states.RELEASED


def _operation_keys(release: Release) -> list[Key]:
    return [keys.push_operation(one.company_id, one.key) for one in release.operations]


def _keys_of(hold: Hold) -> Iterable[Key]:
    yield keys.hold_history(hold.scope, hold.subject)
    if hold.company_id:
        yield keys.company(hold.company_id)
    if hold.scope is Scope.FEED:
        yield from _feed_keys(hold.connection_id, hold.account_id)


def _keys_of_released(history: HoldHistory) -> Iterable[Key]:
    yield from _operation_keys(history.latest)
    if history.company_id:
        yield keys.company(history.company_id)
    yield from _feed_keys(history.connection_id, history.account_id)[:1]


def _feed_keys(connection_id: str | None, account_id: str | None) -> tuple[Key, ...]:
    """The keys of an account and its feed."""
    if not connection_id or not account_id:
        return ()
    return keys.source_account(connection_id, account_id), keys.feed(feed_id(connection_id, account_id))
