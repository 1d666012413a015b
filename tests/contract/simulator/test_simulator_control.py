"""The interface under /_simulator/: what it answers, and that it says what it does not understand."""

import asyncio
from typing import Any

import httpx
import pytest

from local.simulator.app import create_app
from local.simulator.state import DEFAULT_CLIENT_ID, Simulator
from tests.contract.simulator.driver import BAKERY, DEMO, FEED_CONNECTIONS, HUNG_UP, JOINERY, STATEMENTS, Xero

NEW_ORGANISATION = {
    "name": "Cedar Dental",
    "country": "NZ",
    "currency": "NZD",
    "accounts": [
        {"name": "Everyday", "code": "001", "type": "BANK", "number": "12-3456", "currency": "NZD"},
        {"name": "Visa", "type": "CREDITCARD", "number": "1881", "currency": "AUD"},
    ],
}


def test_health_is_ready(xero: Xero) -> None:
    assert xero.control("GET", "health")["status"] == "ok"


def test_a_fresh_simulator_has_three_organisations_with_fixed_ids(xero: Xero) -> None:
    found = {one["tenantId"]: one for one in xero.control("GET", "orgs")["orgs"]}
    assert set(found) == {BAKERY, JOINERY, DEMO}
    assert [found[one]["bankFeeds"] for one in (BAKERY, JOINERY, DEMO)] == [True, False, False]
    assert found[DEMO]["demo"] is True
    assert {one["type"] for one in found[BAKERY]["accounts"]} == {"BANK", "CREDITCARD", "PAYPAL"}


def test_a_new_organisation_is_answered_with_its_ids_and_can_be_connected(xero: Xero) -> None:
    made = xero.control("POST", "orgs", NEW_ORGANISATION, expect=201)
    assert (made["bankFeeds"], made["timeZone"], made["currencies"]) == (
        True,
        "Pacific/Auckland",
        ["NZD", "AUD"],
    )
    assert [one["name"] for one in made["accounts"]] == ["Everyday", "Visa"]
    xero.connect(made["tenantId"])
    listed = xero.call("GET", "/api.xro/2.0/Accounts", tenant=made["tenantId"]).json()["Accounts"]
    assert made["accounts"][0]["accountId"] in {one["AccountID"] for one in listed}


def test_a_reset_brings_everything_back_to_its_beginning(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("POST", "orgs", NEW_ORGANISATION)
    xero.control("PUT", "app", {"suspended": True, "connectionLimit": 99, "clientSecrets": ["other"]})
    xero.control("POST", "faults", {"fault": "status", "status": 500})
    xero.advance(100)
    xero.control("POST", "reset")
    assert len(xero.control("GET", "orgs")["orgs"]) == 3
    app = xero.control("GET", "app")
    assert (app["clientId"], app["suspended"], app["connectionLimit"]) == (DEFAULT_CLIENT_ID, False, 25)
    assert len(app["clientId"]) == 32
    assert xero.control("GET", "faults")["faults"] == []
    assert xero.control("GET", "clock")["advancedSeconds"] == 0
    assert xero.control("GET", "connections")["connections"] == []
    assert xero.control("GET", "calls")["calls"] == []
    assert xero.call("GET", STATEMENTS).status_code == 401


def test_auto_consent_without_organisations_takes_the_first(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "auto"})
    assert xero.authorize().status_code == 302
    assert [one["tenantId"] for one in xero.control("GET", "connections")["connections"]] == [BAKERY]


def test_the_clock_can_be_read_and_advanced(xero: Xero) -> None:
    assert xero.control("POST", "clock", {"advanceSeconds": 90.5})["now"] == "2026-06-15T12:01:30.500000Z"
    assert xero.control("GET", "clock")["advancedSeconds"] == 90.5


def test_calls_are_recorded_in_order_with_their_outcome_and_never_a_token(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    xero.call("GET", FEED_CONNECTIONS)
    xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY)
    match = {"path": "/connections"}
    xero.control("POST", "faults", {"match": match, "fault": "dropResponse"})
    with pytest.raises(HUNG_UP):
        xero.call("GET", "/Connections", tenant=None)
    text = xero.http.get("/_simulator/calls").text
    calls = xero.control("GET", "calls")["calls"]
    assert [(one["method"], one["path"], one["tenant"], one["status"], one["dropped"]) for one in calls] == [
        ("GET", "/identity/connect/authorize", None, 302, False),
        ("POST", "/connect/token", None, 200, False),
        ("GET", FEED_CONNECTIONS, BAKERY, 200, False),
        ("GET", FEED_CONNECTIONS, JOINERY, 403, False),
        ("GET", "/Connections", None, None, True),
    ]
    assert set(calls[0]) == {"time", "method", "path", "tenant", "status", "durationMs", "dropped"}
    for secret in (pair["access_token"], pair["refresh_token"], "code="):
        assert secret not in text


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "orgs", {"country": "GB", "currency": "GBP"}, "name"),
        ("POST", "orgs", {"name": "A", "country": "Britain", "currency": "GBP"}, "country"),
        ("POST", "orgs", {"name": "A", "country": "GB", "currency": "gbp"}, "currency"),
        ("POST", "orgs", {"name": "A", "country": "GB", "currency": "GBP", "demo": "yes"}, "demo"),
        (
            "POST",
            "orgs",
            {"name": "A", "country": "GB", "currency": "GBP", "accounts": [{"name": "B"}]},
            "accounts[0].number",
        ),
        (
            "POST",
            "orgs",
            {
                "name": "A",
                "country": "GB",
                "currency": "GBP",
                "accounts": [{"name": "B", "number": "1", "type": "CASH"}],
            },
            "accounts[0].type",
        ),
        ("PUT", f"orgs/{BAKERY}", {"timeZone": "Mars/Olympus"}, "timeZone"),
        ("PUT", "consent", {"mode": "never"}, "mode"),
        ("PUT", "consent", {"mode": "auto", "tenantIds": ["nobody"]}, "tenantIds"),
        ("PUT", "consent", {"mode": "auto", "userId": "me"}, "userId"),
        ("PUT", "app", {"connectionLimit": -1}, "connectionLimit"),
        ("PUT", "app", {"clientSecrets": ["1", "2", "3"]}, "clientSecrets"),
        ("PUT", "app", {"clientSecrets": []}, "clientSecrets"),
        ("PUT", "app", {"bankfeedsEnabled": True}, "bankfeedsEnabled"),
        ("PUT", "timing", {"statementSeconds": "soon"}, "statementSeconds"),
        ("PUT", "limits", {"tenantMinute": 1.5}, "tenantMinute"),
        ("PUT", "behaviour", {"graceReplay": "maybe"}, "graceReplay"),
        ("PUT", "behaviour", {"refreshEndsAccessToken": "no"}, "refreshEndsAccessToken"),
        ("POST", "clock", {"advanceSeconds": -1}, "advanceSeconds"),
        ("POST", "clock", {}, "advanceSeconds"),
        ("POST", "faults", {"match": {"url": "/x"}, "fault": "status", "status": 500}, "match.url"),
        ("POST", "faults", {"fault": "explode"}, "fault"),
        ("POST", "faults", {"fault": "status"}, "status"),
        ("POST", "faults", {"fault": "delay"}, "seconds"),
        ("POST", "faults", {"fault": "problem"}, "problem"),
        ("POST", "faults", {"fault": "problem", "problem": "no-such-type"}, "problem"),
        ("POST", "faults", {"fault": "status", "status": 500, "times": 0}, "times"),
        ("POST", "reject", {"errors": []}, "errors"),
        ("POST", "reject", {"errors": ["no-such-type"]}, "errors[0]"),
        ("PUT", "timing", [], "body"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(xero: Xero, method: str, path: str, body: Any, field: str) -> None:
    answer = xero.control(method, path, body, expect=400)
    assert answer["field"] == field
    assert answer["error"].startswith(field)


def test_one_wrong_field_changes_nothing(xero: Xero) -> None:
    before = xero.control("GET", "app")
    xero.control("PUT", "app", {"certified": True, "suspended": "yes"}, expect=400)
    assert xero.control("GET", "app") == before
    xero.control("PUT", f"orgs/{BAKERY}", {"name": "Other", "uncertifiedApps": -1}, expect=400)
    assert xero.control("GET", "orgs")["orgs"][0]["name"] == "Harbour Bakery Ltd"


def test_a_body_that_is_not_json_is_a_400(xero: Xero) -> None:
    answer = xero.http.put("/_simulator/timing", content=b"{")
    assert (answer.status_code, answer.json()["field"]) == (400, "body")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "orgs/nobody"), ("DELETE", "connections/nobody"), ("DELETE", "feedConnections/nobody")],
)
def test_what_does_not_exist_is_a_404(xero: Xero, method: str, path: str) -> None:
    assert "no such" in xero.control(method, path, {}, expect=404)["error"]


def test_the_latency_of_every_api_call_can_be_set(xero: Xero) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", "timing", {"responseSeconds": 0.5})
    with pytest.raises(httpx.ReadTimeout):
        xero.call("GET", STATEMENTS, timeout=0.1)


@pytest.mark.parametrize("path", ["/_simulator/health", "/.well-known/openid-configuration"])
def test_the_application_can_run_in_a_tests_own_process(path: str) -> None:
    async def status() -> int:
        transport = httpx.ASGITransport(create_app(Simulator()))
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
            return (await client.get(path)).status_code

    assert asyncio.run(status()) == 200
