"""Mapping with Codat's wart, taken accounts, and the right to feeds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.codat_simulator.driver import (
    BAKERY,
    CHECKING,
    CURRENT_ACCOUNT,
    DEMO,
    EURO_ACCOUNT,
    Driver,
    Ids,
    lines,
    path_of,
)


def mapping(codat: Driver, ids: Ids) -> Any:
    return codat.call("GET", f"{path_of(ids)}/bankFeedAccounts/mapping").json()[0]


def account(codat: Driver, ids: Ids) -> Any:
    return codat.call("GET", f"{path_of(ids)}/connectionInfo/bankFeedAccounts").json()[0]


def events(codat: Driver) -> list[str]:
    return [message["eventType"] for message in codat.control("GET", "messages")["messages"]]


def listen(codat: Driver, *event_types: str) -> None:
    codat.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/none", "eventTypes": list(event_types)})


def test_a_new_account_shows_only_on_the_next_operation(codat: Driver) -> None:
    listen(codat, "bankFeeds.sourceAccount.connected")
    ids = codat.ready(target=None)
    known = len(codat.control("GET", "orgs")["orgs"][0]["accounts"])
    codat.advance(3600)
    assert account(codat, ids)["status"] == "connecting"
    assert len(codat.control("GET", "orgs")["orgs"][0]["accounts"]) == known
    assert events(codat) == []
    shown = mapping(codat, ids)
    assert (shown["status"], shown["targetAccountName"]) == ("connected", "Current account")
    assert account(codat, ids)["feedStartDate"] == "2026-06-01T00:00:00"
    assert events(codat) == ["bankFeeds.sourceAccount.connected"]


def test_a_push_is_such_an_operation(codat: Driver) -> None:
    ids = codat.ready(target=None)
    assert codat.push(ids, lines(1)).status_code == 200
    assert account(codat, ids)["status"] == "connected"


def test_xero_takes_its_time_with_a_new_account(codat: Driver) -> None:
    codat.control("PUT", "timing", {"mappingSeconds": 10})
    ids = codat.ready(target=None)
    answer = mapping(codat, ids)
    assert (answer["status"], answer.get("targetAccountId")) == ("connecting", None)
    assert codat.push(ids, lines(1)).status_code == 400
    codat.advance(10)
    assert mapping(codat, ids)["status"] == "connected"


def test_the_other_moments_at_which_it_may_show(codat: Driver) -> None:
    codat.switch("appears", "operationAfterNext")
    ids = codat.ready(target=None)
    assert [mapping(codat, ids)["status"] for _ in range(2)] == ["connecting", "connected"]
    codat.switch("appears", "atOnce")
    codat.switch("existingTarget", "connecting")
    second = codat.company()
    codat.add_account(second)
    codat.link(second)
    assert codat.map(second, target=None).json()["status"] == "connecting"
    assert account(codat, second)["status"] == "connected"


@pytest.mark.parametrize(("position", "status"), [("connected", "connected"), ("connecting", "connecting")])
def test_a_mapping_to_an_existing_account(codat: Driver, position: str, status: str) -> None:
    codat.switch("existingTarget", position)
    ids = codat.company()
    codat.add_account(ids)
    codat.link(ids)
    assert codat.map(ids).json()["status"] == status
    assert mapping(codat, ids)["targetAccountId"] == CURRENT_ACCOUNT
    assert codat.map(ids).json()["status"] == "connected"


def test_a_taken_account_is_hidden_and_refused_also_to_another_company(codat: Driver) -> None:
    codat.ready()
    other = codat.company("Other")
    codat.add_account(other)
    codat.link(other)
    assert CURRENT_ACCOUNT not in [option["id"] for option in mapping(codat, other)["targetAccountOptions"]]
    refused = codat.map(other)
    assert refused.status_code == 400
    assert "already exists to this account" in refused.json()["error"]
    codat.switch("refusedMapping", "body")
    assert codat.map(other).json()["status"] == "Failed"
    assert codat.map(other, target=EURO_ACCOUNT).status_code == 400


def test_a_remapping_needs_a_disconnect_first(codat: Driver) -> None:
    listen(codat, "bankFeeds.sourceAccount.disconnected")
    ids = codat.ready()
    assert codat.map(ids, target=None).status_code == 400
    path = f"{path_of(ids)}/connectionInfo/bankFeedAccounts/src-001"
    assert codat.call("PATCH", path, {"id": "src-001", "balance": 9}).status_code == 400
    assert codat.call("PATCH", path, {"id": "src-001", "status": "connected"}).status_code == 200
    assert codat.call("PATCH", path, {"id": "src-001", "status": "disconnected"}).json()["status"] == "disconnected"
    assert codat.call("PATCH", path, {"id": "src-001", "balance": 9}).json()["balance"] == 9
    assert events(codat) == ["bankFeeds.sourceAccount.disconnected"]
    assert codat.map(ids).status_code == 200


def test_an_organisation_may_refuse_the_feed_itself(codat: Driver) -> None:
    ids = codat.company()
    codat.add_account(ids)
    codat.link(ids, DEMO)
    refused = codat.map(ids, target=None)
    assert refused.status_code == 400
    assert "invalid-organisation-bank-feeds" in refused.json()["error"]


def test_without_accounts_at_the_consent_the_right_to_feeds_is_missing(codat: Driver) -> None:
    ids = codat.company()
    codat.link(ids)
    codat.add_account(ids)
    assert "insufficient_scope" in codat.map(ids).json()["error"]
    codat.link(ids)
    assert codat.map(ids).status_code == 200


@pytest.mark.parametrize(
    ("position", "changes", "status"),
    [
        ("gbp", {"sortCode": None}, 400),
        ("gbp", {"sortCode": None, "currency": "EUR"}, 200),
        ("always", {"sortCode": None, "currency": "EUR", "accountType": "Debit"}, 400),
        ("never", {"sortCode": None}, 200),
    ],
)
def test_which_accounts_need_a_sort_code(codat: Driver, position: str, changes: Any, status: int) -> None:
    codat.switch("sortCode", position)
    assert codat.add_account(codat.company(), **changes).status_code == status


@pytest.mark.parametrize("field", ["id", "accountName", "accountType", "accountNumber", "currency", "balance"])
def test_required_fields_of_an_account_are_named(codat: Driver, field: str) -> None:
    refused = codat.add_account(codat.company(), **{field: None})
    assert refused.status_code == 400
    assert [finding["itemId"] for finding in refused.json()["validation"]["errors"]] == [field]


def test_unknown_fields_are_ignored_or_refused(codat: Driver) -> None:
    ids = codat.company()
    assert "colour" not in codat.add_account(ids, colour="red").json()
    codat.switch("unknownFields", "refused")
    assert codat.add_account(ids, id="other", colour="red").status_code == 400


def test_deleting_a_company_ends_everything_in_it(codat: Driver) -> None:
    ids = codat.ready(BAKERY)
    assert codat.call("DELETE", f"/companies/{ids['company_id']}").status_code == 204
    assert codat.push(ids, lines(1)).status_code == 404
    assert codat.add_account(codat.company(), **CHECKING).status_code == 200


def test_a_feed_that_ends_in_xero_fails_pushes_and_shows_in_the_mapping(codat: Driver) -> None:
    listen(codat, "bankFeeds.sourceAccount.disconnected")
    ids = codat.ready()
    codat.control("DELETE", f"connections/{ids['connection_id']}/feeds/src-001")
    pushed = codat.push(ids, lines(1))
    codat.advance(2)
    assert "invalid-feed-connection" in codat.operation(ids, pushed)["errorMessage"]
    assert events(codat) == []
    other = codat.company("Other")
    codat.add_account(other)
    codat.link(other)
    assert CURRENT_ACCOUNT in [option["id"] for option in mapping(codat, other)["targetAccountOptions"]]
    assert mapping(codat, ids)["status"] == "pending"
    assert account(codat, ids)["status"] == "disconnected"
    assert events(codat) == ["bankFeeds.sourceAccount.disconnected"]
