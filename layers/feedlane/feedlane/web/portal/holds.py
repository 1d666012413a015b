"""The portal's list of holds, and their release."""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.companies.company import Company
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import NotFound
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item
from feedlane.web.portal.listing import ListQuery, list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

_DONE_MESSAGES = {
    "now": "Released. The waiting transactions are being sent in order.",
    "before": "This hold has already been released.",
}


@dataclass(frozen=True)
class HoldRow:
    """`account` and `feed` are those of a hold on one feed."""

    hold: Hold
    company: Company | None
    account: SourceAccount | None
    feed: Feed | None


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    query = list_query(request, "q", "reason")
    page = read_page(
        site.store,
        query,
        keys.HOLDS,
        lambda items: hold_rows(site.store, [Hold.model_validate(item) for item in items]),
        (lambda row: _is_wanted(row, query)) if query.is_filtered else None,
    )
    done = _DONE_MESSAGES.get(request.query.get("released", ""), "")
    return portal_page(site, operator, "portal_holds", title="Holds", section="holds", page=page, done=done)


def release(site: Site, request: Request, hold_id: str) -> Response:
    """Releases the hold: the waiting transactions are sent in order, under new push operations."""
    require_operator(site, request)
    try:
        hold = hold_items.hold_by_id(site.store, hold_id)
        hold_release.release(site.ports, site.clock(), hold)
    except NotFound:
        return see_other(request.url("/portal/holds?released=before"))
    return see_other(request.url("/portal/holds?released=now"))


def hold_rows(store: Store, holds: list[Hold]) -> list[HoldRow]:
    """One for each, from two reads."""
    wanted = dict.fromkeys(key for hold in holds for key in (_company_key(hold), *_feed_keys(hold)) if key)
    found: dict[tuple[str, str], Item] = store.table.get_many(wanted)
    rows = []
    for hold in holds:
        account_key, feed_key = _feed_keys(hold) or (None, None)
        rows.append(
            HoldRow(
                hold,
                record_in(Company, found.get(_company_key(hold) or ("", ""))),
                record_in(SourceAccount, found.get(account_key)) if account_key else None,
                record_in(Feed, found.get(feed_key)) if feed_key else None,
            )
        )
    return rows


def _company_key(hold: Hold) -> tuple[str, str] | None:
    return keys.company(hold.company_id) if hold.company_id else None


def _feed_keys(hold: Hold) -> tuple[tuple[str, str], ...]:
    """The keys of its account and its feed; none if it is not a hold on one feed."""
    if hold.scope is not Scope.FEED or not hold.connection_id or not hold.account_id:
        return ()
    feed = feed_id(hold.connection_id, hold.account_id)
    return keys.source_account(hold.connection_id, hold.account_id), keys.feed(feed)


def _is_wanted(row: HoldRow, query: ListQuery) -> bool:
    if query["reason"] not in ("", row.hold.reason):
        return False
    wanted, hold = query["q"].casefold(), row.hold
    names = [hold.id, hold.subject, hold.problem.title, hold.problem.type, hold.transaction_id or ""]
    names += [row.company.name] if row.company else []
    names += [row.account.account_name, row.account.id] if row.account else []
    return any(wanted in name.casefold() for name in names)
