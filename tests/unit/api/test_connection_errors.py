"""A connection's errors and the refusal of a push name what stops the connection, each with a stable reason."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, CONNECTION_REMOVED
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings import items as settings_items
from tests.unit.api.conftest import Answer, Call
from tests.unit.api.test_feeds_and_holds import connect_account
from tests.worlds.api import World

REFUSED = Problem(type="x", title="Refused", status=403, detail="In Xero's words.")


def _shown_connection(call: Call, ids: dict[str, str]) -> dict[str, Any]:
    """The connection as each of the three routes shows it."""
    path = f"/companies/{ids['company_id']}/connections"
    connection: dict[str, Any] = call("GET", f"{path}/{ids['connection_id']}").body
    [listed] = call("GET", path).body["results"]
    [of_company] = call("GET", f"/companies/{ids['company_id']}").body["dataConnections"]
    assert connection == listed == of_company
    return connection


def _push(call: Call, ids: dict[str, str]) -> Answer:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}/push/bankAccounts/main"
    line = {"id": "t", "date": "2026-05-01", "amount": 1, "balance": 1, "description": ""}
    return call("POST", f"{path}/bankTransactions", {"accountId": "main", "transactions": [line]})


def _stored_connection(world: World, ids: dict[str, str]) -> Connection:
    return company_items.connection(world.store, ids["company_id"], ids["connection_id"])


@pytest.mark.parametrize(
    ("scope", "subject", "reason"),
    [
        (Scope.TENANT, "tenant-1", "organisation-without-bank-feeds"),
        (Scope.TENANT, "tenant-1", "user-role-too-low"),
        (Scope.APP, APP_SUBJECT, "app-not-enabled"),
    ],
)
def test_a_hold_is_an_active_error_of_the_connections_it_stops(
    call: Call, world: World, ids: dict[str, str], scope: Scope, subject: str, reason: str
) -> None:
    hold = world.add_hold(scope, subject, reason=reason, problem=REFUSED)
    shown = _shown_connection(call, ids)
    [error] = shown["dataConnectionErrors"]
    assert (error["reason"], error["status"], error["statusText"]) == (reason, "Active", "In Xero's words.")
    assert shown["needsReconnection"] is False
    world.store.commit(*hold_items.remove_holds([hold]))
    assert _shown_connection(call, ids)["dataConnectionErrors"] == []


@pytest.mark.parametrize(
    ("problem", "reason", "status"),
    [
        (CONNECTION_REMOVED, "connection-removed", "Deauthorized"),
        (ONE_OFF_ENDED, "one-off-access-ended", "Deauthorized"),
        (BANK_FEEDS_SCOPE_MISSING, "missing-scope", "Linked"),
    ],
)
def test_what_only_the_customer_can_mend_is_said_and_a_push_is_refused_with_it(
    call: Call, world: World, ids: dict[str, str], problem: Problem, reason: str, status: str
) -> None:
    connect_account(call, ids, "main")
    connection, company = _stored_connection(world, ids), company_items.company(world.store, ids["company_id"])
    world.store.commit(*disconnection_writes(world.ports, connection, problem, company, world.now))
    shown = _shown_connection(call, ids)
    [error] = shown["dataConnectionErrors"]
    assert (error["reason"], error["status"], shown["status"]) == (reason, "Active", status)
    assert shown["needsReconnection"] is True
    refused = _push(call, ids)
    assert refused.status == 403
    assert refused.body["problem"]["type"] == reason


def test_switching_bank_feeds_on_shows_at_once_who_was_authorised_without_them(
    call: Call, world: World, ids: dict[str, str]
) -> None:
    connect_account(call, ids, "main")
    world.store.commit(company_items.put_connection(_stored_connection(world, ids).but(scopes=("offline_access",))))
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(bank_feeds=False)))
    assert _shown_connection(call, ids)["dataConnectionErrors"] == []
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(bank_feeds=True)))
    shown = _shown_connection(call, ids)
    assert [error["reason"] for error in shown["dataConnectionErrors"]] == ["missing-scope"]
    assert shown["needsReconnection"] is True
    refused = _push(call, ids)
    assert (refused.status, refused.body["problem"]["type"]) == (403, "missing-scope")


def test_a_push_to_an_unlinked_connection_is_a_bad_request(call: Call, world: World, ids: dict[str, str]) -> None:
    connect_account(call, ids, "main")
    call("PATCH", f"/companies/{ids['company_id']}/connections/{ids['connection_id']}", {"status": "Unlinked"})
    assert _push(call, ids).status == 400
