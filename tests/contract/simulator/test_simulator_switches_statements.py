"""Statements, where Xero's documentation is silent: each switch in both positions."""

from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    FEED_CONNECTIONS,
    JOINERY,
    STATEMENTS,
    Xero,
    credit,
    new_feed,
    new_line,
    new_statement,
)

REJECTION = {"errors": ["account-not-valid"]}


@pytest.fixture
def feed(xero: Xero) -> str:
    xero.connect(BAKERY)
    return xero.active_feed()


def statement_type(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["type"] if "type" in body else body["items"][0]["errors"][0]["type"])


def shown(xero: Xero, statement_id: str) -> dict[str, Any]:
    found: dict[str, Any] = xero.call("GET", f"{STATEMENTS}/{statement_id}").json()
    return found


def post(xero: Xero, *lines: dict[str, Any], feed: str) -> str:
    answer = xero.post_statements(new_statement(feed, *lines))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["id"])


@pytest.mark.parametrize(("position", "status"), [("free", 202), ("used", 409)])
def test_the_ids_of_a_rejected_statement(xero: Xero, feed: str, position: str, status: int) -> None:
    xero.switch("rejectedIds", position)
    xero.control("POST", "reject", REJECTION)
    assert post(xero, feed=feed)
    xero.advance(2)
    assert xero.post_statements(new_statement(feed)).status_code == status


def test_duplicates_found_on_arrival_are_a_409(xero: Xero, feed: str) -> None:
    post(xero, feed=feed)
    answer = xero.post_statements(new_statement(feed))
    assert (answer.status_code, statement_type(answer)) == (409, "duplicate-statement")


def test_duplicates_found_while_processing_are_pending_and_then_rejected(xero: Xero, feed: str) -> None:
    xero.switch("duplicatesFound", "whileProcessing")
    post(xero, feed=feed)
    again = post(xero, feed=feed)
    assert shown(xero, again)["status"] == "PENDING"
    xero.advance(1)
    found = shown(xero, again)
    assert (found["status"], found["errors"][0]["type"]) == ("REJECTED", "duplicate-statement")
    (ledger,) = xero.control("GET", "ledgers")["ledgers"]
    assert [line["transactionId"] for line in ledger["lines"]] == ["t-1"]


@pytest.mark.parametrize(
    ("position", "same_id_other_amount", "other_id_same_content"),
    [("id", 409, 202), ("idAndContent", 202, 202), ("idOrContent", 409, 409)],
)
def test_what_makes_a_line_a_duplicate(
    xero: Xero, feed: str, position: str, same_id_other_amount: int, other_id_same_content: int
) -> None:
    xero.switch("duplicateKey", position)
    post(xero, feed=feed)
    other_amount = new_statement(feed, new_line("t-1", 60), endBalance=credit(160))
    assert xero.post_statements(other_amount).status_code == same_id_other_amount
    assert xero.post_statements(new_statement(feed, new_line("t-9"))).status_code == other_id_same_content
    assert xero.post_statements(new_statement(feed)).status_code == 409


def test_repeated_content_in_one_statement_is_dropped_where_content_counts(xero: Xero, feed: str) -> None:
    xero.switch("duplicateKey", "idOrContent")
    post(xero, new_line("t-1"), new_line("t-2"), feed=feed)
    assert [line["dropped"] for line in xero.received()[0]["lines"]] == [False, True]


@pytest.mark.parametrize(("position", "status"), [("feedConnection", 202), ("account", 409)])
def test_a_new_feed_connection_of_the_same_account(xero: Xero, feed: str, position: str, status: int) -> None:
    xero.switch("duplicateScope", position)
    post(xero, feed=feed)
    xero.control("DELETE", f"feedConnections/{feed}")
    again = xero.active_feed(accountToken="token-2")
    assert xero.post_statements(new_statement(again)).status_code == status


def test_a_statement_may_be_listed_late(xero: Xero, feed: str) -> None:
    def listed() -> list[str]:
        return [one["id"] for one in xero.call("GET", STATEMENTS).json()["items"]]

    first = post(xero, feed=feed)
    assert listed() == [first]
    xero.switch("listedAfterSeconds", 45)
    assert listed() == []
    assert shown(xero, first)["id"] == first
    xero.advance(45)
    assert listed() == [first]


@pytest.mark.parametrize(
    ("count", "type_", "expected"),
    [("kept", "text", "1"), ("kept", "integer", 1), ("received", "text", "2"), ("received", "integer", 2)],
)
def test_the_number_of_lines(xero: Xero, feed: str, count: str, type_: str, expected: Any) -> None:
    xero.switch("lineCount", count)
    xero.switch("lineCountType", type_)
    post(xero, feed=feed)
    partly_known = post(xero, new_line("t-1"), new_line("t-2"), feed=feed)
    assert shown(xero, partly_known)["statementLineCount"] == expected


@pytest.mark.parametrize(("position", "first"), [(1, 1), (0, 0)])
def test_the_number_of_the_first_page(xero: Xero, feed: str, position: int, first: int) -> None:
    xero.switch("firstPage", position)
    ids = [post(xero, new_line(f"t-{n}"), feed=feed) for n in range(3)]

    def page(number: int | str) -> tuple[list[str], dict[str, int]]:
        answer = xero.call("GET", STATEMENTS, params={"page": number, "pageSize": 2}).json()
        return [one["id"] for one in answer["items"]], answer["pagination"]

    assert page(first) == (ids[:2], {"page": first, "pageCount": 2, "pageSize": 2, "itemCount": 2})
    assert page(first + 1)[0] == ids[2:]
    assert page(first + 2)[0] == []
    assert page(-1)[0] == page("x")[0] == ids[:2]
    assert xero.call("GET", FEED_CONNECTIONS).json()["pagination"]["page"] == first


@pytest.mark.parametrize(("position", "statuses"), [("accept", 202), ("refuse", 400)])
def test_a_statement_without_lines(xero: Xero, feed: str, position: str, statuses: int) -> None:
    xero.switch("zeroLines", position)
    empty = new_statement(feed) | {"statementLines": [], "endBalance": credit(100)}
    assert xero.post_statements(empty).status_code == statuses


@pytest.mark.parametrize(("position", "status"), [("accept", 202), ("refuse", 400)])
def test_a_line_outside_its_statement(xero: Xero, feed: str, position: str, status: int) -> None:
    xero.switch("linesOutsidePeriod", position)
    early = new_statement(feed, new_line(postedDate="2026-06-13"))
    assert xero.post_statements(early).status_code == status
    assert xero.post_statements(new_statement(feed, new_line("t-2"))).status_code == 202


@pytest.mark.parametrize("position", [202, 207, 400])
def test_the_status_when_only_some_statements_are_accepted(xero: Xero, feed: str, position: int) -> None:
    xero.switch("mixedStatus", position)
    bad = new_statement(feed, new_line("t-2"), startDate="2020-06-14")
    answer = xero.post_statements(new_statement(feed), bad)
    assert answer.status_code == position
    assert [one["status"] for one in answer.json()["items"]] == ["PENDING", "REJECTED"]
    assert xero.post_statements(new_statement(feed, new_line("t-3"))).status_code == 202


@pytest.mark.parametrize(("position", "status"), [("afterApplication", 403), ("first", 413)])
def test_a_body_too_large_from_an_organisation_without_bank_feeds(xero: Xero, position: str, status: int) -> None:
    xero.connect(JOINERY)
    xero.switch("sizeChecked", position)
    assert xero.call("POST", STATEMENTS, tenant=JOINERY, body=b" " * 3_000_001).status_code == status


@pytest.mark.parametrize(("position", "status"), [("characters", 202), ("utf16", 400)])
def test_how_text_is_measured(xero: Xero, feed: str, position: str, status: int) -> None:
    xero.switch("lengths", position)
    beach = "\N{BEACH WITH UMBRELLA}"
    assert xero.post_statements(new_statement(feed, new_line(chequeNumber=beach * 20))).status_code == status
    assert xero.post_statements(new_statement(feed, new_line("t-2", chequeNumber=beach * 10))).status_code == 202
    named = new_feed(accountToken="token-2", accountId=None, accountNumber="777", accountName=beach * 30)
    assert xero.post_feed(named).status_code == status


@pytest.mark.parametrize(
    ("position", "latest"),
    [
        ("organisation", "2026-06-16"),
        ("UTC", "2026-06-15"),
        ("Pacific/Auckland", "2026-06-16"),
        ("America/Los_Angeles", "2026-06-15"),
    ],
)
def test_the_time_zone_in_which_a_date_is_in_the_future(xero: Xero, feed: str, position: str, latest: str) -> None:
    """At noon UTC it is already tomorrow where the organisation is."""
    xero.control("PUT", f"orgs/{BAKERY}", {"timeZone": "Pacific/Auckland"})
    xero.switch("today", position)
    for number, day in enumerate(("2026-06-15", "2026-06-16")):
        answer = xero.post_statements(new_statement(feed, new_line(f"t-{number}"), startDate=day, endDate=day))
        assert answer.status_code == (202 if day <= latest else 422)


def test_an_archived_and_a_deleted_account_take_no_statements(xero: Xero, feed: str) -> None:
    (account,) = [one for one in xero.control("GET", "orgs")["orgs"][0]["accounts"] if one["code"] == "090"]
    path = f"orgs/{BAKERY}/accounts/{account['accountId']}"
    xero.control("PUT", path, {"archived": True})
    assert statement_type(xero.post_statements(new_statement(feed))) == "account-not-valid"
    xero.control("PUT", path, {"archived": False})
    assert xero.post_statements(new_statement(feed)).status_code == 202
    xero.control("DELETE", path)
    assert statement_type(xero.post_statements(new_statement(feed, new_line("t-2")))) == "account-not-valid"
    assert xero.control("PUT", path, {"archived": False}, expect=404)["field"] == "accountId"
