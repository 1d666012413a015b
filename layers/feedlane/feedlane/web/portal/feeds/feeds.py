"""The portal's list of feeds, and the rows that other pages show of feeds too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item
from feedlane.web.portal import states
from feedlane.web.portal.listing import ListQuery, list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, feed_state
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site


@dataclass(frozen=True)
class FeedRow:
    """A source account with its feed, if it was ever mapped. `holds` are those that stop it, the widest first."""

    account: SourceAccount
    company: Company | None
    connection: Connection | None
    feed: Feed | None
    holds: Sequence[Hold]
    last_statement: StatementRecord | None

    @property
    def state(self) -> State:
        return feed_state(self.account, self.feed, self.connection, bool(self.holds), self.in_doubt is not None)

    @property
    def in_doubt(self) -> StatementRecord | None:
        return self.last_statement if self.last_statement and self.last_statement.stuck else None

    @property
    def can_disconnect(self) -> bool:
        """Whether it has a feed connection, or one is wanted for it."""
        return self.account.mapping is not None or self.account.wanted is not None

    @property
    def path(self) -> str:
        return feed_path(self.account.connection_id, self.account.id)

    @property
    def is_under_way(self) -> bool:
        """Whether it changes by itself: something is being sent, or Xero is setting up its feed connection."""
        is_sending = self.feed is not None and (self.feed.flight is not None or (self.waiting > 0 and not self.holds))
        return is_sending or self.account.status is SourceAccountStatus.CONNECTING

    @property
    def waiting(self) -> int:
        return self.feed.waiting if self.feed else 0

    @property
    def holes(self) -> int:
        return self.feed.holes if self.feed else 0

    @property
    def gaps(self) -> int:
        return self.feed.gaps if self.feed else 0

    @property
    def recorded_through(self) -> str:
        return self.feed.recorded_date if self.feed else ""


FILTERS = (*states.FEED_STATES, states.WITH_GAP, states.WITH_HOLE)


def feed_path(connection_id: str, account_id: str) -> str:
    """An account's id may have any of the signs that mean something in a path."""
    return f"/portal/feeds/{connection_id}/{quote(account_id, safe='')}"


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    query = list_query(request, "q", "state")
    page = read_page(
        site.store,
        query,
        keys.ACCOUNTS,
        lambda items: _rows(site.store, items),
        (lambda row: _is_wanted(row, query)) if query.is_filtered else None,
    )
    return portal_page(site, operator, "feeds/feeds", title="Feeds", section="feeds", page=page, states=FILTERS)


def feed_rows(store: Store, accounts: Sequence[SourceAccount]) -> list[FeedRow]:
    """One for each of the accounts, from as many reads for a hundred as for one."""
    found = feed_items.find_feeds(store, [feed_id(account.connection_id, account.id) for account in accounts])
    feeds = {feed.id: feed for feed in found}
    owners = [key for account in accounts for key in _owner_keys(account)]
    items = store.table.get_many(dict.fromkeys(owners))
    subjects = dict.fromkeys(subject for feed in found for subject in feed.hold_subjects)
    holds = {(hold.scope, hold.subject): hold for hold in hold_items.holds_on(store, subjects)}
    statements = statement_items.last_statements(store, found)
    rows = []
    for account in accounts:
        id = feed_id(account.connection_id, account.id)
        feed = feeds.get(id)
        standing = [holds[subject] for subject in feed.hold_subjects if subject in holds] if feed else []
        company, connection = _owner_keys(account)
        owned = record_in(Company, items.get(company)), record_in(Connection, items.get(connection))
        rows.append(FeedRow(account, *owned, feed, standing, statements.get(id)))
    return rows


def _owner_keys(account: SourceAccount) -> tuple[tuple[str, str], tuple[str, str]]:
    return keys.company(account.company_id), keys.connection(account.company_id, account.connection_id)


def _rows(store: Store, items: list[Item]) -> list[FeedRow]:
    return feed_rows(store, [SourceAccount.model_validate(item) for item in items])


def _is_wanted(row: FeedRow, query: ListQuery) -> bool:
    lacks = {states.WITH_GAP.name: row.gaps, states.WITH_HOLE.name: row.holes}
    if not lacks.get(query["state"], query["state"] in ("", row.state.name)):
        return False
    account, wanted = row.account, query["q"].casefold()
    texts = (account.account_name, account.id, account.account_number, row.company.name if row.company else "")
    return any(wanted in text.casefold() for text in texts)
