"""A company's page in the portal: its connections with their accounts, what stops them, and its latest pushes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionFault, ConnectionStatus
from feedlane.companies.page_links import connection_link
from feedlane.companies.source_account import SourceAccount
from feedlane.holds.hold import Hold
from feedlane.link.standing_errors import standing_errors
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.web.form_errors import FormError
from feedlane.web.portal import states
from feedlane.web.portal.companies.companies import holds_by_connection
from feedlane.web.portal.connection_words import name_of, not_yet
from feedlane.web.portal.feeds import push_operations
from feedlane.web.portal.feeds.feeds import FeedRow, feed_rows
from feedlane.web.portal.holds.hold_words import words_of
from feedlane.web.portal.listing import PAGE_SIZE
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.states import HELD, State, connection_state
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

OPERATIONS_SHOWN_MAX = 5
FAULTS_SHOWN_MAX = 3
# So many connections are shown with their accounts; the others by name, each with a page of its own.
CONNECTIONS_SHOWN_MAX = 5
_DONE = {
    "created": "Created. Add its accounts, then send the link to your customer.",
    "saved": "Saved.",
    "connection": "The connection is there. Send its link to your customer.",
    "disconnected": "Disconnected. What waits stays in the ledgers.",
    "connection-deleted": "The connection is deleted, with its source accounts.",
    "account-disconnected": "The account is disconnected. What waits stays in its ledger.",
    "released": "Released. What waits is being sent, in order.",
    "lifted": "This hold has already been released.",
}


@dataclass(frozen=True)
class ConnectionCard:
    """`link` is the customer's, with a one-time password if the operator has just asked for one; empty if the link
    needs one. `rows` are up to a page of its accounts, and `next_account` the last one of them if there are more."""

    connection: Connection
    state: State
    since: datetime | None
    link: str
    has_password: bool
    faults: Sequence[ConnectionFault]
    rows: Sequence[FeedRow]
    accounts: int
    connected: int
    next_account: str

    @property
    def name(self) -> str:
        return name_of(self.connection)

    @property
    def not_yet(self) -> str:
        """What to say beside the name of an organisation that its customer has yet to connect again."""
        waits = self.connection.tenant is None and self.connection.former_tenant is not None
        return not_yet(self.connection) if waits else ""

    @property
    def reconnects(self) -> bool:
        """Whether its customer has connected it before, and has to again."""
        return self.connection.needs_reconnection or self.connection.status is ConnectionStatus.UNLINKED

    @property
    def is_there(self) -> bool:
        """Whether there is anything to disconnect."""
        return self.connection.status in (ConnectionStatus.LINKED, ConnectionStatus.DEAUTHORIZED)


@dataclass(frozen=True)
class HoldCard:
    """`account` is that of a hold on one feed."""

    hold: Hold
    account: SourceAccount | None
    waiting: int | None


def show(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    return company_page(site, request, operator, company_items.company(site.store, company_id))


def company_page(
    site: Site,
    request: Request,
    operator: Operator,
    company: Company,
    passwords: Mapping[str, str] | None = None,
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    """`passwords` are those just made for its connections' links, by their ids."""
    connections = company_items.connections(site.store, company.id)
    ordered = sorted(connections, key=lambda one: (bool(one.moved_to), -one.created.timestamp()))
    chosen = request.query.get("connection", "")
    shown = [one for one in ordered if one.id == chosen] or ordered[:CONNECTIONS_SHOWN_MAX]
    cards, holds = _cards(site, request, shown, ordered, passwords or {})
    return portal_page(
        site,
        operator,
        "companies/company",
        status,
        title=company.name,
        section="companies",
        company=company,
        state=states.worst(card.state for card in cards if not card.connection.moved_to),
        cards=cards,
        others=[(one, name_of(one)) for one in ordered if one not in shown],
        stopped=holds,
        is_under_way=any(row.is_under_way for card in cards for row in card.rows),
        words_of=words_of,
        operations=push_operations.newest(site.store, company.id, OPERATIONS_SHOWN_MAX),
        done=_DONE.get(request.query.get("done", ""), ""),
        errors=errors,
    )


def _cards(
    site: Site,
    request: Request,
    shown: Sequence[Connection],
    connections: Sequence[Connection],
    passwords: Mapping[str, str],
) -> tuple[list[ConnectionCard], list[HoldCard]]:
    """Of the connections shown; and the holds that stop any of them, the widest first."""
    store, settings = site.store, settings_items.settings(site.store)
    standing = standing_errors(store, settings, shown)
    counts = company_items.connection_counts(store, (one.id for one in shown))
    wide = holds_by_connection(store, shown)
    after = request.query.get("after", "") if len(shown) == 1 else ""
    listed = {one.id: company_items.source_accounts_from(store, one.id, after, PAGE_SIZE + 1) for one in shown}
    rows = feed_rows(store, [account for accounts in listed.values() for account in accounts[:PAGE_SIZE]])
    cards = []
    for one in shown:
        own = [row for row in rows if row.account.connection_id == one.id]
        is_held = bool(wide[one.id]) or any(row.state is HELD for row in own)
        password = passwords.get(one.id, "")
        needs_password = settings.link_passwords and not password
        connected = counts[one.id].connected if one.is_linked else 0
        cards.append(
            ConnectionCard(
                connection=one,
                state=connection_state(one, is_held, connected),
                since=_since(one),
                link="" if needs_password else connection_link(request.base_url, one.company_id, one.id, password),
                has_password=bool(password),
                faults=[fault for fault in one.errors if fault.resolved_on is None][-FAULTS_SHOWN_MAX:]
                + standing[one.id],
                rows=own,
                accounts=counts[one.id].accounts,
                connected=connected,
                next_account=own[-1].account.id if len(listed[one.id]) > PAGE_SIZE else "",
            )
        )
    return cards, _holds(rows, [hold for holds in wide.values() for hold in holds])


def _since(connection: Connection) -> datetime | None:
    """Since when it is in its state, as far as that is known."""
    if connection.status is ConnectionStatus.PENDING_AUTH:
        return connection.created
    if connection.reconnection_fault is not None:
        return connection.reconnection_fault.errored_on
    return connection.linked_on if connection.is_linked else None


def _holds(rows: Sequence[FeedRow], wide: Sequence[Hold]) -> list[HoldCard]:
    found: dict[str, Any] = {hold.id: HoldCard(hold, None, None) for hold in wide}
    for row in rows:
        for hold in row.holds:
            own = (row.account, row.waiting) if hold.scope is Scope.FEED else (None, None)
            found.setdefault(hold.id, HoldCard(hold, *own))
    return list(found.values())
