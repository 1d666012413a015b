"""Identity and connections, where Xero's documentation is silent: each switch in both positions."""

import base64
import json
from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import BAKERY, JOINERY, REDIRECT, Xero

AUTHORIZE = "/identity/connect/authorize"


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def is_alive(xero: Xero, access_token: str) -> bool:
    return xero.call("GET", "/connections", tenant=None, token=access_token).status_code == 200


@pytest.mark.parametrize(
    ("position", "is_access_alive", "is_refresh_alive", "is_alive_later", "is_shared"),
    [
        ("grace", True, True, False, False),
        ("ends", False, False, False, False),
        ("keeps", True, True, True, False),
        ("shares", True, True, True, True),
    ],
)
def test_the_earlier_tokens_of_a_user_who_consents_again(
    xero: Xero, position: str, is_access_alive: bool, is_refresh_alive: bool, is_alive_later: bool, is_shared: bool
) -> None:
    xero.switch("secondConsent", position)
    first, second = xero.connect(BAKERY), xero.connect(JOINERY)
    assert (first["refresh_token"] == second["refresh_token"]) is is_shared
    assert is_alive(xero, first["access_token"]) is is_access_alive
    assert is_alive(xero, second["access_token"])
    xero.advance(31 * 60)
    assert (xero.refresh(first["refresh_token"]).status_code == 200) is is_alive_later
    if position in ("grace", "ends"):
        assert xero.refresh(second["refresh_token"]).status_code == 200
    xero.control("POST", "reset")
    xero.switch("secondConsent", position)
    first, _ = xero.connect(BAKERY), xero.connect(JOINERY)
    assert (xero.refresh(first["refresh_token"]).status_code == 200) is is_refresh_alive


def test_tokens_that_live_side_by_side_rotate_by_themselves(xero: Xero) -> None:
    xero.switch("secondConsent", "keeps")
    first, second = xero.connect(BAKERY), xero.connect(JOINERY)
    assert xero.refresh(first["refresh_token"]).status_code == 200
    xero.advance(31 * 60)
    assert xero.refresh(first["refresh_token"]).json() == {"error": "invalid_grant"}
    assert xero.refresh(second["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("position", "is_same"), [("same", True), ("new", False)])
def test_the_id_of_a_connection_that_was_removed_and_made_again(xero: Xero, position: str, is_same: bool) -> None:
    xero.switch("reconnectedId", position)
    xero.connect(BAKERY)
    (before,) = xero.call("GET", "/connections", tenant=None).json()
    assert xero.call("DELETE", f"/connections/{before['id']}", tenant=None).status_code == 204
    xero.advance(60)
    xero.connect(BAKERY)
    (after,) = xero.call("GET", "/connections", tenant=None).json()
    assert (after["id"] == before["id"], after["createdDateUtc"] == before["createdDateUtc"]) == (is_same, is_same)
    xero.connect(BAKERY)
    assert xero.call("GET", "/connections", tenant=None).json()[0]["id"] == after["id"]


def test_without_registered_redirect_uris_any_secure_one_goes(xero: Xero) -> None:
    assert xero.authorize(redirect_uri=REDIRECT).status_code == 200


def test_or_only_what_is_registered_goes_to_the_letter(xero: Xero) -> None:
    xero.switch("redirects", "registered")
    assert xero.authorize(redirect_uri=REDIRECT).status_code == 400
    xero.control("PUT", "app", {"redirectUris": [REDIRECT]})
    assert xero.authorize(redirect_uri=REDIRECT).status_code == 200
    for other in (f"{REDIRECT}/", f"{REDIRECT}?a=b", REDIRECT.upper(), REDIRECT.replace("localhost", "LOCALHOST")):
        assert xero.authorize(redirect_uri=other).status_code == 400


@pytest.mark.parametrize(("position", "expected"), [("absent", None), ("present", "local")])
def test_the_identity_provider_in_access_tokens(xero: Xero, position: str, expected: str | None) -> None:
    xero.switch("accessTokenIdp", position)
    pair = xero.connect(BAKERY)
    assert claims(pair["access_token"]).get("idp") == expected
    assert claims(pair["id_token"])["idp"] == "local"


@pytest.mark.parametrize(("position", "expected"), [("number", 1800), ("text", "1800")])
def test_the_type_of_expires_in(xero: Xero, position: str, expected: Any) -> None:
    xero.switch("expiresIn", position)
    assert xero.connect(BAKERY)["expires_in"] == expected


@pytest.mark.parametrize(("position", "brings_one"), [("newToken", True), ("withoutToken", False)])
def test_whether_a_refresh_brings_a_new_refresh_token(xero: Xero, position: str, brings_one: bool) -> None:
    xero.switch("refreshAnswer", position)
    first = xero.connect(BAKERY)
    answer = xero.refresh(first["refresh_token"]).json()
    assert ("refresh_token" in answer) is brings_one
    assert is_alive(xero, answer["access_token"])
    xero.advance(31 * 60)
    assert (xero.refresh(first["refresh_token"]).status_code == 200) is not brings_one


def test_the_consent_page_is_on_the_same_host(xero: Xero) -> None:
    endpoint = xero.http.get("/.well-known/openid-configuration").json()["authorization_endpoint"]
    assert endpoint == f"{xero.url}{AUTHORIZE}"


def test_or_on_a_login_host_of_its_own(xero: Xero) -> None:
    xero.switch("loginHost", "own")
    endpoint = httpx.URL(xero.http.get("/.well-known/openid-configuration").json()["authorization_endpoint"])
    assert (endpoint.host, endpoint.path) == ("login.localhost", AUTHORIZE)
    assert xero.authorize().status_code == 404
    asked = {"client_id": xero.state.app.client_id, "redirect_uri": REDIRECT, "scope": "openid"}
    here = {"Host": f"login.localhost:{endpoint.port}"}
    page = xero.http.get(AUTHORIZE, params=asked | {"response_type": "code"}, headers=here)
    assert page.status_code == 200
    assert "wants access" in page.text


def test_a_connection_of_another_kind_of_tenant(xero: Xero) -> None:
    xero.control("PUT", f"orgs/{JOINERY}", {"tenantType": "PRACTICE"})
    xero.connect(BAKERY, JOINERY)
    found = xero.call("GET", "/connections", tenant=None).json()
    assert [one["tenantType"] for one in found] == ["ORGANISATION", "PRACTICE"]
