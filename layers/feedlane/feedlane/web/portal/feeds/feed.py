"""The page of one feed: where it stands, what stops it, what is missing, and its statements, lines and pushes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedlane.companies import items as company_items
from feedlane.errors import Conflict, FeedlaneError, Invalid, NotFound
from feedlane.feeds import gap_items, hole_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.ids import feed_id
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, whole_form
from feedlane.web.portal.feeds import feed_chart, feed_exports, feed_lines, feed_statements, push_operations
from feedlane.web.portal.feeds.feeds import FeedRow, feed_path, feed_rows
from feedlane.web.portal.holds.hold_words import words_of
from feedlane.web.portal.pages import push_command
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

# Of the pushes that found gaps, and of the refused ones, so many of each are shown.
PROBLEMS_SHOWN_MAX = 5
TABS = {"statements": "Statements", "transactions": "Transactions", "pushes": "Push operations"}
_DONE = {
    "added": "The account is added. Next, your customer connects it to Xero in Link.",
    "released": "Released. What waits is being sent, in order.",
    "lifted": "This hold has already been released.",
}


@dataclass(frozen=True)
class Position:
    """`last_delivered` is the newest of the latest statements that Xero has taken; None if none of them was."""

    last_delivered: StatementRecord | None
    in_flight: StatementRecord | None


def show(site: Site, request: Request, connection_id: str, account_id: str) -> Response:
    operator = require_operator(site, request)
    row = _row(site.store, connection_id, account_id)
    if export := request.query.get("export"):
        return feed_exports.export(site.store, row, export, request.query.get("first", ""))
    done = _DONE.get(request.query.get("done", ""), "")
    return portal_page(site, operator, "feeds/feed", **_context(site, request, row), done=done)


def release(site: Site, request: Request, connection_id: str, account_id: str) -> Response:
    """Releases the hold that the form names, and comes back."""
    operator = require_operator(site, request)
    try:
        hold_release.release(site.ports, site.clock(), hold_items.hold_by_id(site.store, request.field("hold")))
    except NotFound:
        return see_other(request.url(f"{feed_path(connection_id, account_id)}?done=lifted"))
    except (Invalid, Conflict, ConditionFailed) as error:
        row = _row(site.store, connection_id, account_id)
        errors = release_errors(error)
        return portal_page(site, operator, "feeds/feed", 409, **_context(site, request, row), errors=errors)
    return see_other(request.url(f"{feed_path(connection_id, account_id)}?done=released"))


def release_errors(error: Exception) -> list[FormError]:
    """Why a hold was not released."""
    if isinstance(error, FeedlaneError):
        return whole_form(f"{str(error).rstrip('.')}.")
    return whole_form("Others are changing the same feeds at this moment. Please try again.")


def _row(store: Store, connection_id: str, account_id: str) -> FeedRow:
    """Raises `NotFound`."""
    account = company_items.source_account(store, connection_id, account_id)
    [row] = feed_rows(store, [account])
    if row.company is None:
        raise NotFound("company", account.company_id)
    return row


def _context(site: Site, request: Request, row: FeedRow) -> dict[str, Any]:
    store, feed, account = site.store, row.feed, row.account
    tab = request.query.get("show", "")
    tab = tab if tab in TABS else next(iter(TABS))
    latest = feed_statements.latest(store, feed) if feed else []
    context: dict[str, Any] = {
        "title": account.account_name or account.id,
        "section": "feeds",
        "row": row,
        "words_of": words_of,
        "push_command": push_command(account.company_id, account.connection_id, account.id),
        "feed_id": feed_id(account.connection_id, account.id),
        "position": _position(feed, latest),
        "chart": feed_chart.chart(latest, site.clock().date(), feed_statements.LATEST_MAX),
        "push_gaps": gap_items.newest_gaps(store, feed.id, PROBLEMS_SHOWN_MAX) if feed and feed.gaps else [],
        "holes": hole_items.holes(store, feed.id, PROBLEMS_SHOWN_MAX) if feed and feed.holes else [],
        "parts": feed_exports.parts(feed),
        "tab": tab,
        "tabs": TABS,
    }
    return context | _tab(store, request, row, tab)


def _position(feed: Feed | None, latest: list[StatementRecord]) -> Position:
    flight = feed.flight.number if feed and feed.flight else 0
    in_flight = next((one for one in latest if one.number == flight), None)
    return Position(next((one for one in latest if one.state is StatementState.DELIVERED), None), in_flight)


def _tab(store: Store, request: Request, row: FeedRow, tab: str) -> dict[str, Any]:
    """What the chosen tab shows."""
    if tab == "transactions":
        return {"page": feed_lines.read(store, request, row), "outcomes": feed_lines.OUTCOMES}
    if tab == "pushes":
        return push_operations.of_feed(store, request, row.account)
    return {"page": feed_statements.read(store, request, row.feed)}
