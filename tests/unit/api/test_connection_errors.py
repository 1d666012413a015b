"""What stops a connection is in its errors and in the refusal of a push, each cause with its own word."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.connection import Connection
from feedlane.disconnecting import disconnection
from feedlane.hold import APP, Scope
from feedlane.ids import new_id
from feedlane.problem import Problem
from feedlane.reconnection import ONE_OFF_ENDED, REMOVED, WITHOUT_BANK_FEEDS
from tests.unit.api.conftest import Answer, Call
from tests.unit.api.test_feeds_and_holds import connected
from tests.worlds.api import World

REFUSED = Problem(type="x", title="Refused", status=403, detail="In Xero's words.")


def _connection(call: Call, ids: dict[str, str]) -> dict[str, Any]:
    path = f"/companies/{ids['company_id']}/connections"
    one: dict[str, Any] = call("GET", f"{path}/{ids['connection_id']}").body
    [listed] = call("GET", path).body["results"]
    [of_company] = call("GET", f"/companies/{ids['company_id']}").body["dataConnections"]
    assert one == listed == of_company
    return one


def _push(call: Call, ids: dict[str, str]) -> Answer:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}/push/bankAccounts/main"
    line = {"id": "t", "date": "2026-05-01", "amount": 1, "balance": 1, "description": ""}
    return call("POST", f"{path}/bankTransactions", {"accountId": "main", "transactions": [line]})


def _own(own: World, ids: dict[str, str]) -> Connection:
    return own.store.connection(ids["company_id"], ids["connection_id"])


@pytest.mark.parametrize(
    ("scope", "subject", "reason"),
    [
        (Scope.TENANT, "tenant-1", "organisation-without-bank-feeds"),
        (Scope.TENANT, "tenant-1", "user-role-too-low"),
        (Scope.APP, APP, "app-not-enabled"),
    ],
)
def test_a_hold_is_an_active_error_of_the_connections_it_stops(
    call: Call, own: World, ids: dict[str, str], scope: Scope, subject: str, reason: str
) -> None:
    hold = own.add_hold(scope, subject, reason=reason, problem=REFUSED)
    shown = _connection(call, ids)
    [error] = shown["dataConnectionErrors"]
    assert (error["reason"], error["status"], error["statusText"]) == (reason, "Active", "In Xero's words.")
    assert shown["needsReconnection"] is False
    own.store.commit(own.store.remove_hold(hold))
    assert _connection(call, ids)["dataConnectionErrors"] == []


@pytest.mark.parametrize(
    ("problem", "reason", "status"),
    [
        (REMOVED, "connection-removed", "Deauthorized"),
        (ONE_OFF_ENDED, "one-off-access-ended", "Deauthorized"),
        (WITHOUT_BANK_FEEDS, "missing-scope", "Linked"),
    ],
)
def test_what_only_the_customer_can_mend_is_said_and_a_push_is_refused_with_it(
    call: Call, own: World, ids: dict[str, str], problem: Problem, reason: str, status: str
) -> None:
    connected(call, ids, "main")
    connection, company = _own(own, ids), own.store.company(ids["company_id"])
    own.store.commit(*disconnection(own.store, connection, problem, company, own.now, new_id))
    shown = _connection(call, ids)
    [error] = shown["dataConnectionErrors"]
    assert (error["reason"], error["status"], shown["status"]) == (reason, "Active", status)
    assert shown["needsReconnection"] is True
    refused = _push(call, ids)
    assert refused.status == 403
    assert refused.body["problem"]["type"] == reason


def test_switching_bank_feeds_on_shows_at_once_who_was_authorised_without_them(
    call: Call, own: World, ids: dict[str, str]
) -> None:
    connected(call, ids, "main")
    own.store.commit(own.store.put_connection(_own(own, ids).but(scopes=("offline_access",))))
    own.store.commit(own.store.put_settings(own.store.settings().but(bank_feeds=False)))
    assert _connection(call, ids)["dataConnectionErrors"] == []
    own.store.commit(own.store.put_settings(own.store.settings().but(bank_feeds=True)))
    shown = _connection(call, ids)
    assert [error["reason"] for error in shown["dataConnectionErrors"]] == ["missing-scope"]
    assert shown["needsReconnection"] is True
    refused = _push(call, ids)
    assert (refused.status, refused.body["problem"]["type"]) == (403, "missing-scope")


def test_a_push_to_an_unlinked_connection_is_a_bad_request(call: Call, own: World, ids: dict[str, str]) -> None:
    connected(call, ids, "main")
    call("PATCH", f"/companies/{ids['company_id']}/connections/{ids['connection_id']}", {"status": "Unlinked"})
    assert _push(call, ids).status == 400
