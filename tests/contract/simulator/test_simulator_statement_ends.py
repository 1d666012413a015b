"""Statements that are taken: what is dropped without a word, and what becomes of the rest."""

from decimal import Decimal

import pytest
import simplejson

from tests.contract.simulator.driver import (
    BAKERY,
    JOINERY,
    STATEMENTS,
    Xero,
    credit,
    new_line,
    new_statement,
)
from tests.contract.simulator.test_simulator_statements import UNKNOWN_FEED, rejected_type, root_type


@pytest.fixture
def feed(xero: Xero) -> str:
    xero.connect(BAKERY)
    return xero.active_feed()


def test_a_statement_is_pending_and_then_delivered(xero: Xero, feed: str) -> None:
    xero.control("PUT", "timing", {"statementSeconds": 30})
    answer = xero.post_statements(new_statement(feed))
    (item,) = answer.json()["items"]
    assert (answer.status_code, item) == (
        202,
        {"id": item["id"], "feedConnectionId": feed, "status": "PENDING"},
    )
    path = f"{STATEMENTS}/{item['id']}"
    xero.advance(29)
    assert xero.call("GET", path).json()["status"] == "PENDING"
    xero.advance(1)
    assert xero.call("GET", path).json() == {
        "id": item["id"],
        "feedConnectionId": feed,
        "status": "DELIVERED",
        "startDate": "2026-06-14",
        "endDate": "2026-06-14",
        "startBalance": {"amount": "100.0000", "creditDebitIndicator": "CREDIT"},
        "endBalance": {"amount": "150.0000", "creditDebitIndicator": "CREDIT"},
        "statementLineCount": "1",
    }


def test_a_switch_renders_amounts_as_numbers(xero: Xero, feed: str) -> None:
    xero.post_statements(new_statement(feed))
    xero.control("PUT", "behaviour", {"amounts": "numbers"})
    text = xero.call("GET", STATEMENTS).text
    assert '"startBalance":{"amount":100.0000,' in text
    assert '"statementLineCount":"1"' in text


def test_the_list_has_pages_and_no_lines(xero: Xero, feed: str) -> None:
    for count in range(3):
        xero.post_statements(new_statement(feed, new_line(f"t-{count}")))
    found = xero.call("GET", STATEMENTS, params={"page": 2, "pageSize": 2}).json()
    assert found["pagination"] == {"page": 2, "pageCount": 2, "pageSize": 2, "itemCount": 1}
    assert "statementLines" not in found["items"][0]


def test_statements_of_other_organisations_are_not_found(xero: Xero, feed: str) -> None:
    answer = xero.post_statements(new_statement(feed))
    path = f"{STATEMENTS}/{answer.json()['items'][0]['id']}"
    xero.connect(JOINERY)
    assert root_type(xero.call("GET", path, tenant=JOINERY), 404) == "statement-not-found"
    assert xero.call("GET", path).status_code == 200


def test_a_statement_of_known_lines_only_is_a_duplicate_with_an_id(xero: Xero, feed: str) -> None:
    xero.post_statements(new_statement(feed))
    answer = xero.post_statements(new_statement(feed))
    assert rejected_type(answer, 409) == "duplicate-statement"
    (item,) = answer.json()["items"]
    shown = xero.call("GET", f"{STATEMENTS}/{item['id']}").json()
    assert (shown["status"], shown["errors"][0]["type"]) == ("REJECTED", "duplicate-statement")


def test_known_lines_among_new_ones_are_dropped_without_a_word(xero: Xero, feed: str) -> None:
    xero.post_statements(new_statement(feed))
    answer = xero.post_statements(new_statement(feed, new_line("t-1"), new_line("t-2")))
    assert answer.status_code == 202
    assert set(answer.json()["items"][0]) == {"id", "feedConnectionId", "status"}
    shown = xero.call("GET", f"{STATEMENTS}/{answer.json()['items'][0]['id']}").json()
    assert shown["statementLineCount"] == "1"
    second = xero.received()[1]
    assert [(one["transactionId"], one["dropped"]) for one in second["lines"]] == [
        ("t-1", True),
        ("t-2", False),
    ]
    xero.advance(1)
    (ledger,) = xero.control("GET", "ledgers")["ledgers"]
    assert [one["transactionId"] for one in ledger["lines"]] == ["t-1", "t-2"]


def test_an_id_twice_in_one_statement_is_dropped_once(xero: Xero, feed: str) -> None:
    xero.post_statements(new_statement(feed, new_line("t-1"), new_line("t-1")))
    assert [one["dropped"] for one in xero.received()[0]["lines"]] == [False, True]


def test_the_same_id_in_another_feed_is_another_line(xero: Xero, feed: str) -> None:
    xero.post_statements(new_statement(feed))
    other = xero.active_feed(accountToken="token-2", accountId=None, accountNumber="555")
    assert xero.post_statements(new_statement(other)).status_code == 202


def test_lines_without_an_id_are_never_duplicates(xero: Xero, feed: str) -> None:
    for _ in range(2):
        assert xero.post_statements(new_statement(feed, new_line(None))).status_code == 202
    assert [one["lines"][0]["dropped"] for one in xero.received()] == [False, False]


def test_a_post_of_several_statements_answers_each_for_itself(xero: Xero, feed: str) -> None:
    good, bad = new_statement(feed), new_statement(UNKNOWN_FEED, new_line("t-2"))
    answer = xero.post_statements(good, bad)
    assert answer.status_code == 202
    assert [one["status"] for one in answer.json()["items"]] == ["PENDING", "REJECTED"]


def test_order_and_continuity_are_not_checked(xero: Xero, feed: str) -> None:
    later = new_statement(feed, new_line("t-2"), startDate="2026-06-14", endDate="2026-06-14")
    earlier = new_statement(
        feed, startDate="2026-06-01", endDate="2026-06-01", startBalance=credit(7), endBalance=credit(57)
    )
    assert [xero.post_statements(one).status_code for one in (later, earlier)] == [202, 202]


def test_a_switch_checks_order_and_continuity(xero: Xero, feed: str) -> None:
    xero.control("PUT", "behaviour", {"order": "enforce"})
    assert xero.post_statements(new_statement(feed)).status_code == 202
    earlier = new_statement(feed, new_line("t-2"), startDate="2026-06-13", endDate="2026-06-13")
    assert rejected_type(xero.post_statements(earlier), 422) == "invalid-start-date"
    gap = new_statement(feed, new_line("t-2"), startBalance=credit(7), endBalance=credit(57))
    assert rejected_type(xero.post_statements(gap), 400) == "invalid-request"
    follows = new_statement(feed, new_line("t-2"), startBalance=credit(150), endBalance=credit(200))
    assert xero.post_statements(follows).status_code == 202


def test_the_ledger_is_in_order_of_delivery_not_of_receipt(xero: Xero, feed: str) -> None:
    xero.control("PUT", "timing", {"statementSeconds": 30})
    xero.post_statements(new_statement(feed, new_line("slow")))
    xero.control("PUT", "timing", {"statementSeconds": 1})
    xero.post_statements(new_statement(feed, new_line("fast")))

    def delivered() -> list[str]:
        (ledger,) = xero.control("GET", "ledgers")["ledgers"]
        return [one["transactionId"] for one in ledger["lines"]]

    xero.advance(1)
    assert delivered() == ["fast"]
    xero.advance(29)
    assert delivered() == ["fast", "slow"]


def test_everything_received_can_be_looked_at_exactly_as_it_came(xero: Xero, feed: str) -> None:
    line = new_line(amount=Decimal("50.10"), payeeName="Mill & Söhne")
    sent = new_statement(feed, line, startBalance=credit(Decimal("999999999999.1234")))
    sent["endBalance"] = credit(Decimal("1000000000049.2234"))
    assert xero.post_statements(sent).status_code == 202
    xero.advance(5)
    text = xero.http.get("/_simulator/statements").text
    (one,) = simplejson.loads(text, use_decimal=True)["statements"]
    assert one["lines"] == [line | {"dropped": False}]
    assert '"amount":50.10,' in text
    assert (one["startBalance"], one["endBalance"]) == (sent["startBalance"], sent["endBalance"])
    assert (one["tenantId"], one["feedConnectionId"], one["accountToken"]) == (BAKERY, feed, "token-1")
    assert (one["accountName"], one["status"]) == ("Business Current Account", "DELIVERED")
    assert one["receivedAt"] == "2026-06-15T12:00:01.000000Z"
    assert one["deliveredAt"] == "2026-06-15T12:00:02.000000Z"
