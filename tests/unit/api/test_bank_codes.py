"""Sort codes in the API: as they were given, in front of the number at Xero, and split off the numbers from there."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountKind
from feedlane.feeds.upstream import NewFeedConnection, TargetAccount
from tests.unit.api.conftest import Call
from tests.worlds.api import World

ACCOUNT = {"id": "src", "accountName": "Current", "accountType": "checking", "currency": "GBP"}


@pytest.fixture
def path(world: World, ids: dict[str, str]) -> str:
    """Of a connection to a British organisation with one account."""
    connection = company_items.connection(world.store, **ids)
    assert connection.tenant
    world.store.commit(company_items.put_connection(connection.but(tenant=connection.tenant.but(country="GB"))))
    world.upstream.accounts = [
        TargetAccount(id="x", name="Current", number="20454555779911", currency="GBP", kind=AccountKind.BANK)
    ]
    return f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"


def create(call: Call, path: str, **fields: Any) -> Any:
    answer = call("POST", f"{path}/connectionInfo/bankFeedAccounts", ACCOUNT | fields)
    assert answer.status == 200
    return answer.body


@pytest.mark.parametrize("code", ["20-45-45", "204545"])
def test_a_sort_code_comes_back_as_given_and_reaches_xero_in_front_of_the_number(
    call: Call, world: World, path: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[NewFeedConnection] = []
    real = world.upstream.create_feed_connection
    monkeypatch.setattr(
        world.upstream, "create_feed_connection", lambda access, new: sent.append(new) or real(access, new)
    )
    assert create(call, path, accountNumber="55779911", sortCode=code)["sortCode"] == code
    assert call("POST", f"{path}/bankFeedAccounts/mapping", {"sourceAccountId": "src"}).status == 200
    assert [new.account_number for new in sent] == ["20454555779911"]
    [shown] = call("GET", f"{path}/connectionInfo/bankFeedAccounts").body
    assert (shown["sortCode"], shown["accountNumber"]) == (code, "55779911")


def test_a_british_number_from_xero_is_split_in_the_options(call: Call, path: str) -> None:
    create(call, path, accountNumber="55779911", sortCode="204545")
    [mapping] = call("GET", f"{path}/bankFeedAccounts/mapping").body
    [option] = mapping["targetAccountOptions"]
    assert (option["sortCode"], option["accountNumber"]) == ("204545", "55779911")
