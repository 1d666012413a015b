"""GET and DELETE /connections, for a user and for the app itself."""

import re

import jwt

from tests.contract.simulator.driver import BAKERY, CREDENTIALS, JOINERY, STATEMENTS, Xero

OTHER_USER = "0f0f0f0f-0000-4000-8000-000000000002"


def app_token(xero: Xero) -> str:
    form = {"grant_type": "client_credentials", "scope": "app.connections"}
    return str(xero.http.post("/connect/token", data=form, auth=CREDENTIALS).json()["access_token"])


def event_of(access_token: str) -> str:
    claims = jwt.decode(access_token, options={"verify_signature": False})
    return str(claims["authentication_event_id"])


def test_a_connection_looks_as_xeros_does(xero: Xero) -> None:
    xero.connect(BAKERY)
    (one,) = xero.call("GET", "/connections", tenant=None).json()
    assert set(one) == {
        "id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc",
    }  # fmt: skip
    assert (one["tenantId"], one["tenantType"], one["tenantName"]) == (
        BAKERY,
        "ORGANISATION",
        "Harbour Bakery Ltd",
    )
    assert re.fullmatch(r"2026-06-15T12:00:00\.\d{7}", one["createdDateUtc"])


def test_the_list_holds_every_consent_and_the_event_filter_only_one(xero: Xero) -> None:
    xero.connect(BAKERY)
    pair = xero.connect(JOINERY)
    everything = xero.call("GET", "/connections", tenant=None).json()
    assert [one["tenantId"] for one in everything] == [BAKERY, JOINERY]
    event = event_of(pair["access_token"])
    filtered = xero.call("GET", "/connections", tenant=None, params={"authEventId": event}).json()
    assert [one["tenantId"] for one in filtered] == [JOINERY]


def test_the_path_ignores_case(xero: Xero) -> None:
    xero.connect(BAKERY)
    (one,) = xero.call("GET", "/Connections", tenant=None).json()
    assert xero.call("DELETE", f"/CONNECTIONS/{one['id']}", tenant=None).status_code == 204


def test_users_see_their_own_connections_and_the_app_sees_all(xero: Xero) -> None:
    xero.connect(BAKERY)
    other = xero.connect(JOINERY, user_id=OTHER_USER)["access_token"]
    assert [one["tenantId"] for one in xero.call("GET", "/connections", token=other).json()] == [JOINERY]
    all_of_them = xero.call("GET", "/connections", tenant=None, token=app_token(xero)).json()
    assert {one["tenantId"] for one in all_of_them} == {BAKERY, JOINERY}


def test_the_app_can_delete_a_connection_but_not_use_an_organisation(xero: Xero) -> None:
    xero.connect(BAKERY)
    token = app_token(xero)
    assert xero.call("GET", STATEMENTS, token=token).status_code == 403
    (one,) = xero.call("GET", "/connections", tenant=None, token=token).json()
    assert xero.call("DELETE", f"/connections/{one['id']}", tenant=None, token=token).status_code == 204
    assert xero.call("GET", "/connections", tenant=None, token=token).json() == []


def test_delete_takes_the_connection_id_and_nothing_else(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    (one,) = xero.call("GET", "/connections", tenant=None).json()
    for wrong in (one["tenantId"], event_of(pair["access_token"])):
        refused = xero.call("DELETE", f"/connections/{wrong}", tenant=None)
        assert (refused.status_code, refused.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
    deleted = xero.call("DELETE", f"/connections/{one['id']}", tenant=None)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert xero.call("DELETE", f"/connections/{one['id']}", tenant=None).status_code == 404


def test_another_users_connection_cannot_be_deleted(xero: Xero) -> None:
    xero.connect(BAKERY)
    (one,) = xero.call("GET", "/connections", tenant=None).json()
    xero.connect(JOINERY, user_id=OTHER_USER)
    assert xero.call("DELETE", f"/connections/{one['id']}", tenant=None).status_code == 403


def test_after_a_disconnect_calls_are_refused_at_the_gateway_while_refresh_still_works(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    assert xero.call("GET", STATEMENTS).status_code == 200
    xero.control("DELETE", f"connections/{BAKERY}")
    assert xero.call("GET", "/connections", tenant=None).json() == []
    fresh = xero.refresh(pair["refresh_token"])
    assert fresh.status_code == 200
    refused = xero.call("GET", STATEMENTS, token=fresh.json()["access_token"])
    assert (refused.status_code, refused.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
