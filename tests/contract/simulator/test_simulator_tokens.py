"""Codes, access tokens, refresh tokens and their ends."""

import base64
import hashlib

import httpx
import jwt
import pytest

from tests.contract.simulator.driver import BAKERY, CREDENTIALS, JOINERY, NOON, REDIRECT, Xero

CLIENT_ID, SECRET = CREDENTIALS
OTHER_USER = "0f0f0f0f-0000-4000-8000-000000000002"
MINUTE, DAY = 60, 86_400


def error_of(answer: httpx.Response) -> str:
    """The bare OAuth error: nothing but its name."""
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    return str(answer.json()["error"])


def verified(xero: Xero, token: str, audience: str) -> dict[str, object]:
    discovery = xero.http.get("/.well-known/openid-configuration").json()
    jwk = xero.http.get(discovery["jwks_uri"]).json()["keys"][0]
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"], header["kid"]) == ("RS256", "JWT", jwk["kid"])
    assert header["x5t"]
    claims: dict[str, object] = jwt.decode(
        token,
        jwt.PyJWK(jwk),
        ["RS256"],
        audience=audience,
        issuer="https://identity.xero.com",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return claims


def test_a_code_buys_a_token_response_as_xeros(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    assert set(pair) == {"id_token", "access_token", "expires_in", "token_type", "refresh_token", "scope"}
    assert (pair["expires_in"], pair["token_type"]) == (1800, "Bearer")
    assert set(pair["scope"].split()) == {
        "offline_access", "openid", "profile", "email", "accounting.settings.read", "bankfeeds",
    }  # fmt: skip


def test_an_access_token_carries_xeros_claims_and_verifies_against_the_published_keys(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    claims = verified(xero, pair["access_token"], "https://identity.xero.com/resources")
    connection = xero.control("GET", "connections")["connections"][0]
    assert set(claims) >= {
        "nbf", "exp", "iss", "aud", "client_id", "sub", "auth_time", "xero_userid", "global_session_id",
        "jti", "authentication_event_id", "scope",
    }  # fmt: skip
    assert claims["client_id"] == CLIENT_ID
    assert claims["authentication_event_id"] == connection["authEventId"]
    assert claims["xero_userid"] == connection["userId"]
    assert claims["exp"] == int(NOON.timestamp()) + 1800
    assert isinstance(claims["scope"], list)


def test_an_id_token_names_the_user_but_not_the_authentication_event(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    claims = verified(xero, pair["id_token"], CLIENT_ID)
    assert claims["email"] == "ava." + str(claims["xero_userid"])[:8] + "@example.com"
    assert {"at_hash", "sid", "idp", "amr", "preferred_username", "given_name", "family_name"} <= set(claims)
    assert "authentication_event_id" not in claims


def test_id_and_refresh_tokens_come_only_with_their_scopes(xero: Xero) -> None:
    without_both = xero.connect(BAKERY, scope="bankfeeds")
    assert "id_token" not in without_both
    assert "refresh_token" not in without_both
    assert "id_token" in xero.connect(BAKERY, scope="openid bankfeeds")
    assert "refresh_token" in xero.connect(BAKERY, scope="offline_access bankfeeds")


def test_api_scopes_add_up_over_the_consents_of_a_user(xero: Xero) -> None:
    xero.connect(BAKERY, scope="offline_access bankfeeds")
    pair = xero.connect(BAKERY, scope="offline_access accounting.settings.read")
    assert set(pair["scope"].split()) == {"offline_access", "bankfeeds", "accounting.settings.read"}


def test_a_code_works_once(xero: Xero) -> None:
    code = xero.code(BAKERY)
    assert xero.exchange(code).status_code == 200
    assert error_of(xero.exchange(code)) == "invalid_grant"


def test_a_code_lives_five_minutes(xero: Xero) -> None:
    early, late = xero.code(BAKERY), xero.code(BAKERY)
    xero.advance(5 * MINUTE - 1)
    assert xero.exchange(early).status_code == 200
    xero.advance(1)
    assert error_of(xero.exchange(late)) == "invalid_grant"


def test_a_code_is_bound_to_its_redirect_uri(xero: Xero) -> None:
    code = xero.code(BAKERY)
    assert error_of(xero.exchange(code, redirect_uri=f"{REDIRECT}/other")) == "invalid_grant"
    assert xero.exchange(code).status_code == 200


def test_a_pkce_challenge_is_verified(xero: Xero) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = xero.code(BAKERY, code_challenge=challenge, code_challenge_method="S256")
    assert error_of(xero.exchange(code)) == "invalid_grant"
    assert error_of(xero.exchange(code, code_verifier="w" * 64)) == "invalid_grant"
    assert xero.exchange(code, code_verifier=verifier).status_code == 200


def test_credentials_are_taken_from_the_header_or_the_body(xero: Xero) -> None:
    form = {"grant_type": "authorization_code", "code": xero.code(BAKERY), "redirect_uri": REDIRECT}
    in_body = form | {"client_id": CLIENT_ID, "client_secret": SECRET}
    assert xero.http.post("/connect/token", data=in_body).status_code == 200
    wrong = form | {"client_id": CLIENT_ID, "client_secret": "wrong"}
    assert error_of(xero.http.post("/connect/token", data=wrong)) == "invalid_client"
    assert error_of(xero.http.post("/connect/token", data=form)) == "invalid_client"
    assert error_of(xero.http.post("/connect/token", data=form, auth=("SOMEBODY", SECRET))) == "invalid_client"
    assert error_of(xero.http.post("/connect/token", data=form, headers={"Authorization": "Basic %"})) == (
        "invalid_client"
    )


def test_an_app_may_have_two_secrets_and_an_old_one_dies_when_it_is_removed(xero: Xero) -> None:
    xero.control("PUT", "app", {"clientSecrets": [SECRET, "new-secret"]})
    form = {"grant_type": "client_credentials"}
    for secret in (SECRET, "new-secret"):
        assert xero.http.post("/connect/token", data=form, auth=(CLIENT_ID, secret)).status_code == 200
    xero.control("PUT", "app", {"clientSecrets": ["new-secret"]})
    assert error_of(xero.http.post("/connect/token", data=form, auth=CREDENTIALS)) == "invalid_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "nonsense", "redirect_uri": REDIRECT}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, "invalid_grant"),
        ({"grant_type": "client_credentials", "scope": "bankfeeds"}, "invalid_scope"),
    ],
)
def test_token_errors_are_bare(xero: Xero, form: dict[str, str], error: str) -> None:
    assert error_of(xero.http.post("/connect/token", data=form, auth=CREDENTIALS)) == error


def test_a_grant_type_the_app_may_not_use_is_an_unauthorized_client(xero: Xero) -> None:
    xero.control("PUT", "app", {"grantTypes": ["authorization_code"]})
    form = {"grant_type": "client_credentials"}
    assert error_of(xero.http.post("/connect/token", data=form, auth=CREDENTIALS)) == "unauthorized_client"


def test_a_refresh_rotates_the_refresh_token(xero: Xero) -> None:
    first = xero.connect(BAKERY)
    second = xero.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert xero.call("GET", "/connections", token=second["access_token"]).status_code == 200


def test_a_refresh_cannot_widen_the_scopes(xero: Xero) -> None:
    token = xero.connect(BAKERY, scope="offline_access bankfeeds")["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "scope": "bankfeeds accounting.settings"}
    assert error_of(xero.http.post("/connect/token", data=form, auth=CREDENTIALS)) == "invalid_scope"
    narrow = form | {"scope": "bankfeeds"}
    assert xero.http.post("/connect/token", data=narrow, auth=CREDENTIALS).status_code == 200


def test_a_refresh_leaves_the_old_access_token_alone_unless_the_switch_says_otherwise(xero: Xero) -> None:
    first = xero.connect(BAKERY)
    second = xero.refresh(first["refresh_token"]).json()
    assert xero.call("GET", "/connections", token=first["access_token"]).status_code == 200
    xero.control("PUT", "behaviour", {"refreshEndsAccessToken": True})
    xero.refresh(second["refresh_token"])
    assert xero.call("GET", "/connections", token=second["access_token"]).status_code == 401


def test_an_old_refresh_token_works_thirty_minutes_as_often_as_needed(xero: Xero) -> None:
    old = xero.connect(BAKERY)["refresh_token"]
    assert xero.refresh(old).status_code == 200
    xero.advance(15 * MINUTE)
    replays = [xero.refresh(old), xero.refresh(old)]
    assert [one.status_code for one in replays] == [200, 200]
    assert replays[0].json()["refresh_token"] != replays[1].json()["refresh_token"]
    xero.advance(15 * MINUTE - 1)
    assert xero.refresh(old).status_code == 200
    xero.advance(1)
    assert error_of(xero.refresh(old)) == "invalid_grant"


def test_the_pair_of_an_overtaken_refresh_dies_after_its_own_grace_period(xero: Xero) -> None:
    """Two writers of one rotating token: the one that saved first loses."""
    old = xero.connect(BAKERY)["refresh_token"]
    overtaken = xero.refresh(old).json()["refresh_token"]
    current = xero.refresh(old).json()["refresh_token"]
    xero.advance(30 * MINUTE)
    assert error_of(xero.refresh(overtaken)) == "invalid_grant"
    assert xero.refresh(current).status_code == 200


def test_a_switch_makes_a_grace_replay_answer_the_same_pair(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"graceReplay": "samePair"})
    old = xero.connect(BAKERY)["refresh_token"]
    first = xero.refresh(old).json()
    xero.advance(10 * MINUTE)
    replay = xero.refresh(old).json()
    assert replay["refresh_token"] == first["refresh_token"]
    assert replay["access_token"] == first["access_token"]
    assert (first["expires_in"], replay["expires_in"]) == (1800, 1200)


def test_a_refresh_token_dies_after_sixty_unused_days_and_each_refresh_starts_them_anew(xero: Xero) -> None:
    token = xero.connect(BAKERY)["refresh_token"]
    xero.advance(60 * DAY - 1)
    token = xero.refresh(token).json()["refresh_token"]
    xero.advance(60 * DAY - 1)
    token = xero.refresh(token).json()["refresh_token"]
    xero.advance(60 * DAY)
    assert error_of(xero.refresh(token)) == "invalid_grant"


def test_tokens_are_per_user_so_a_second_consent_replaces_the_refresh_token_of_the_first(xero: Xero) -> None:
    first = xero.connect(BAKERY)["refresh_token"]
    second = xero.connect(JOINERY)["refresh_token"]
    other_user = xero.connect(BAKERY, user_id=OTHER_USER)["refresh_token"]
    xero.advance(30 * MINUTE)
    assert error_of(xero.refresh(first)) == "invalid_grant"
    assert xero.refresh(second).status_code == 200
    assert xero.refresh(other_user).status_code == 200


def test_revocation_answers_nothing_and_removes_all_of_the_users_connections(xero: Xero) -> None:
    other = xero.connect(BAKERY, user_id=OTHER_USER)["refresh_token"]
    mine = xero.connect(BAKERY, JOINERY, user_id="0f0f0f0f-0000-4000-8000-000000000003")["refresh_token"]
    answer = xero.http.post("/connect/revocation", data={"token": mine}, auth=CREDENTIALS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert [one["userId"] for one in xero.control("GET", "connections")["connections"]] == [OTHER_USER]
    assert error_of(xero.refresh(mine)) == "invalid_grant"
    assert xero.call("GET", "/connections").json() == []
    assert xero.refresh(other).status_code == 200


def test_the_token_endpoint_knows_no_idempotency(xero: Xero) -> None:
    form = {"grant_type": "client_credentials"}
    headers = {"Idempotency-Key": "k-1"}
    answers = [xero.http.post("/connect/token", data=form, auth=CREDENTIALS, headers=headers).json() for _ in range(2)]
    assert answers[0]["access_token"] != answers[1]["access_token"]


def test_revocation_wants_our_credentials_and_forgives_an_unknown_token(xero: Xero) -> None:
    form = {"token": "nonsense"}
    assert error_of(xero.http.post("/connect/revocation", data=form)) == "invalid_client"
    assert xero.http.post("/connect/revocation", data=form, auth=CREDENTIALS).status_code == 200


def test_userinfo_names_the_user_of_the_token(xero: Xero) -> None:
    pair = xero.connect(BAKERY)
    claims = verified(xero, pair["id_token"], CLIENT_ID)
    info = xero.call("GET", "/connect/userinfo", tenant=None).json()
    assert (info["sub"], info["email"]) == (claims["sub"], claims["email"])


def test_discovery_points_at_the_simulator_itself(xero: Xero) -> None:
    found = xero.http.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == "https://identity.xero.com"
    assert found["token_endpoint"] == f"{xero.url}/connect/token"
    assert found["authorization_endpoint"] == f"{xero.url}/identity/connect/authorize"
    assert found["revocation_endpoint"] == f"{xero.url}/connect/revocation"
