"""The balance of a source account is its ledger's, with its date, as soon as the ledger has one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feedlane.feeds import items as feed_items
from feedlane.ids import feed_id
from tests.unit.api.conftest import Call
from tests.worlds.api import World

ACCOUNT = {
    "id": "src", "accountName": "Current", "accountType": "checking", "accountNumber": "20011234", "currency": "GBP",
    "balance": 250.1,
}  # fmt: skip


@pytest.fixture
def path(call: Call, ids: dict[str, str]) -> str:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
    assert call("POST", f"{path}/connectionInfo/bankFeedAccounts", ACCOUNT).body["balance"] == 250.1
    mapping = {"sourceAccountId": "src", "targetAccountId": "xero-1"}
    assert call("POST", f"{path}/bankFeedAccounts/mapping", mapping).status == 200
    return path


def record(world: World, ids: dict[str, str]) -> None:
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "src"))
    assert feed
    after = feed.but(recorded_through=1, recorded_date="2026-05-18", recorded_balance=Decimal("99.50"))
    world.store.commit(feed_items.put_feed(after))


def test_the_given_balance_is_shown_until_the_ledger_has_one(
    call: Call, world: World, ids: dict[str, str], path: str
) -> None:
    def shown() -> list[tuple[object, object]]:
        [account] = call("GET", f"{path}/connectionInfo/bankFeedAccounts").body
        [mapping] = call("GET", f"{path}/bankFeedAccounts/mapping").body
        return [
            (account["balance"], account.get("balanceDate")),
            (mapping["sourceBalance"], mapping.get("sourceBalanceDate")),
        ]

    assert shown() == [(250.1, None)] * 2
    record(world, ids)
    assert shown() == [(99.5, "2026-05-18")] * 2


def test_an_account_can_be_sent_back_as_it_was_read_and_another_balance_is_refused(
    call: Call, world: World, ids: dict[str, str], path: str
) -> None:
    record(world, ids)
    accounts = f"{path}/connectionInfo/bankFeedAccounts"
    [account] = call("GET", accounts).body
    answer = call("PATCH", f"{accounts}/src", account | {"accountName": "Renamed"})
    assert (answer.status, answer.body["accountName"], answer.body["balance"]) == (200, "Renamed", 99.5)
    assert call("PATCH", f"{accounts}/src", {"status": "disconnected"}).body["balance"] == 99.5
    refused = call("PATCH", f"{accounts}/src", {"balance": 1})
    assert (refused.status, refused.invalid_fields) == (400, ["balance"])
