"""How push operations end, and how they are found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.codat_simulator.driver import (
    BAKERY,
    CURRENT_ACCOUNT,
    JOINERY,
    TODAY,
    Driver,
    lines,
)


def test_lines_must_add_up_at_xero(codat: Driver) -> None:
    ids = codat.ready()
    wrong = lines(1, 2)
    wrong[1]["balance"] = 99
    pushed = codat.push(ids, wrong)
    codat.advance(2)
    assert "invalid-end-balance" in codat.operation(ids, pushed)["errorMessage"]
    codat.switch("sums", "unchecked")
    codat.push(ids, wrong)
    codat.advance(2)
    assert codat.arrived() == ["tx-1", "tx-2"]


def test_known_lines_are_skipped_and_a_push_without_new_ones_fails(codat: Driver) -> None:
    ids = codat.ready()
    for amounts in ((1,), (1, 2)):
        codat.push(ids, lines(*amounts))
        codat.advance(2)
    assert codat.arrived() == ["tx-1", "tx-2"]
    pushed = codat.push(ids, lines(1, 2))
    codat.advance(2)
    failed = codat.operation(ids, pushed)
    assert (failed["status"], failed["statusCode"]) == ("Failed", 409)
    assert "duplicate-statement" in failed["errorMessage"]


def test_a_codat_that_takes_known_lines_doubles_them(codat: Driver) -> None:
    codat.switch("knownIds", "accepted")
    ids = codat.ready()
    for _ in range(2):
        codat.push(ids, lines(1))
        codat.advance(2)
    assert codat.arrived() == ["tx-1", "tx-1"]


@pytest.mark.parametrize(
    ("where", "named", "findings"),
    [("json", True, 1), ("text", False, 0), ("validation", False, 1)],
)
def test_where_xeros_refusal_is(codat: Driver, where: str, named: bool, findings: int) -> None:
    codat.switch("downstream", where)
    codat.switch("failedStatusCode", "400")
    ids = codat.ready(JOINERY, target=None)
    pushed = codat.push(ids, lines(1))
    codat.advance(2)
    failed = codat.operation(ids, pushed)
    errors = failed["validation"]["errors"]
    assert failed["statusCode"] == 400
    assert ("invalid-organisation-bank-feeds" in failed["errorMessage"]) is named
    assert len(errors) == findings
    everything = failed["errorMessage"] + "".join(error["message"] for error in errors)
    assert "The organisation does not support automated bank feeds." in everything


def test_an_organisation_that_gets_bank_feeds_takes_the_next_push(codat: Driver) -> None:
    ids = codat.ready(JOINERY, target=None)
    codat.push(ids, lines(1))
    codat.advance(2)
    codat.control("PUT", f"orgs/{JOINERY}", {"bankFeeds": True})
    codat.push(ids, lines(1))
    codat.advance(2)
    assert codat.arrived() == ["tx-1"]


def test_an_archived_account_fails_the_push(codat: Driver) -> None:
    ids = codat.ready()
    codat.control("PUT", f"orgs/{BAKERY}/accounts/{CURRENT_ACCOUNT}", {"archived": True})
    pushed = codat.push(ids, lines(1))
    codat.advance(2)
    assert "account-not-valid" in codat.operation(ids, pushed)["errorMessage"]


def test_a_connection_that_ends_while_a_push_waits_fails_it(codat: Driver) -> None:
    ids = codat.ready()
    pushed = codat.push(ids, lines(1))
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Deauthorized"})
    codat.advance(2)
    assert codat.operation(ids, pushed)["statusCode"] == 401


@pytest.mark.parametrize("code", [408, 400, 504])
@pytest.mark.parametrize(("position", "arrived"), [("land", ["tx-1"]), ("lost", [])])
def test_an_operation_times_out_and_its_lines_may_still_land(
    codat: Driver, position: str, arrived: list[str], code: int
) -> None:
    codat.switch("timedOutLines", position)
    codat.switch("timedOutStatusCode", code)
    codat.control("PUT", "timing", {"pushSeconds": 120})
    ids = codat.ready()
    pushed = codat.push(ids, lines(1), query="?timeoutInMinutes=1&allowSyncOnPushComplete=true")
    assert pushed.json()["timeoutInMinutes"] == 1
    codat.advance(61)
    ended = codat.operation(ids, pushed)
    assert (ended["status"], ended["statusCode"]) == ("TimedOut", code)
    assert codat.arrived() == []
    codat.advance(60)
    assert codat.arrived() == arrived
    assert codat.operation(ids, pushed)["status"] == "TimedOut"


def test_xero_throttling_keeps_an_operation_pending(codat: Driver) -> None:
    ids = codat.ready()
    codat.control("PUT", f"orgs/{BAKERY}/throttle", {"seconds": 3600})
    pushed = codat.push(ids, lines(1))
    codat.advance(3599)
    assert codat.operation(ids, pushed)["status"] == "Pending"
    codat.advance(1)
    assert codat.operation(ids, pushed)["status"] == "Success"


def test_the_ends_that_a_test_orders(codat: Driver) -> None:
    ids = codat.ready()
    error = {"itemId": "tx-1", "message": "Too strange", "validatorName": "Xero"}
    for outcome in (
        {"status": "Failed", "reason": "Something odd", "statusCode": 418, "errors": [error]},
        {"status": "TimedOut", "arrives": True},
        {"status": "Never"},
        {"status": "Success", "arrives": False, "seconds": 5},
    ):
        codat.control("POST", "outcomes", {**outcome, "accountId": "src-001"})
    pushes = [codat.push(ids, lines(1, first=number)) for number in range(1, 5)]
    codat.advance(2)
    failed, timed_out, never, waits = [codat.operation(ids, pushed) for pushed in pushes]
    assert (failed["status"], failed["statusCode"]) == ("Failed", 418)
    assert failed["errorMessage"].endswith("Message: Something odd")
    assert failed["validation"]["errors"] == [error]
    assert (timed_out["status"], never["status"], waits["status"]) == ("TimedOut", "Pending", "Pending")
    assert codat.arrived() == ["tx-2"]
    codat.advance(86_400)
    assert [codat.operation(ids, pushed)["status"] for pushed in pushes[2:]] == ["Pending", "Success"]
    assert codat.arrived() == ["tx-2"]


def test_pushes_that_overlap_arrive_by_their_delays(codat: Driver) -> None:
    """Codat promises no order between operations: who wants one, waits for the first."""
    ids = codat.ready()
    codat.control("POST", "outcomes", {"status": "Success", "seconds": 10})
    codat.push(ids, lines(1))
    codat.push(ids, lines(1, first=2))
    codat.advance(60)
    assert codat.arrived() == ["tx-2", "tx-1"]


def test_operations_are_listed_newest_first_filtered_and_ordered(codat: Driver) -> None:
    ids = codat.ready()
    keys = []
    for number in range(1, 4):
        keys.append(codat.push(ids, lines(1, first=number)).json()["pushOperationKey"])
        codat.advance(2)
    path = f"/companies/{ids['company_id']}/push"

    def listed(**query: Any) -> list[str]:
        answer = codat.http.get(path, params=query, headers=dict(codat.call("GET", path).request.headers))
        return [operation["pushOperationKey"] for operation in answer.json()["results"]]

    assert listed() == keys[::-1]
    assert listed(orderBy="requestedOnUtc") == keys
    assert listed(orderBy="-requestedOnUtc", pageSize=2) == keys[:0:-1]
    assert listed(query=f"dataConnectionKey={ids['connection_id']}&&requestedOnUtc>=2026-06-15T12:00:02") == keys[:0:-1]
    assert listed(query="status=Pending") == []
    assert listed(query="{status=Failed||status=Success}&&statusCode<300") == keys[::-1]


@pytest.mark.parametrize(("position", "created", "read"), [("created", 1, 0), ("always", 1, 1), ("never", 0, 0)])
def test_where_the_push_is_repeated(codat: Driver, position: str, created: bool, read: bool) -> None:
    codat.switch("dataEcho", position)
    ids = codat.ready()
    pushed = codat.push(ids, lines(1))
    assert ("data" in pushed.json()) is bool(created)
    assert ("data" in codat.operation(ids, pushed)) is bool(read)


def test_amounts_are_kept_to_the_penny(codat: Driver) -> None:
    ids = codat.ready()
    codat.push(ids, lines(0.1, 0.2, -0.3))
    codat.advance(2)
    ledger = codat.control("GET", "ledgers")["ledgers"][0]
    assert [str(line["amount"]) for line in ledger["lines"]] == ["0.1", "0.2", "-0.3"]
    assert ledger["targetAccountId"] == CURRENT_ACCOUNT
    assert TODAY.isoformat() in ledger["lines"][0]["date"]


def test_the_list_may_be_late_and_in_another_order(codat: Driver) -> None:
    ids = codat.ready()
    codat.control("PUT", "behaviour", {"listedAfterSeconds": 30, "pushOrder": "oldestFirst"})
    path = f"/companies/{ids['company_id']}/push"
    first = codat.push(ids, lines(1))
    assert codat.call("GET", path).json()["results"] == []
    assert codat.operation(ids, first)["status"] == "Pending"
    codat.advance(30)
    second = codat.push(ids, lines(1, first=2))
    codat.advance(30)
    listed = [operation["pushOperationKey"] for operation in codat.call("GET", path).json()["results"]]
    assert listed == [pushed.json()["pushOperationKey"] for pushed in (first, second)]


def test_a_text_that_is_too_long_for_xero(codat: Driver) -> None:
    ids = codat.ready()
    long = [lines(1)[0] | {"counterparty": "x" * 256}]
    pushed = codat.push(ids, long)
    codat.advance(2)
    assert "too long" in codat.operation(ids, pushed)["errorMessage"]
    codat.switch("longTexts", "cut")
    codat.push(ids, long)
    codat.advance(2)
    assert codat.control("GET", "ledgers")["ledgers"][0]["lines"][0]["counterparty"] == "x" * 255


def test_a_server_error_after_a_push_was_taken_stays_under_its_key(codat: Driver) -> None:
    """Only the list of operations says that the lines are on their way."""
    ids = codat.ready()
    key = "0d4c2f3e-6f0b-4a57-9a5e-1f2d3c4b5a69"
    codat.fault("POST", "/bankTransactions", "status", status=500, when="after")
    assert [codat.push(ids, lines(1), Idempotency_Key=key).status_code for _ in range(2)] == [500, 500]
    assert codat.call("GET", f"/companies/{ids['company_id']}/push").json()["totalResults"] == 1
