"""Companies, feeds and push operations in a real browser: from a new company to its account, and a full feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import Finding
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from tests import builders
from tests.browser.world import API_KEY, World

LONG, ARABIC = "Wm" * 127 + "x", "مخبز الميناء " * 12
LINES, STATEMENTS = 700, 35


def _sign_in(link: World, page: Page, wanted: str = "/portal") -> None:
    page.goto(link.url + wanted)
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def feed(link: World) -> Feed:
    """Of a linked connection, with many lines, statements and a push that was refused for each of its lines."""
    store, now = link.site.store, datetime.now(UTC)
    tenant = builders.tenant(name=ARABIC, country="GB", base_currency="GBP", plan="Standard")
    linked = link.connection.but(
        status=ConnectionStatus.LINKED, tenant=tenant, token_set_id="t", linked_on=now - timedelta(days=40)
    )
    store.commit(company_items.put_connection(linked))
    lines = [
        Line(f"t-{n}", str((now - timedelta(days=(LINES - n) // 30)).date()), Decimal(-n), Decimal(n), text, "", "", "")
        for n in range(1, LINES + 1)
        for text in ((LONG, ARABIC, "Card payment")[n % 3],)
    ]
    recorded = {"recorded_through": LINES, "recorded_date": lines[-1].date, "recorded_balance": lines[-1].balance}
    at_xero = {"delivered_through": LINES - 20, "statements": STATEMENTS - 1, "delivered_on": now, "gaps": 1}
    feed = builders.feed(linked, "main", created=now, **recorded | at_xero)
    store.commit(feed_items.add_feed(feed), *feed_items.add_lines(feed.id, 1, lines))
    for number in range(1, STATEMENTS):
        store.commit(*statement_items.add_statement(_statement(feed, number, now), b"x"))
    store.commit(push_operation_items.put_operation(_refused(feed, now)))
    return feed


def _statement(feed: Feed, number: int, now: datetime) -> StatementRecord:
    ended = now - timedelta(hours=20 * (STATEMENTS - number))
    return StatementRecord(
        feed_id=feed.id, number=number, first=number * 20 - 19, last=number * 20, state=StatementState.DELIVERED,
        start_date=str(ended.date()), end_date=str(ended.date()), start_balance=Decimal(0), end_balance=Decimal(number),
        upstream_id=f"9f0c2a14-5b7e-4d0c-9a51-{number:012}", created=ended, posted_on=ended, ended_on=ended,
    )  # fmt: skip


def _refused(feed: Feed, now: datetime) -> PushOperation:
    rule = "date 2026-05-01 is before 2026-05-20, the latest date so far; transactions must be in date order"
    ids = (LONG[:200], *(f"new-{n}" for n in range(60)))
    return PushOperation(
        key="refused", company_id=feed.company_id, connection_id=feed.connection_id, account_id=feed.account_id,
        door=Door.API, requested_on=now, completed_on=now, status=PushStatus.FAILED, status_code=400, transactions=61,
        error_message=rule, errors=tuple(Finding(item_id=id, message=rule, validator="Chronological") for id in ids),
    )  # fmt: skip


def test_a_new_company_gets_an_account_whose_ids_are_copied_and_is_deleted_by_its_name(link: World, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _sign_in(link, page, "/portal/companies")
    page.get_by_role("link", name="New company").click()
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_title("Error: New company · Ledgerly")
    page.get_by_label("Name", exact=True).fill("Quay Books")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_contain_text("send the link to your customer")
    page.get_by_role("link", name="Add a source account").click()
    page.get_by_label("Name", exact=True).fill("Main account")
    page.get_by_label("Account number").fill("20011234")
    page.get_by_label("Currency").fill("GBP")
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Main account")
    page.get_by_role("button", name="Copy the feed id").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("[data-copy='the feed id']").inner_text()
    page.get_by_role("link", name="Quay Books").click()
    page.get_by_role("link", name="Rename, tags, delete").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Type the company’s name").fill("Quay Books")
    page.get_by_role("button", name="Delete the company").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")


def test_transactions_are_searched_and_paged_without_scripts(
    link: World, page_without_scripts: Page, feed: Feed
) -> None:
    page = page_without_scripts
    _sign_in(link, page, f"/portal/feeds/{feed.id}?show=transactions")
    page.get_by_label("Id, text or amount").fill("card payment")
    page.get_by_role("button", name="Search").last.click()
    expect(page.locator("#lists tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#lists tbody tr")).to_have_count(25)
    expect(page.get_by_label("Id, text or amount")).to_have_value("card payment")
