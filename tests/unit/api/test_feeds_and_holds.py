"""Feedlane's own routes: feeds, holds, releases, and checking a push without sending it."""

from __future__ import annotations

from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.ids import feed_id
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests.contract.sdk.api_server import AUTHORIZATION
from tests.unit.api.conftest import Answer, Call
from tests.worlds.api import World

Ids = dict[str, str]
AS_CALLER = {"Authorization": AUTHORIZATION}
PROBLEM = Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403, detail="No feeds.")


def connect_account(call: Call, ids: Ids, account_id: str = "a/b") -> str:
    """Creates a source account and maps it. Returns the path of its connection."""
    connection_path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
    account = {
        "id": account_id, "accountName": "Current", "accountType": "checking", "accountNumber": "20011234",
        "currency": "GBP", "balance": 0,
    }  # fmt: skip
    assert call("POST", f"{connection_path}/connectionInfo/bankFeedAccounts", account).status == 200
    mapping = {"sourceAccountId": account_id, "targetAccountId": "xero-1"}
    assert call("POST", f"{connection_path}/bankFeedAccounts/mapping", mapping).status == 200
    return connection_path


def hold_waiting_feed(world: World, ids: Ids, waiting: int = 3) -> Feed:
    """A feed whose lines wait behind a hold on its tenant."""
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "a/b"))
    assert feed
    cause = {"reason": "organisation-without-bank-feeds", "problem": PROBLEM}
    world.add_hold(Scope.TENANT, "tenant-1", tenant_id="tenant-1", **cause, **ids)
    feed = feed.but(recorded_through=waiting, recorded_date="2026-05-01")
    world.store.commit(feed_items.put_feed(feed))
    return feed


def push(call: Call, connection_path: str, suffix: str = "", balance: int = 5, type: str = "Credit") -> Answer:
    transactions = [
        {"id": "t1", "date": "2026-05-01", "amount": 5, "balance": balance, "description": "x", "transactionType": type}
    ]
    body = {"accountId": "a/b", "transactions": transactions}
    return call("POST", f"{connection_path}/push/bankAccounts/a%2Fb/bankTransactions{suffix}", body)


def test_a_feed_is_shown_with_its_place_in_the_ledger_and_its_hold(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    feed = hold_waiting_feed(world, ids)
    for path in (f"/feeds/{feed.id}", f"/feeds/{ids['connection_id']}/a%2Fb"):
        shown = call("GET", path).body
        assert (shown["id"], shown["recorded"], shown["delivered"], shown["waiting"]) == (feed.id, 3, 0, 3)
        assert shown["hold"]["problem"]["detail"] == "No feeds."
    assert [shown["id"] for shown in call("GET", "/feeds?query=waiting>0").body["results"]] == [feed.id]
    assert call("GET", f"/feeds?companyId={ids['company_id']}").body["results"] != []
    assert call("GET", "/feeds?companyId=nobody").body["results"] == []
    assert call("GET", f"/feeds/{ids['connection_id']}/nothing").status == 404


def test_holds_are_listed_with_what_waits_behind_them(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    hold_waiting_feed(world, ids)
    [hold] = call("GET", "/holds").body["results"]
    assert (hold["id"], hold["scope"], hold["reason"], hold["waiting"]) == (
        "hold-1", "tenant", "organisation-without-bank-feeds", 3,
    )  # fmt: skip
    assert hold["problem"] == PROBLEM.model_dump()
    assert "accountId" not in hold


def test_a_release_answers_the_operations_it_started(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    feed = hold_waiting_feed(world, ids)
    [started] = call("POST", "/holds/hold-1/release").body["results"]
    assert (started["status"], started["door"], started["accountId"]) == ("Pending", "release", "a/b")
    assert world.queues.woken == [feed.id]
    assert call("GET", "/holds").body["results"] == []
    assert call("POST", "/holds/hold-1/release").status == 404


def test_a_feed_can_be_released_by_its_id(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    feed = hold_waiting_feed(world, ids)
    assert len(call("POST", f"/feeds/{feed.id}/release").body["results"]) == 1
    assert call("GET", f"/feeds/{feed.id}").body["hold"] is None


def test_a_held_push_is_refused_with_the_whole_problem(call: Call, ids: Ids, world: World) -> None:
    connection_path = connect_account(call, ids)
    hold_waiting_feed(world, ids)
    refused = push(call, connection_path)
    assert (refused.status, refused.body["problem"]) == (403, PROBLEM.model_dump())


def test_a_push_can_be_checked_without_sending_it(call: Call, ids: Ids, world: World) -> None:
    connection_path = connect_account(call, ids)
    checked = push(call, connection_path, "/validate", type="Debit").body
    assert checked["valid"] is True
    assert [warning["itemId"] for warning in checked["validation"]["warnings"]] == ["t1"]
    assert world.queues.pushed == []
    assert push(call, connection_path).status == 200
    assert len(world.queues.pushed) == 1


def test_numbers_go_out_digit_for_digit(call: Call, ids: Ids) -> None:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}/connectionInfo/bankFeedAccounts"
    account = (
        '{"id": "x", "accountName": "n", "accountType": "checking", "accountNumber": "1", "currency": "GBP", '
        '"balance": 123456789012345.6789, "accountInfo": {"availableBalance": 0.10}}'
    )
    text = call("POST", path, account).text
    assert '"balance":123456789012345.6789' in text
    assert '"availableBalance":0.1' in text


def test_an_idempotency_key_stands_for_one_push(call: Call, ids: Ids, world: World) -> None:
    path = f"{connect_account(call, ids)}/push/bankAccounts/a%2Fb/bankTransactions"
    body = {"transactions": [{"id": "t1", "date": "2026-05-01", "amount": 5, "balance": 5}]}
    other = {"transactions": [{"id": "t2", "date": "2026-05-01", "amount": 5, "balance": 5}]}
    first = call("POST", path, body, headers=AS_CALLER | {"Idempotency-Key": "key-1"}).body
    repeated = call("POST", path, body, headers=AS_CALLER | {"idempotency-key": "key-1"}).body
    assert repeated["pushOperationKey"] == first["pushOperationKey"]
    refused = call("POST", path, other, headers=AS_CALLER | {"Idempotency-Key": "key-1"})
    assert refused.status == 400
    assert refused.invalid_fields == ["Idempotency-Key"]
    assert call("POST", path, other, headers=AS_CALLER | {"Idempotency-Key": "key-2"}).status == 200


def test_each_transaction_of_a_push_has_its_outcome(call: Call, ids: Ids, world: World) -> None:
    connection_path = connect_account(call, ids)
    key = push(call, connection_path).body["pushOperationKey"]
    path = f"/companies/{ids['company_id']}/push/{key}/transactions"
    listed = call("GET", path).body
    assert listed["results"] == [{"id": "t1", "outcome": "Pending", "line": None}]
    assert listed["totalResults"] == 1
    assert call("GET", f"{path}?query=outcome=Delivered").body["results"] == []
    assert call("GET", f"/companies/{ids['company_id']}/push/nothing/transactions").status == 404


def test_a_release_sets_aside_what_its_body_names(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    feed = hold_waiting_feed(world, ids)
    refused = call("POST", "/holds/hold-1/release", {"setAside": ["t1"]})
    assert refused.status == 400
    assert refused.invalid_fields == ["setAside"]
    assert call("POST", f"/feeds/{feed.id}/release", {"setAside": ["t1"]}).status == 400
    assert call("POST", "/holds/hold-1/release", {"setAside": "t1"}).status == 400
    assert len(call("GET", "/holds").body["results"]) == 1
