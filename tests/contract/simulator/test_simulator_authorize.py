"""Section by section as a user meets it: the authorize request, the consent page, the way back."""

import re

import pytest

from tests.contract.simulator.driver import BAKERY, CREDENTIALS, DEMO, JOINERY, REDIRECT, Xero, callback


def page_form(html: str) -> dict[str, str]:
    found = re.search(r'name="requestId" value="([^"]+)"', html)
    assert found, html
    return {"requestId": found[1]}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "SOMEBODYELSE"}, "unauthorized_client"),
        ({"redirect_uri": "http://127.0.0.1:8000/callback"}, "invalid_request"),
        ({"redirect_uri": "http://example.com/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"scope": "openid accounting.transactions"}, "invalid_scope"),
        ({"scope": "openid app.connections"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_authorize_request_shows_an_error_page_and_never_redirects(
    xero: Xero, changes: dict[str, str | None], error: str
) -> None:
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
    answer = xero.authorize(**changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert f'<code id="error">{error}</code>' in answer.text


def test_registered_redirects_must_match_exactly(xero: Xero) -> None:
    xero.control("PUT", "app", {"redirectUris": ["https://feeds.example.com/oauth/callback"]})
    xero.control("PUT", "consent", {"mode": "deny"})
    assert xero.authorize(redirect_uri="https://feeds.example.com/oauth/callback").status_code == 302
    assert xero.authorize(redirect_uri="https://feeds.example.com/oauth/callback/").status_code == 400
    assert xero.authorize().status_code == 400


def test_without_registered_redirects_https_and_localhost_are_accepted(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "deny"})
    for accepted in ("https://a.example/cb", "http://localhost/cb", "http://api.localhost:4566/cb"):
        assert xero.authorize(redirect_uri=accepted).status_code == 302


def test_the_consent_page_lists_every_organisation_and_ticks_the_suggested_one(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "page", "tenantIds": [JOINERY]})
    page = xero.authorize()
    assert page.status_code == 200
    for tenant_id in (BAKERY, JOINERY, DEMO):
        assert f'id="org-{tenant_id}"' in page.text
    assert re.findall(r'value="([^"]+)" checked', page.text) == [JOINERY]
    assert 'id="allow"' in page.text
    assert 'id="cancel"' in page.text


def test_allowing_several_organisations_on_the_page_calls_back_and_connects_them(xero: Xero) -> None:
    form = page_form(xero.authorize().text)
    answer = xero.http.post(
        "/identity/connect/authorize",
        data={**form, "tenantId": [BAKERY, JOINERY], "decision": "allow"},
    )
    back = callback(answer)
    assert back["state"] == "st-1"
    assert set(back) == {"code", "state", "scope", "session_state"}
    connected = xero.control("GET", "connections")["connections"]
    assert {one["tenantId"] for one in connected} == {BAKERY, JOINERY}


def test_allowing_without_an_organisation_shows_the_page_again(xero: Xero) -> None:
    form = page_form(xero.authorize().text)
    answer = xero.http.post("/identity/connect/authorize", data={**form, "decision": "allow"})
    assert answer.status_code == 200
    assert "Choose at least one organisation" in answer.text
    assert xero.control("GET", "connections")["connections"] == []


def test_cancelling_on_the_page_calls_back_with_access_denied(xero: Xero) -> None:
    form = page_form(xero.authorize().text)
    back = callback(xero.http.post("/identity/connect/authorize", data={**form, "decision": "cancel"}))
    assert back == {
        "error": "access_denied",
        "error_description": "TenantConsent status: DENIED",
        "state": "st-1",
    }


def test_a_consent_page_can_be_answered_only_once(xero: Xero) -> None:
    form = {**page_form(xero.authorize().text), "tenantId": BAKERY, "decision": "allow"}
    assert xero.http.post("/identity/connect/authorize", data=form).status_code == 302
    again = xero.http.post("/identity/connect/authorize", data=form)
    assert again.status_code == 400
    assert "location" not in again.headers


def test_deny_mode_calls_back_at_once(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "deny"})
    assert callback(xero.authorize())["error"] == "access_denied"


def test_a_callback_keeps_the_query_of_its_redirect_uri(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "deny"})
    back = callback(xero.authorize(redirect_uri=f"{REDIRECT}?flow=a"))
    assert (back["flow"], back["error"]) == ("a", "access_denied")


def test_at_the_connection_limit_the_user_lands_on_xeros_page_and_nothing_is_connected(xero: Xero) -> None:
    xero.control("PUT", "app", {"connectionLimit": 1})
    xero.connect(BAKERY)
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [JOINERY]})
    answer = xero.authorize()
    assert (answer.status_code, answer.headers["location"]) == (302, "/connectionLimit")
    assert "has reached their Xero connection limit" in xero.http.get("/connectionLimit").text
    connected = xero.control("GET", "connections")["connections"]
    assert [one["tenantId"] for one in connected] == [BAKERY]


def test_demo_companies_and_reconnections_do_not_count_against_the_limit(xero: Xero) -> None:
    xero.control("PUT", "app", {"connectionLimit": 1})
    xero.connect(DEMO)
    xero.connect(BAKERY)
    xero.connect(DEMO)
    xero.connect(BAKERY)
    second_user = "0f0f0f0f-0000-4000-8000-000000000002"
    xero.connect(BAKERY, user_id=second_user)
    assert len(xero.control("GET", "connections")["connections"]) == 3


def test_a_deleted_connection_frees_its_slot(xero: Xero) -> None:
    xero.control("PUT", "app", {"connectionLimit": 1})
    xero.connect(BAKERY)
    xero.control("DELETE", f"connections/{BAKERY}")
    xero.connect(JOINERY)
    assert [one["tenantId"] for one in xero.control("GET", "connections")["connections"]] == [JOINERY]


def test_a_deleted_connection_comes_back_with_its_id_when_it_is_made_again(xero: Xero) -> None:
    xero.connect(BAKERY)
    (before,) = xero.control("GET", "connections")["connections"]
    xero.control("DELETE", f"connections/{BAKERY}")
    xero.connect(BAKERY)
    (after,) = xero.control("GET", "connections")["connections"]
    assert (after["id"], after["createdDateUtc"]) == (before["id"], before["createdDateUtc"])


def test_a_switch_makes_the_limit_stop_reconnections_too(xero: Xero) -> None:
    xero.control("PUT", "app", {"connectionLimit": 1, "limitStopsReauthorisation": True})
    xero.connect(BAKERY)
    assert xero.authorize().headers["location"] == "/connectionLimit"


def test_no_limit_at_all_is_a_null(xero: Xero) -> None:
    xero.control("PUT", "app", {"connectionLimit": 0})
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
    assert xero.authorize().headers["location"] == "/connectionLimit"
    xero.control("PUT", "app", {"connectionLimit": None})
    assert "code" in callback(xero.authorize())


def test_an_organisation_takes_two_uncertified_apps_and_any_number_of_certified_ones(xero: Xero) -> None:
    xero.control("PUT", f"orgs/{BAKERY}", {"uncertifiedApps": 2})
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
    assert xero.authorize().headers["location"] == "/connectionLimit"
    xero.control("PUT", "app", {"certified": True})
    assert "code" in callback(xero.authorize())


def test_each_consent_has_its_own_authentication_event(xero: Xero) -> None:
    xero.connect(BAKERY)
    first = xero.control("GET", "connections")["connections"][0]
    xero.advance(60)
    xero.connect(BAKERY)
    second = xero.control("GET", "connections")["connections"][0]
    assert first["id"] == second["id"]
    assert first["authEventId"] != second["authEventId"]
    assert first["createdDateUtc"] == second["createdDateUtc"]
    assert first["updatedDateUtc"] < second["updatedDateUtc"]


def test_the_page_names_the_user_that_the_consent_setting_chose(xero: Xero) -> None:
    user_id = "aaaaaaaa-0000-4000-8000-000000000001"
    xero.control("PUT", "consent", {"mode": "page", "userId": user_id})
    assert "sam.aaaaaaaa@example.com" in xero.authorize().text
    assert CREDENTIALS[0] not in xero.authorize().text


def test_whoever_may_ask_nobody_is_told_that_nobody_is_signed_in_after_the_same_checks(xero: Xero) -> None:
    xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
    answer = xero.authorize(prompt="none")
    assert answer.status_code == 302
    assert "error=login_required" in answer.headers["location"]
    assert xero.authorize(prompt="none", scope="openid app.connections").status_code == 400
