"""The rules of pushes: which lines Codat takes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.contract.codat_simulator.driver import (
    BAKERY,
    Driver,
    Json,
    days_ago,
    lines,
)


def findings(answer: Any) -> list[str]:
    return [finding["message"] for finding in answer.json()["validation"]["errors"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id: Required"),
        ({"date": None}, "date: Required"),
        ({"amount": None}, "amount: Required"),
        ({"balance": None}, "balance: Required"),
        ({"description": None}, "description: Required"),
        ({"transactionType": "Gift"}, "transactionType: must be one of"),
        ({"amount": "1.00"}, "amount: must be a number"),
        ({"date": "2026-06-16"}, "date: must not be in the future"),
        ({"date": "2025-06-14"}, "date: must not be older than one year"),
        ({"date": "15/06/2026"}, "date: must be a date"),
    ],
)
def test_a_wrong_line_is_refused_by_its_field(codat: Driver, changes: Json, message: str) -> None:
    refused = codat.push(codat.ready(), [lines(1)[0] | changes])
    assert refused.status_code == 400
    assert findings(refused)[0].startswith(message)


def test_dates_at_the_edges_of_the_window_are_taken_and_offsets_ignored(codat: Driver) -> None:
    ids = codat.ready()
    old = lines(1, day=date(2025, 6, 15))
    new = [lines(2, first=2)[0] | {"date": "2026-06-15T23:59:00-11:00", "balance": 3}]
    assert codat.push(ids, old + new).status_code == 200


def test_a_date_counts_in_the_organisations_time_zone(codat: Driver) -> None:
    ids = codat.ready()
    codat.control("PUT", f"orgs/{BAKERY}", {"timeZone": "Pacific/Kiritimati"})
    tomorrow = lines(1, day=days_ago(-1))
    assert codat.push(ids, tomorrow).status_code == 200
    codat.switch("today", "UTC")
    assert codat.push(ids, tomorrow).status_code == 400


def test_a_push_has_one_to_a_thousand_lines(codat: Driver) -> None:
    ids = codat.ready()
    assert codat.push(ids, lines(*[1.0] * 1000)).status_code == 200
    assert findings(codat.push(ids, lines(*[1.0] * 1001))) == ["must have at most 1000 transactions"]
    assert findings(codat.push(ids, [])) == ["must have at least one transaction"]


def test_lines_go_from_old_to_new_within_a_push_and_not_across_pushes(codat: Driver) -> None:
    ids = codat.ready()
    newer, older = lines(1), lines(1, first=2, day=days_ago(3))
    assert findings(codat.push(ids, newer + older)) == ["Transactions must be in chronological order"]
    assert codat.push(ids, newer).status_code == 200
    assert codat.push(ids, older).status_code == 200


def test_the_body_names_the_account_of_the_path(codat: Driver) -> None:
    ids = codat.ready()
    path = (
        f"/companies/{ids['company_id']}/connections/{ids['connection_id']}/push/bankAccounts/src-001/bankTransactions"
    )
    refused = codat.call("POST", path, {"accountId": "other", "transactions": lines(1)})
    assert findings(refused) == ["must be the account of the path"]


def test_a_broken_rule_can_fail_the_operation_instead(codat: Driver) -> None:
    codat.switch("invalidPush", "failed")
    ids = codat.ready()
    pushed = codat.push(ids, [lines(1)[0] | {"date": "2026-06-16"}])
    assert pushed.json()["status"] == "Pending"
    codat.advance(2)
    failed = codat.operation(ids, pushed)
    assert (failed["status"], failed["statusCode"]) == ("Failed", 400)
    assert failed["validation"]["errors"][0]["itemId"] == "tx-1"


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_what_is_not_connected_takes_no_push(codat: Driver, status: int) -> None:
    codat.switch("notConnectedStatus", status)
    ids = codat.company()
    codat.add_account(ids)
    assert codat.push(ids, lines(1)).status_code == status
    codat.link(ids)
    assert codat.push(ids, lines(1)).status_code == status
    codat.map(ids)
    assert codat.push(ids, lines(1)).status_code == 200
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Deauthorized"})
    assert codat.push(ids, lines(1)).status_code == status


def test_a_sign_that_contradicts_its_type_is_a_warning(codat: Driver) -> None:
    ids = codat.ready()
    pushed = codat.push(ids, [lines(1)[0] | {"transactionType": "Debit"}])
    codat.advance(2)
    done = codat.operation(ids, pushed)
    assert (done["status"], done["validation"]["warnings"][0]["itemId"]) == ("Success", "tx-1")


def test_ids_repeated_in_one_push(codat: Driver) -> None:
    ids = codat.ready()
    twice = [*lines(1), lines(1)[0] | {"balance": 2}]
    codat.push(ids, twice)
    codat.advance(2)
    assert codat.arrived() == ["tx-1"]
    codat.switch("repeatedIds", "refused")
    assert findings(codat.push(ids, twice)) == ["The id must be unique"]


def test_without_a_balance_where_it_is_optional(codat: Driver) -> None:
    codat.switch("balance", "optional")
    ids = codat.ready()
    line = lines(1)[0]
    del line["balance"]
    codat.push(ids, [line])
    codat.advance(2)
    assert codat.arrived() == ["tx-1"]
