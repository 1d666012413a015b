"""Faults: what a test can order to go wrong, and that it goes wrong on the right side of the commit."""

from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    FEED_CONNECTIONS,
    HUNG_UP,
    JOINERY,
    STATEMENTS,
    Xero,
    new_feed,
    new_line,
    new_statement,
)

POST_STATEMENTS = {"method": "POST", "path": STATEMENTS}
FORBIDDEN = [
    "invalid-application",
    "suspended-or-terminated-application",
    "invalid-organisation-bank-feeds",
    "invalid-organisation-multi-currency",
    "invalid-feed-connection",
    "invalid-feed-connection-for-organisation",
    "invalid-user-role",
]


def order(xero: Xero, fault: str, match: dict[str, Any] | None = None, **facts: Any) -> None:
    xero.control("POST", "faults", {"match": match or POST_STATEMENTS, "fault": fault, **facts})


@pytest.fixture
def feed(xero: Xero) -> str:
    xero.connect(BAKERY)
    return xero.active_feed()


def test_a_dropped_response_comes_after_the_statement_was_committed(xero: Xero, feed: str) -> None:
    order(xero, "dropResponse")
    with pytest.raises(HUNG_UP):
        xero.post_statements(new_statement(feed), key="k-1")
    assert [one["lines"][0]["transactionId"] for one in xero.received()] == ["t-1"]
    again = xero.post_statements(new_statement(feed), key="k-1")
    assert (again.status_code, again.json()["items"][0]["id"]) == (202, xero.received()[0]["id"])
    assert xero.post_statements(new_statement(feed), key="k-2").status_code == 409


def test_a_response_can_be_dropped_before_anything_was_committed(xero: Xero, feed: str) -> None:
    order(xero, "dropResponse", when="before")
    with pytest.raises(HUNG_UP):
        xero.post_statements(new_statement(feed))
    assert xero.received() == []


def test_a_lost_refresh_has_rotated_the_token_and_the_old_one_still_works(xero: Xero) -> None:
    old = xero.connect(BAKERY)["refresh_token"]
    order(xero, "dropResponse", {"method": "POST", "path": "/connect/token"})
    with pytest.raises(HUNG_UP):
        xero.refresh(old)
    assert xero.refresh(old).status_code == 200
    xero.advance(30 * 60)
    assert xero.refresh(old).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("type_", FORBIDDEN)
def test_each_403_of_the_api_can_be_ordered_at_the_root(xero: Xero, feed: str, type_: str) -> None:
    order(xero, "problem", problem=type_)
    answer = xero.post_statements(new_statement(feed))
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert answer.json()["type"] == type_
    assert xero.received() == []


def test_a_problem_can_come_in_the_items_of_either_endpoint(xero: Xero, feed: str) -> None:
    order(xero, "problem", problem="invalid-user-role", shape="item")
    (item,) = xero.post_statements(new_statement(feed)).json()["items"]
    assert (item["feedConnectionId"], item["status"]) == (feed, "REJECTED")
    assert item["errors"][0]["type"] == "invalid-user-role"
    order(xero, "problem", {"path": FEED_CONNECTIONS}, problem="invalid-user-role", shape="item")
    (item,) = xero.post_feed(new_feed(accountToken="other")).json()["items"]
    assert (item["accountToken"], item["error"]["type"]) == ("other", "invalid-user-role")


def test_a_problem_nobody_has_seen_yet_is_served_as_given(xero: Xero, feed: str) -> None:
    unseen = {"type": "brand-new-type", "title": "New", "status": 418, "detail": "Never seen."}
    order(xero, "problem", problem=unseen, status=403)
    answer = xero.post_statements(new_statement(feed))
    assert (answer.status_code, answer.json()) == (403, unseen)


def test_an_internal_error_is_kept_under_its_idempotency_key_so_a_retry_needs_a_new_one(xero: Xero, feed: str) -> None:
    order(xero, "problem", problem="internal-error")
    for _ in range(2):
        answer = xero.post_statements(new_statement(feed), key="k-1")
        assert (answer.status_code, answer.json()["type"]) == (500, "internal-error")
    assert xero.post_statements(new_statement(feed), key="k-2").status_code == 202


def test_an_internal_error_can_come_after_the_commit(xero: Xero, feed: str) -> None:
    order(xero, "problem", problem="internal-error", when="after")
    assert xero.post_statements(new_statement(feed), key="k-1").status_code == 500
    assert len(xero.received()) == 1


@pytest.mark.parametrize(("when", "committed"), [("before", 0), ("after", 1)])
def test_a_status_comes_from_the_gateway_on_either_side_of_the_commit(
    xero: Xero, feed: str, when: str, committed: int
) -> None:
    order(xero, "status", status=503, when=when, headers={"Retry-After": "300"})
    answer = xero.post_statements(new_statement(feed), key="k-1")
    assert (answer.status_code, answer.json()["Status"], answer.headers["Retry-After"]) == (503, 503, "300")
    assert len(xero.received()) == committed
    assert xero.post_statements(new_statement(feed), key="k-1").status_code == 202


def test_a_rate_limit_can_ask_for_77000_seconds(xero: Xero, feed: str) -> None:
    order(xero, "rateLimit", limit="day", seconds=77000)
    answer = xero.post_statements(new_statement(feed))
    assert answer.status_code == 429
    assert (answer.headers["X-Rate-Limit-Problem"], answer.headers["Retry-After"]) == ("day", "77000")
    assert xero.received() == []


@pytest.mark.parametrize(("when", "committed"), [("before", False), ("after", True)])
def test_a_slow_answer_outlasts_the_clients_patience(xero: Xero, feed: str, when: str, committed: bool) -> None:
    order(xero, "delay", seconds=0.4, when=when)
    with pytest.raises(httpx.ReadTimeout):
        xero.call("POST", STATEMENTS, body={"items": [new_statement(feed)]}, timeout=0.1)
    assert bool(xero.received()) is committed


def test_a_fault_on_the_token_endpoint_is_served_bare(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    order(xero, "problem", {"path": "/connect/token"}, problem={"error": "invalid_grant"})
    answer = xero.refresh(pair["refresh_token"])
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    assert xero.refresh(pair["refresh_token"]).status_code == 200


def test_a_fault_strikes_as_often_as_ordered_and_then_no_more(xero: Xero, feed: str) -> None:
    order(xero, "status", status=500, times=2)
    statuses = [xero.post_statements(new_statement(feed)).status_code for _ in range(3)]
    assert statuses == [500, 500, 202]
    assert xero.control("GET", "faults")["faults"] == []


def test_a_fault_without_an_end_stands_until_the_faults_are_cleared(xero: Xero, feed: str) -> None:
    order(xero, "status", status=500, times=None)
    assert [xero.post_statements(new_statement(feed)).status_code for _ in range(3)] == [500] * 3
    assert xero.control("DELETE", "faults") == {"faults": []}
    assert xero.post_statements(new_statement(feed)).status_code == 202


def test_a_fault_strikes_only_what_it_matches(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)
    order(xero, "status", {"method": "GET", "path": STATEMENTS, "tenantId": JOINERY}, status=500)
    assert xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY).status_code == 200
    assert xero.call("GET", STATEMENTS).status_code == 200
    assert xero.call("GET", f"{STATEMENTS}/1", tenant=JOINERY).status_code == 404
    assert xero.call("POST", STATEMENTS, tenant=JOINERY, body={}).status_code == 403
    assert xero.call("GET", STATEMENTS, tenant=JOINERY).status_code == 500


@pytest.mark.parametrize("path", ["/Statements", "/bankfeeds.xro/*", "/Statements*", STATEMENTS.lower()])
def test_a_faults_path_may_be_an_end_or_a_pattern(xero: Xero, feed: str, path: str) -> None:
    order(xero, "status", {"path": path}, status=500)
    assert xero.post_statements(new_statement(feed)).status_code == 500


def test_the_first_ordered_fault_strikes_first(xero: Xero, feed: str) -> None:
    order(xero, "status", status=500)
    order(xero, "status", status=503)
    assert [xero.post_statements(new_statement(feed)).status_code for _ in range(3)] == [500, 503, 202]


def test_an_ordered_rejection_comes_after_the_202(xero: Xero, feed: str) -> None:
    error = {"type": "internal-error", "title": "Later", "status": 500, "detail": "It did not work."}
    xero.control("POST", "reject", {"tenantId": BAKERY, "errors": [error]})
    rejected = xero.post_statements(new_statement(feed))
    accepted = xero.post_statements(new_statement(feed, new_line("t-2")))
    assert (rejected.status_code, accepted.status_code) == (202, 202)
    path = f"{STATEMENTS}/{rejected.json()['items'][0]['id']}"
    assert xero.call("GET", path).json()["status"] == "PENDING"
    xero.advance(1)
    assert xero.call("GET", path).json()["errors"] == [error]
    assert [one["status"] for one in xero.received()] == ["REJECTED", "DELIVERED"]


def test_the_ids_of_a_rejected_statement_are_free_again(xero: Xero, feed: str) -> None:
    xero.control("POST", "reject", {"errors": ["account-not-valid"]})
    xero.post_statements(new_statement(feed))
    assert xero.post_statements(new_statement(feed)).status_code == 409
    xero.advance(1)
    assert xero.post_statements(new_statement(feed)).status_code == 202
    xero.advance(1)
    (ledger,) = xero.control("GET", "ledgers")["ledgers"]
    assert [one["transactionId"] for one in ledger["lines"]] == ["t-1"]
