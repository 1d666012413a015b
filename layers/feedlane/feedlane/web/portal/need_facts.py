"""What the overview reads for the lines about feeds and connections: a bounded number of items, whatever there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.source_account import SourceAccount
from feedlane.credentials import refreshes
from feedlane.feeds import gap_items, hole_items
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Index

# Whoever was to look at a gap has done so by then, or will not: nothing but time takes a gap away.
GAPS_TOLD_FOR = timedelta(days=7)
READ_MAX = 30


@dataclass(frozen=True)
class LackingFeeds:
    """`account` has the latest gap or hole, of `count` accounts. `since`: when the first of these was found.

    There may be others if `READ_MAX` have been read: one feed can have all of these (`is_partial`).
    """

    account: SourceAccount
    company: Company | None
    count: int
    since: datetime
    is_partial: bool


@dataclass(frozen=True)
class Unrenewed:
    """How many token sets could not be refreshed, and a company that uses the one that has waited longest.

    There may be more than are counted from `READ_MAX` on.
    """

    count: int
    company: Company | None


def feeds_with_gap(store: Store, now: datetime) -> LackingFeeds | None:
    return _lacking(store, *gap_items.feeds_with_gaps(store, now - GAPS_TOLD_FOR, READ_MAX))


def feeds_with_hole(store: Store) -> LackingFeeds | None:
    """However long ago: a hole is there until it is mended or closed."""
    return _lacking(store, *hole_items.feeds_with_holes(store, READ_MAX))


def _lacking(store: Store, found: Mapping[str, datetime], is_partial: bool) -> LackingFeeds | None:
    """Those whose accounts there still are."""
    wanted = {keys.source_account(*feed_id.split("/", 1)): feed_id for feed_id in found}
    items = store.table.get_many(wanted)
    existing = [key for key in wanted if key in items]
    if not existing:
        return None
    account = SourceAccount.model_validate(items[existing[0]])
    company = company_items.find_company(store, account.company_id)
    since = min(found[wanted[key]] for key in existing)
    return LackingFeeds(account, company, len(existing), since, is_partial)


def unrenewed(store: Store, now: datetime) -> Unrenewed | None:
    ids = refreshes.unrenewed(store, now, READ_MAX)
    if not ids:
        return None
    users = store.table.query(keys.token_set_users(ids[0]), limit=1, index=Index.LISTS)
    company_id = next((str(user["company_id"]) for user in users), "")
    item = store.table.get(keys.company(company_id)) if company_id else None
    return Unrenewed(len(ids), record_in(Company, item))
