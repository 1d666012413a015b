"""Feed connections and statements against the simulator, from the first call to DELIVERED."""

from __future__ import annotations

import socket
from datetime import date
from decimal import Decimal

import pytest

from feedlane.companies.bank_codes import number_at_xero
from feedlane.companies.source_account import AccountKind
from feedlane.errors import Refused
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import (
    Accepted,
    AlreadyReceived,
    Failed,
    FeedConnection,
    NewFeedConnection,
    NoAnswer,
    Refusal,
    SearchPlace,
    Statement,
    StatementStatus,
    TenantAccess,
    TryLater,
)
from feedlane.http import Http
from feedlane.scope import Scope
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import STATEMENTS_PATH, XeroBankFeeds
from tests.builders import source_account
from tests.contract.xero.conftest import BAKERY, BOTH_VERSIONS, JOINERY, SCOPES, Xero

pytestmark = BOTH_VERSIONS


def connect(xero: Xero, access: TenantAccess, **changes: object) -> FeedConnection:
    account = next(account for account in xero.feeds.target_accounts(access) if account.kind is AccountKind.BANK)
    new = NewFeedConnection(
        account_token="token-1",
        account_id=account.id,
        account_number=account.number,
        account_name=account.name,
        kind=account.kind,
        currency=account.currency,
    )
    connection = xero.feeds.create_feed_connection(access, new.but(**changes))
    assert not connection.active
    xero.advance(2)
    return connection


def line(id: str, amount: str, balance: str) -> Line:
    return Line(id, "2026-06-10", Decimal(amount), Decimal(balance), "Coffee ☕", "Beans", "R-1", "Other")


def statement(feed: FeedConnection, *lines: Line) -> Statement:
    start = lines[0].balance - lines[0].amount
    day = date(2026, 6, 10)
    return Statement(feed.id, day, day, start, lines[-1].balance, lines)


def test_an_account_mapped_without_a_target_feeds_the_one_with_its_sort_code_and_number(xero: Xero) -> None:
    access = xero.access()
    before = xero.feeds.target_accounts(access)
    account = source_account(account_number="55779911", sort_code="20-45-45")
    number = number_at_xero(account, xero.accounting.organisation(access).country)
    fed = connect(xero, access, account_id=None, account_number=number)
    found = xero.feeds.feed_connection(access, fed.id)
    assert found is not None
    assert found.account_id == next(target.id for target in before if target.number == "20454555779911")
    assert xero.feeds.target_accounts(access) == before


def test_a_feed_is_connected_found_used_and_deleted(xero: Xero) -> None:
    access = xero.access()
    feed = connect(xero, access)
    connection = xero.feeds.feed_connection(access, feed.id)
    assert connection is not None
    assert connection.active
    assert xero.feeds.feed_connections(access) == [connection]

    posted = statement(feed, line("t-1", "-0.0001", "-0.0001"), line("t-2", "1000000.5", "1000000.4999"))
    answer = xero.feeds.post_statement(access, xero.feeds.request_bytes(access, posted), "key-1")
    assert isinstance(answer, Accepted)
    assert answer.status is StatementStatus.PENDING
    xero.advance(2)
    later = xero.feeds.statement_status(access, answer.statement_id)
    assert later == Accepted(statement_id=answer.statement_id, status=StatementStatus.DELIVERED, lines=2)
    [received] = xero.control("GET", "statements")["statements"]
    assert [(sent["transactionId"], sent["creditDebitIndicator"]) for sent in received["lines"]] == [
        ("t-1", "DEBIT"),
        ("t-2", "CREDIT"),
    ]

    xero.feeds.delete_feed_connection(access, feed.id)
    xero.advance(2)
    assert xero.feeds.feed_connection(access, feed.id) is None
    xero.feeds.delete_feed_connection(access, feed.id)
    gone = xero.feeds.post_statement(access, xero.feeds.request_bytes(access, posted), "key-2")
    assert isinstance(gone, Refusal)
    assert (gone.scope, gone.reason) == (Scope.FEED, "feed-connection-gone")


def test_a_feed_whose_answer_was_lost_is_adopted_when_it_is_made_again(xero: Xero) -> None:
    access = xero.access()
    first = connect(xero, access)
    account = next(account for account in xero.feeds.target_accounts(access) if account.kind is AccountKind.BANK)
    again = NewFeedConnection(
        account_token="token-1",
        account_id=account.id,
        account_number="",
        account_name="",
        kind=account.kind,
        currency=account.currency,
    )
    assert xero.feeds.create_feed_connection(access, again).id == first.id
    with pytest.raises(Refused) as raised:
        xero.feeds.create_feed_connection(access, again.but(account_token="token-2"))
    assert raised.value.problem.type == "feed-already-connected-in-current-organisation"


@pytest.mark.parametrize("first", [0, 1])
def test_feeds_and_statements_are_found_whatever_number_the_first_page_has(xero: Xero, first: int) -> None:
    xero.control("PUT", "behaviour", {"firstPage": first})
    access = xero.access()
    feed = connect(xero, access)
    assert [found.id for found in xero.feeds.feed_connections(access)] == [feed.id]
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "1", "1")))
    accepted = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(accepted, Accepted)
    found = xero.feeds.find_statement(access, request, (), SearchPlace(began=xero.now()))
    if isinstance(found, SearchPlace):  # pages that count from 0: the first was not it
        found = xero.feeds.find_statement(access, request, (), found)
    assert isinstance(found, Accepted)
    assert found.statement_id == accepted.statement_id


@pytest.mark.parametrize(("position", "calls"), [("optional", 0), ("required", 1), ("refused", 0)])
def test_the_organisations_country_is_sent_only_if_xero_demands_one(xero: Xero, position: str, calls: int) -> None:
    xero.control("PUT", "behaviour", {"country": position})
    access = xero.access()
    feed = connect(xero, access)
    active = xero.feeds.feed_connection(access, feed.id)
    assert active is not None
    assert active.active
    assert len(xero.calls("/api.xro/2.0/Organisation")) == calls


def test_a_country_that_xero_does_not_take_is_refused_with_its_problem(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"country": "refused"})
    access = xero.access()
    with pytest.raises(Refused) as raised:
        connect(xero, access, country="GB")
    assert raised.value.problem.type == "invalid-country-specified"
    xero.control("POST", "faults", {
        "match": {"method": "POST", "path": xero.creation_path}, "fault": "problem", "shape": "item", "times": None,
        "problem": "invalid-country-specified",
    })  # fmt: skip
    with pytest.raises(Refused) as raised:
        connect(xero, access)
    assert raised.value.problem.type == "invalid-country-specified"
    assert len([call for call in xero.calls(xero.creation_path) if call["method"] == "POST"]) == 3


def test_paypal_cannot_be_fed_and_a_card_can(xero: Xero) -> None:
    kinds = [account.kind for account in xero.feeds.target_accounts(xero.access())]
    assert kinds.count(AccountKind.CREDIT_CARD) == 1
    assert len(kinds) == 4


def test_a_statement_sent_twice_is_there_already(xero: Xero) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))
    first = xero.feeds.post_statement(access, request, "key-1")
    assert xero.feeds.post_statement(access, request, "key-1") == first
    assert isinstance(xero.feeds.post_statement(access, request, "key-2"), AlreadyReceived)


def test_a_dropped_answer_is_no_answer_and_the_same_bytes_settle_it(xero: Xero) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))
    xero.fault(STATEMENTS_PATH, fault="dropResponse")
    assert isinstance(xero.feeds.post_statement(access, request, "key-1"), NoAnswer)
    assert isinstance(xero.feeds.post_statement(access, request, "key-1"), Accepted)
    assert len(xero.control("GET", "statements")["statements"]) == 1


def test_an_organisation_without_bank_feeds_is_refused_in_xeros_words(xero: Xero) -> None:
    access = xero.access(JOINERY)
    feed = connect(xero, access)
    request = xero.feeds.request_bytes(access, statement(feed, line("t-1", "5", "5")))
    answer = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (Scope.TENANT, "organisation-without-bank-feeds")
    assert (answer.problem.status, answer.problem.type) == (403, "invalid-organisation-bank-feeds")


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"bankFeedsEnabled": False}, "app-not-enabled"), ({"suspended": True}, "app-suspended")],
)
def test_an_app_that_xero_stopped_holds_the_app(xero: Xero, change: dict[str, bool], reason: str) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))
    xero.control("PUT", "app", change)
    answer = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (Scope.APP, reason)


@pytest.mark.parametrize("rejections", ["documented", "items", "root"])
def test_a_balance_that_does_not_add_up_holds_the_feed_in_whichever_shape_it_is_said(
    xero: Xero, rejections: str
) -> None:
    xero.control("PUT", "behaviour", {"rejections": rejections})
    access = xero.access()
    right = statement(connect(xero, access), line("t-1", "5", "5"))
    wrong = Statement(right.feed_connection_id, right.start_date, right.end_date, Decimal(1), Decimal(5), right.lines)
    answer = xero.feeds.post_statement(access, xero.feeds.request_bytes(access, wrong), "key-1")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason, answer.problem.status) == (Scope.FEED, "invalid-balance", 422)


def test_a_statement_rejected_later_says_why(xero: Xero) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))
    error = {"type": "account-not-valid", "title": "Account not valid", "status": 422, "detail": "Archived."}
    xero.control("POST", "reject", {"errors": [error]})
    accepted = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(accepted, Accepted)
    xero.advance(2)
    answer = xero.feeds.statement_status(access, accepted.statement_id)
    assert isinstance(answer, Accepted)
    assert (answer.status, answer.problems[0].type) == (StatementStatus.REJECTED, "account-not-valid")


def test_rate_limits_and_failures_are_told_apart(xero: Xero) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))

    def post() -> object:
        return xero.feeds.post_statement(access, request, "key-1")

    xero.fault(STATEMENTS_PATH, fault="rateLimit", limit="day", seconds=77000)
    assert post() == TryLater(scope=Scope.TENANT, seconds=77000, reason="rate-limit-day")
    xero.fault(STATEMENTS_PATH, fault="rateLimit", limit="appminute", seconds=7)
    assert post() == TryLater(scope=Scope.APP, seconds=7, reason="rate-limit-app")
    xero.fault(STATEMENTS_PATH, fault="rateLimit", limit="concurrent")
    assert post() == TryLater(scope=Scope.TENANT, seconds=1, reason="rate-limit-concurrent")
    xero.fault(STATEMENTS_PATH, fault="status", status=503)
    assert isinstance(post(), TryLater)
    xero.fault(STATEMENTS_PATH, fault="status", status=500)
    assert isinstance(post(), Failed)
    xero.fault(STATEMENTS_PATH, fault="delay", seconds=1)
    impatient = XeroBankFeeds(XeroApi(Http(xero.url, read_seconds=0.2), xero.tokens, xero.now))
    assert impatient.post_statement(access, request, "key-1") == NoAnswer(reason="ReadTimeout")


def test_a_xero_that_is_not_there_took_nothing(xero: Xero) -> None:
    access = xero.access()
    with socket.socket() as closed_port:
        closed_port.bind(("127.0.0.1", 0))
        port = closed_port.getsockname()[1]
        feeds = XeroBankFeeds(XeroApi(Http(f"http://127.0.0.1:{port}"), xero.tokens, xero.now))
        answer = feeds.post_statement(access, b"{}", "key-1")
    assert answer == TryLater(scope=Scope.TENANT, seconds=5, reason="unreachable", is_outage=True)


def test_a_connection_removed_at_xero_holds_the_connection(xero: Xero) -> None:
    access = xero.access()
    request = xero.feeds.request_bytes(access, statement(connect(xero, access), line("t-1", "5", "5")))
    [connection] = xero.control("GET", "connections")["connections"]
    xero.control("DELETE", f"connections/{connection['id']}")
    answer = xero.feeds.post_statement(access, request, "key-1")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.problem.type) == (Scope.CONNECTION, "connection-removed")


def test_a_consent_without_bank_feeds_is_told_from_a_removed_connection(xero: Xero) -> None:
    grant = xero.consent(BAKERY, scopes=tuple(scope for scope in SCOPES if scope != "bankfeeds"))
    access = TenantAccess(tenant_id=BAKERY, token_set_id=grant.token_set_id)
    answer = xero.feeds.post_statement(access, b"{}", "key-1")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.problem.type) == (Scope.CONNECTION, "missing-scope")


def test_what_is_known_of_an_organisation(xero: Xero) -> None:
    organisation = xero.accounting.organisation(xero.access())
    assert (organisation.name, organisation.base_currency) == ("Harbour Bakery Ltd", "GBP")
    assert (organisation.country, organisation.time_zone, organisation.demo) == ("GB", "Europe/London", False)
    assert xero.accounting.allows_multicurrency(xero.access())
    assert xero.accounting.currencies(xero.access()) == ("GBP", "EUR")
