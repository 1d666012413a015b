"""The page of a feed: its balance, what is missing, its picture, its statements, lines and pushes, and its files."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountMapping
from feedlane.errors import Finding
from feedlane.feeds import gap_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.feeds.ledger import Addition, append
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.web.portal.feeds import feed_chart
from tests.builders import NOW
from tests.unit.web.held import add_feed
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PILL = re.compile(r'<span class="pill (\w*)">([^<]*)</span>')


@pytest.fixture
def world() -> World:
    return signed_in()


def _line(number: int, **changes: Any) -> Line:
    day = (date(2026, 1, 1) + timedelta(days=number)).isoformat()
    line = Line(f"t-{number}", day, Decimal(10), Decimal(10 * number), f"text {number}", "", "", "Credit")
    return line._replace(**changes)


def _fed(world: World, count: int, is_indexed: bool = True, **fields: Any) -> Feed:
    """A feed with lines 1 to `count`, one a day."""
    lines = [_line(number) for number in range(1, count + 1)]
    feed = add_feed(
        world, recorded_through=count, recorded_date=lines[-1].date, recorded_balance=lines[-1].balance, **fields
    )
    world.store.commit(*feed_items.add_lines(feed.id, 1, lines))
    if is_indexed:
        feed_items.index_lines(world.store, feed.id, 1, lines)
    return feed


def _page(world: World, feed: Feed, query: str = "") -> str:
    return world.browser.get(f"/portal/feeds/{feed.id}{query}").body


def _cells(body: str) -> list[int]:
    """The numbers of the lines on the page."""
    return [int(number.replace(",", "")) for number in re.findall(r'<small class="code">([\d,]+) · ', body)]


def test_the_balance_is_the_ledgers_with_its_day_and_the_one_at_the_start_is_called_that(world: World) -> None:
    feed = _fed(world, 3)
    body = " ".join(_page(world, feed).split())
    assert "£30.00<small>ledger, as of 4 January 2026" in body
    assert "<dt>Balance given at the start</dt><dd>£159,000.00</dd>" in body


def test_lines_are_paged_the_latest_first_with_what_became_of_each(world: World) -> None:
    flight = Flight(number=2, first=51, last=55, status=FlightStatus.PENDING)
    feed = _fed(world, 60, delivered_through=50, flight=flight, statements=2)
    body = _page(world, feed, "?show=transactions")
    assert _cells(body) == list(range(60, 35, -1))
    words = [words for _, words in PILL.findall(body)][1:]
    assert words == ["waiting"] * 5 + ["sent"] * 5 + ["delivered"] * 15
    [following] = re.findall(r'href="([^"]+)" rel="next"', body)
    assert _cells(world.browser.get(following.replace("&amp;", "&")).body) == list(range(35, 10, -1))
    world.add_hold(Scope.FEED, feed.id)
    assert ("bad", "held") in PILL.findall(_page(world, feed, "?show=transactions"))[1:]


def test_lines_are_found_by_id_text_amount_day_and_outcome(world: World) -> None:
    feed = _fed(world, 2_500, delivered_through=2_400)
    for query, expected in (
        ("q=t-7", [7]),
        ("q=text+2499", [2499]),
        ("from=2026-01-03&to=2026-01-05", [4, 3, 2]),
        ("to=2026-01-02", [1]),
        ("outcome=Waiting&q=text+240", [2409, 2408, 2407, 2406, 2405, 2404, 2403, 2402, 2401]),
        ("q=nothing&from=2032-10-01", []),
    ):
        assert _cells(_page(world, feed, f"?show=transactions&{query}")) == expected, query


def test_a_search_reads_a_thousand_lines_and_offers_to_go_on(world: World) -> None:
    feed = _fed(world, 2_500)
    body = _page(world, feed, "?show=transactions&q=text+12")
    assert "Look further" in body
    found: list[int] = []
    while True:
        found += _cells(body)
        links = re.findall(r'href="([^"]+)" rel="next"', body)
        if not links:
            break
        body = world.browser.get(links[0].replace("&amp;", "&")).body
    assert found == [*range(1299, 1199, -1), *range(129, 119, -1), 12]


def _statement(feed: Feed, number: int, **changes: Any) -> StatementRecord:
    fields = {
        "feed_id": feed.id, "number": number, "first": number, "last": number, "state": StatementState.DELIVERED,
        "start_date": "2026-01-02", "end_date": "2026-01-02", "start_balance": Decimal(0),
        "end_balance": Decimal(number), "created": NOW, "ended_on": NOW, "upstream_id": f"x-{number}",
    }  # fmt: skip
    return StatementRecord(**fields | changes)


def test_statements_are_paged_with_their_balances_and_problems(world: World) -> None:
    feed = _fed(world, 60, statements=60, delivered_through=60)
    for number in range(1, 61):
        world.store.commit(*statement_items.add_statement(_statement(feed, number), b"x"))
    body = _page(world, feed)
    assert re.findall(r'<small class="code">x-(\d+)</small>', body) == [str(n) for n in range(60, 35, -1)]
    assert "36 to 60 of 60 statements" in body
    assert "£60.00" in body
    assert "60 transactions in" in body
    [following] = re.findall(r'href="([^"]+)" rel="next"', body)
    assert "x-35" in world.browser.get(following.replace("&amp;", "&")).body


def test_a_page_asks_for_as_much_of_a_large_feed_as_of_a_small_one(world: World, monkeypatch: Any) -> None:
    feed = _fed(world, 2_000, statements=2_000, delivered_through=2_000)
    for number in range(1, 201):
        world.store.commit(*statement_items.add_statement(_statement(feed, number + 1_800), b"x"))
    read: list[int] = []
    get_many = world.table.get_many
    monkeypatch.setattr(
        world.table, "get_many", lambda keys: read.append(len(wanted := list(keys))) or get_many(wanted)
    )
    _page(world, feed)
    assert (len(read) <= 8, sum(read) <= 150) == (True, True), read


def test_the_picture_counts_by_day_and_begins_where_the_statements_read_are_whole() -> None:
    feed_id, today = "k/a", date(2026, 5, 20)

    def at(number: int, days_ago: int, lines: int) -> StatementRecord:
        ended = NOW - timedelta(days=days_ago)
        return StatementRecord(
            feed_id=feed_id, number=number, first=1, last=lines, state=StatementState.DELIVERED, created=ended,
            ended_on=ended, end_balance=Decimal(number),
        )  # fmt: skip

    statements = [at(4, 0, 5), at(3, 2, 1), at(2, 2, 2), at(1, 40, 9)]
    chart = feed_chart.chart(statements, today, 100)
    assert chart is not None
    assert [day.delivered for day in chart.days[-3:]] == [3, 0, 5]
    assert [day.balance for day in chart.days[-3:]] == [3, 3, 4]
    assert (len(chart.days), chart.delivered, chart.days[0].balance) == (30, 8, 1)
    cut = feed_chart.chart(statements[:3], today, 3)
    assert cut is not None
    assert (len(cut.days), cut.delivered) == (2, 5), "what came before is not known"
    assert feed_chart.chart([at(1, 40, 9)], today, 100) is None


def test_a_gap_is_kept_with_the_push_that_found_it_and_shown() -> None:
    world = signed_in()
    feed = _fed(world, 3)
    outcome = append(feed, [_line(4), _line(9, balance=Decimal(500)), _line(10, balance=Decimal(510))], {})
    assert isinstance(outcome, Addition)
    assert outcome.feed.gaps == 1
    [put] = gap_items.add_gaps(feed.id, "push-1", outcome, feed.recorded_date, NOW)
    stored = feed_items.find_feed(world.store, feed.id)
    assert stored is not None
    world.store.commit(put, feed_items.put_feed(stored.but(gaps=outcome.feed.gaps)))
    body = " ".join(_page(world, feed).split())
    assert "between 5 January 2026 and 10 January 2026: expected £50.00, found £500.00" in body
    assert f"/portal/push-operations/{feed.company_id}/push-1" in body


def test_a_push_whose_balances_do_not_run_keeps_the_first_of_its_gaps() -> None:
    world = signed_in()
    feed = _fed(world, 1)
    outcome = append(feed, [_line(number, balance=Decimal(7)) for number in range(2, 900)], {})
    assert isinstance(outcome, Addition)
    [put] = gap_items.add_gaps(feed.id, "push-1", outcome, feed.recorded_date, NOW)
    world.store.commit(put)
    [push] = gap_items.newest_gaps(world.store, feed.id, 5)
    assert (push.count, len(push.gaps), outcome.feed.gaps) == (898, gap_items.GAPS_KEPT_MAX, 898)


def test_a_hold_says_on_the_page_of_its_feed_what_to_do(world: World) -> None:
    feed = _fed(world, 3)
    ids = {"company_id": feed.company_id, "connection_id": feed.connection_id}
    world.add_hold(Scope.FEED, feed.id, reason="account-archived", **ids)
    for path in (f"/portal/feeds/{feed.id}", f"/portal/companies/{feed.company_id}"):
        body = world.browser.get(path).body
        assert "The Xero account is archived" in body, path
        assert "Have it restored in Xero (Chart of accounts, Archived), then release." in body, path


@pytest.mark.parametrize("parts", [("feed-state", "held", "position-facts", "statements"), ("company-state", "held")])
def test_while_something_is_sent_all_that_speaks_of_it_looks_again(world: World, parts: tuple[str, ...]) -> None:
    """After a release that Xero refused again, the feed went on being called connected, with nothing held."""
    feed = _fed(world, 3)
    path = f"/portal/feeds/{feed.id}" if "feed-state" in parts else f"/portal/companies/{feed.company_id}"
    body = world.browser.get(path).body
    for part in parts:
        assert re.search(f'id="{part}"[^>]* data-refresh=', body), part
    assert '<div id="held" class="parts" data-refresh="' in body
    world.add_hold(Scope.FEED, feed.id, company_id=feed.company_id, connection_id=feed.connection_id)
    assert "data-refresh=" not in world.browser.get(path).body, "nothing moves until somebody releases it"


def test_a_feed_shows_every_id_that_a_push_names(world: World) -> None:
    """A message on the queue names the company and the connection too."""
    account = world.add_account("acc-1")
    body = world.browser.get(f"/portal/feeds/{account.connection_id}/acc-1").body
    for what, id in (
        ("company", account.company_id),
        ("connection", account.connection_id),
        ("account", "acc-1"),
        ("feed", f"{account.connection_id}/acc-1"),
    ):
        assert f'data-copy="the {what} id">{id}</code>' in body, what


def test_an_account_that_is_not_connected_leads_to_its_customers_link(world: World) -> None:
    account = world.add_account("acc-1")
    body = world.browser.get(f"/portal/feeds/{account.connection_id}/acc-1").body
    assert "Not connected to Xero yet" in body
    assert f'href="/portal/companies/{account.company_id}#connection-{account.connection_id}"' in body
    feed = _fed(world, 1)
    mapped = company_items.source_account(world.store, feed.connection_id, feed.account_id)
    mapping = AccountMapping(feed_connection_id="f", account_token="t", target_account_name="Current")
    world.store.commit(company_items.put_source_account(mapped.but(mapping=mapping)))
    assert "Not connected to Xero yet" not in _page(world, feed)


def test_a_hold_is_released_from_the_feed_and_the_page_comes_back(world: World) -> None:
    feed = _fed(world, 3)
    hold = world.add_hold(Scope.FEED, feed.id, company_id=feed.company_id, connection_id=feed.connection_id)
    path = f"/portal/feeds/{feed.id}"
    response = world.browser.post(path, {"formToken": world.form_token(path), "hold": hold.id})
    assert (response.status, response.path, response.query) == (303, path, {"done": "released"})
    assert hold_items.holds(world.store) == []
    response = world.browser.post(path, {"formToken": world.form_token("/portal/profile"), "hold": hold.id})
    assert response.query == {"done": "lifted"}


def test_the_ledger_and_the_statements_are_exported_and_no_cell_is_a_formula(world: World) -> None:
    feed = _fed(world, 3, delivered_through=1, statements=1)
    evil = _line(4, description='=HYPERLINK("http://x")', amount=Decimal("-5"), balance=Decimal(25))
    world.store.commit(*feed_items.add_lines(feed.id, 4, [evil]))
    stored = feed_items.find_feed(world.store, feed.id)
    assert stored is not None
    world.store.commit(feed_items.put_feed(stored.but(recorded_through=4)))
    world.store.commit(*statement_items.add_statement(_statement(feed, 1), b"x"))
    response = world.browser.get(f"/portal/feeds/{feed.id}?export=ledger")
    rows = list(csv.DictReader(io.StringIO(response.body)))
    assert [(row["line"], row["outcome"]) for row in rows][:2] == [("1", "Delivered"), ("2", "Waiting")]
    assert (rows[3]["description"], rows[3]["amount"]) == ('\'=HYPERLINK("http://x")', "-5")
    assert response.headers["Content-Disposition"] == 'attachment; filename="main-ledger-1-4.csv"'
    [row] = csv.DictReader(io.StringIO(world.browser.get(f"/portal/feeds/{feed.id}?export=statements").body))
    assert (row["openingBalance"], row["closingBalance"], row["statementId"]) == ("0", "1", "x-1")
    assert world.browser.get(f"/portal/feeds/{feed.id}?export=ledger&first=9").status == 404
    assert world.browser.get(f"/portal/feeds/{feed.id}?export=all").status == 404


def test_a_feed_of_an_ended_connection_is_not_connected(world: World) -> None:
    world.link()
    feed = add_feed(world)
    body = world.browser.get("/portal/feeds").body
    assert ("", "not connected") in PILL.findall(body)
    assert world.browser.get(f"/portal/feeds/{feed.id}").status == 200


def _operation(world: World, feed: Feed, key: str, **changes: Any) -> PushOperation:
    fields = {
        "key": key, "company_id": feed.company_id, "connection_id": feed.connection_id, "account_id": feed.account_id,
        "door": Door.API, "requested_on": NOW, "transactions": 1,
    }  # fmt: skip
    operation = PushOperation(**fields | changes)
    world.store.commit(push_operation_items.put_operation(operation))
    return operation


def test_push_operations_are_filtered_by_account_door_and_status(world: World) -> None:
    feed = _fed(world, 3)
    _operation(world, feed, "one", requested_on=NOW - timedelta(hours=1))
    _operation(world, feed, "two", door=Door.QUEUE, status=PushStatus.FAILED)
    _operation(world, feed, "three", account_id="other")
    path = f"/portal/companies/{feed.company_id}/push-operations"

    def keys(query: str) -> list[str]:
        return re.findall(r'<small class="code">(\w+)</small>', world.browser.get(query).body)

    assert sorted(keys(path)) == ["one", "three", "two"]
    assert keys(f"{path}?account=main%20acc&status=Failed") == ["two"]
    assert keys(f"{path}?door=queue") == ["two"]
    assert keys(f"{path}?account=other") == ["three"]
    assert sorted(keys(f"/portal/feeds/{feed.id}?show=pushes")) == ["one", "two"]
    assert keys(f"/portal/feeds/{feed.id}?show=pushes&status=Pending") == ["one"]


def test_a_push_operation_shows_every_message_and_what_became_of_each_transaction(world: World) -> None:
    feed = _fed(world, 40, delivered_through=38)
    errors = tuple(Finding(item_id=f"t-{n}", message=f"rule {n}", validator="Chronological") for n in range(1, 41))
    operation = _operation(
        world, feed, "one", through=40, lines=40, transactions=40, warnings=errors, status=PushStatus.PENDING
    )
    world.store.commit(*push_operation_items.add_pushed_lines(operation, [_line(n) for n in range(1, 41)]))
    path = f"/portal/push-operations/{feed.company_id}/one"
    first = world.browser.get(path).body
    assert "1 to 25 of 40 messages" in first
    assert re.findall(r"rule (\d+)", first) == [str(n) for n in range(1, 26)]
    assert re.findall(r"rule (\d+)", world.browser.get(f"{path}?show=messages&start=25").body)[-1] == "40"
    last = world.browser.get(f"{path}?show=transactions&start=25").body
    assert [words for _, words in PILL.findall(last) if words in ("delivered", "waiting")] == (
        ["delivered"] * 13 + ["waiting"] * 2
    )
    assert "rule 40" in last
    assert world.browser.get(path + "x").status == 404


def test_what_a_crash_left_out_of_the_index_is_found_all_the_same(world: World) -> None:
    feed = _fed(world, 2, is_indexed=False, delivered_through=1)
    operation = _operation(world, feed, "one", through=2, lines=2, transactions=2)
    world.store.commit(*push_operation_items.add_pushed_lines(operation, [_line(1), _line(2)]))
    body = world.browser.get(f"/portal/push-operations/{feed.company_id}/one?show=transactions").body
    assert [words for _, words in PILL.findall(body) if words in ("delivered", "waiting")] == ["delivered", "waiting"]
    assert feed_items.indexed_through(world.store, feed.id) == 2


def test_the_search_leads_to_a_push_operation(world: World) -> None:
    feed = _fed(world, 1)
    _operation(world, feed, "push-key")
    assert world.browser.get("/portal/search?q=push-key").path == f"/portal/push-operations/{feed.company_id}/push-key"
