"""A page of something in front of Xero decides nothing, at any status and any endpoint: it is an outage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from feedlane.companies.organisations import Organisation
from feedlane.companies.source_account import AccountKind
from feedlane.errors import Unavailable
from feedlane.feeds.upstream import (
    Accepted,
    Failed,
    FeedConnection,
    NewFeedConnection,
    NoAnswer,
    SearchPlace,
    TenantAccess,
    TryLater,
)
from feedlane.xero.bank_feeds import STATEMENTS_PATH
from feedlane.xero.consent import XeroOrganisations
from tests.contract.xero.conftest import BAKERY, BOTH_VERSIONS, REDIRECT, Xero
from tests.contract.xero.test_bank_feeds import connect, line, statement

SUCCESSES = (200, 202)
REFUSALS = (400, 401, 403, 404, 405, 408, 409, 410, 413, 422)
PAGES = [
    *((status, content) for status in (*SUCCESSES, *REFUSALS) for content in ("html", "empty")),
    (204, "empty"),
    (302, "html"),
    (500, "html"),
]

ORGANISATION, ACTIONS, ACCOUNTS = "/api.xro/2.0/Organisation", "/Organisation/Actions", "/Accounts"
Call = Callable[[Xero, TenantAccess, FeedConnection], Any]


def _new(feed: FeedConnection) -> NewFeedConnection:
    return NewFeedConnection(
        account_token="token-2", account_id=feed.account_id, account_number="1", account_name="New",
        kind=AccountKind.BANK, currency="GBP",
    )  # fmt: skip


def _details(xero: Xero, access: TenantAccess) -> Any:
    organisations = XeroOrganisations(xero.connections, xero.accounting, xero.tokens)
    return organisations.details(
        access.token_set_id, Organisation(tenant_id=BAKERY, name="Harbour Bakery Ltd", xero_connection_id="1")
    )


CALLS: dict[str, tuple[str, str, Call]] = {
    "organisation": ("GET", ORGANISATION, lambda xero, access, feed: _details(xero, access)),
    "currencies": ("GET", ACTIONS, lambda xero, access, feed: xero.accounting.allows_multicurrency(access)),
    "accounts": ("GET", ACCOUNTS, lambda xero, access, feed: xero.feeds.target_accounts(access)),
    "feeds": ("GET", "/FeedConnections", lambda xero, access, feed: xero.feeds.feed_connections(access)),
    "a feed": (
        "GET",
        "/FeedConnections/*",
        lambda xero, access, feed: xero.feeds.feed_connection(access, feed.id),
    ),
    "a new feed": (
        "POST",
        "/FeedConnections*",
        lambda xero, access, feed: xero.feeds.create_feed_connection(access, _new(feed)),
    ),
    "a feed's end": (
        "POST",
        "/FeedConnections/DeleteRequests",
        lambda xero, access, feed: xero.feeds.delete_feed_connection(access, feed.id),
    ),
    "connections": (
        "GET",
        "/connections",
        lambda xero, access, feed: xero.connections.list_connections(xero.tokens.token(access.token_set_id)),
    ),
}


@contextmanager
def page(xero: Xero, method: str, path: str, status: int, content: str) -> Iterator[None]:
    match = {"method": method, "path": path}
    fault = {"match": match, "fault": "page", "status": status, "content": content, "times": None}
    xero.control("POST", "faults", fault)
    yield
    xero.control("DELETE", "faults")


def feed_of(xero: Xero) -> tuple[TenantAccess, FeedConnection]:
    access = xero.access()
    feed = connect(xero, access)
    found = xero.feeds.feed_connection(access, feed.id)
    assert found is not None
    return access, found


@BOTH_VERSIONS
@pytest.mark.parametrize("name", CALLS)
def test_a_page_is_an_outage_to_whoever_waits(xero: Xero, name: str) -> None:
    access, feed = feed_of(xero)
    refreshes = len(xero.calls("/connect/token"))
    method, path, call = CALLS[name]
    for status, content in PAGES:
        with page(xero, method, path, status, content), pytest.raises(Unavailable) as raised:
            call(xero, access, feed)
        assert type(raised.value) is Unavailable, (status, content)
    assert len(xero.calls("/connect/token")) == refreshes, "no page asks for another token"


def test_a_statement_that_a_page_answered_is_in_doubt(xero: Xero) -> None:
    access, feed = feed_of(xero)
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "1", "1")))
    for status, content in PAGES:
        with page(xero, "POST", STATEMENTS_PATH, status, content):
            answer = xero.feeds.post_statement(access, request, "key-1")
        assert isinstance(answer, NoAnswer if status in SUCCESSES or 400 <= status < 500 else NoAnswer | Failed), status
    assert isinstance(xero.feeds.post_statement(access, request, "key-1"), Accepted)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("content", ["html", "empty"])
def test_a_page_that_says_when_to_come_again_says_that_nothing_was_taken(xero: Xero, status: int, content: str) -> None:
    access, feed = feed_of(xero)
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "1", "1")))
    with page(xero, "POST", STATEMENTS_PATH, status, content):
        assert isinstance(xero.feeds.post_statement(access, request, "key-1"), TryLater)


def test_a_page_about_a_statement_says_nothing_about_it(xero: Xero) -> None:
    access, feed = feed_of(xero)
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "1", "1")))
    accepted = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(accepted, Accepted)
    for status, content in PAGES:
        with page(xero, "GET", f"{STATEMENTS_PATH}*", status, content):
            polled = xero.feeds.statement_status(access, accepted.statement_id)
            found = xero.feeds.find_statement(access, request, (), SearchPlace(began=xero.now()))
        assert isinstance(polled, TryLater | NoAnswer | Failed), (status, content)
        assert isinstance(found, TryLater | NoAnswer | Failed), (status, content)


def test_a_connection_is_removed_only_when_xero_says_so(xero: Xero) -> None:
    token = xero.tokens.token(xero.access().token_set_id)
    [connection] = xero.connections.list_connections(token)
    # Xero's own answers have no body either, and cannot be told from a page.
    for status, content in set(PAGES) - {(204, "empty"), (404, "empty")}:
        with page(xero, "DELETE", "/connections/*", status, content), pytest.raises(Unavailable):
            xero.connections.delete(token, connection.id)
    assert xero.connections.list_connections(token) == [connection]
    for _ in range(2):  # Xero's 204, and its 404
        xero.connections.delete(token, connection.id)
    assert xero.connections.list_connections(token) == []


def test_a_page_of_the_token_endpoint_ends_no_grant_and_proves_no_keys(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    xero.advance(31 * 60)
    for status, content in PAGES:
        with page(xero, "POST", "/connect/token", status, content):
            with pytest.raises(Unavailable):
                xero.vault.access_token(token_set)
            with pytest.raises(Unavailable):
                xero.vault.exchange_code(f"code-{status}-{content}", REDIRECT)
            assert xero.vault.app_keys(check=True).ok is None, (status, content)
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_a_page_revokes_nothing(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    # Xero's own answer is an empty 200.
    for status, content in set(PAGES) - {(200, "empty")}:
        with page(xero, "POST", "/connect/revocation", status, content), pytest.raises(Unavailable):
            xero.vault.revoke(token_set)
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_the_page_of_an_api_call_is_no_page_of_xeros_connections(xero: Xero) -> None:
    """Xero refuses access without a reason, and a page answers the question for the connections."""
    access, _ = feed_of(xero)
    xero.fault(ORGANISATION, fault="status", status=403, times=None)
    with page(xero, "GET", "/connections", 404, "html"), pytest.raises(Unavailable):
        xero.accounting.organisation(access)
