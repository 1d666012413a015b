"""The identity server: what is sent to it, and each of its errors as its own type."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from feedlane.credentials.token_set import TokenSet
from feedlane.http import Http
from feedlane.xero.identity import ClientKeys, Identity, authorize_url
from feedlane.xero.identity_errors import (
    IdentityRefused,
    IdentityUnanswered,
    IdentityUnavailable,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnauthorizedClient,
)
from tests.unit.xero.xero_server import NOON, Server, always, fails

KEYS = ClientKeys("client", "canary-secret")
OLD = TokenSet(
    access_token="canary-old-access",
    expires_at=NOON,
    refresh_token="canary-old-refresh",
    scopes=("bankfeeds",),
    xero_user_id="user-0",
    client_id="client",
)


def identity(server: Server) -> Identity:
    return Identity(Http("https://identity.test", transport=httpx.MockTransport(server)), lambda: NOON)


def token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.signature"


def answer(**changes: Any) -> dict[str, Any]:
    access = token(xero_userid="user-1", authentication_event_id="event-1", scope=["openid", "bankfeeds"])
    fields = {"access_token": access, "expires_in": 1800, "refresh_token": "new", "scope": "openid bankfeeds"}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def test_the_consent_address_asks_for_a_code_with_scopes_and_state() -> None:
    url = urlsplit(
        authorize_url("https://login.xero.com/", "client", "https://x.test/cb", ("openid", "bankfeeds"), "s+1")
    )
    assert (url.netloc, url.path) == ("login.xero.com", "/identity/connect/authorize")
    assert {name: value for name, [value] in parse_qs(url.query).items()} == {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": "https://x.test/cb",
        "scope": "openid bankfeeds",
        "state": "s+1",
    }


def test_a_challenge_goes_with_its_method() -> None:
    query = parse_qs(urlsplit(authorize_url("https://l.test", "c", "https://x.test", ("openid",), "s", "chal")).query)
    assert query["code_challenge"] == ["chal"]
    assert query["code_challenge_method"] == ["S256"]


def test_a_code_is_exchanged_with_the_keys_in_the_header_and_nothing_secret_in_the_address() -> None:
    requests: list[httpx.Request] = []

    def accept(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=answer())

    tokens = identity(accept).exchange(ClientKeys("cl:ient", "se cret"), "the-code", "https://x.test/cb", "verifier")
    [request] = requests
    assert str(request.url) == "https://identity.test/connect/token"
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"cl%3Aient:se+cret"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["the-code"],
        "redirect_uri": ["https://x.test/cb"],
        "code_verifier": ["verifier"],
    }
    assert tokens.expires_at == NOON + timedelta(minutes=30)
    assert (tokens.xero_user_id, tokens.authentication_event_id) == ("user-1", "event-1")
    assert tokens.scopes == ("openid", "bankfeeds")
    assert tokens.refresh_token == "new"


def test_without_offline_access_there_is_no_refresh_token() -> None:
    tokens = identity(always(200, answer(refresh_token=None))).exchange(KEYS, "code", "https://x.test")
    assert tokens.refresh_token is None


@pytest.mark.parametrize("refresh_token", [None, "", 5, ["new"], {}, False])
def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(refresh_token: Any) -> None:
    server = always(200, answer() | {"refresh_token": refresh_token})
    assert identity(server).refresh(KEYS, OLD).refresh_token == OLD.refresh_token


def test_scopes_come_from_the_token_where_the_answer_has_none() -> None:
    assert identity(always(200, answer(scope=None))).refresh(KEYS, OLD).scopes == ("openid", "bankfeeds")


def test_what_a_refreshed_token_does_not_say_stays_as_it_was() -> None:
    tokens = identity(always(200, answer(access_token="opaque", scope=None))).refresh(KEYS, OLD)
    assert (tokens.xero_user_id, tokens.scopes) == ("user-0", ("bankfeeds",))


@pytest.mark.parametrize("access_token", ["opaque", "a.b", "a.!!!.c", "a.bm90IGpzb24.c", token(sub="nobody")])
def test_a_new_token_that_names_no_user_is_not_kept(access_token: str) -> None:
    with pytest.raises(IdentityUnavailable):
        identity(always(200, answer(access_token=access_token))).exchange(KEYS, "code", "https://x.test")


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("invalid_grant", InvalidGrant),
        ("invalid_client", InvalidClient),
        ("unauthorized_client", UnauthorizedClient),
        ("invalid_scope", InvalidScope),
        ("unsupported_grant_type", IdentityRefused),
        ("an_error_of_next_year", IdentityRefused),
    ],
)
def test_each_oauth_error_is_a_type(name: str, type: type[IdentityRefused]) -> None:
    for code in (400, 401):
        with pytest.raises(type) as raised:
            identity(always(code, {"error": name})).refresh(KEYS, OLD)
        assert raised.type is type
        assert (raised.value.problem.type, raised.value.problem.status) == (name, code)


@pytest.mark.parametrize("code", [302, 429, 500, 502, 503])
def test_an_outage_decides_nothing(code: int) -> None:
    with pytest.raises(IdentityUnavailable) as raised:
        identity(always(code, {"error": "invalid_grant"}, {"Retry-After": "9"})).refresh(KEYS, OLD)
    assert raised.value.retry_after == 9


@pytest.mark.parametrize("body", [b"<html>Access Denied</html>", b"", b"[]", b'{"error": null}'])
def test_a_refusal_that_is_not_in_oauths_words_decides_nothing(body: bytes) -> None:
    with pytest.raises(IdentityUnavailable):
        identity(always(403, body)).refresh(KEYS, OLD)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"access_token": 5, "expires_in": 1800}'])
def test_a_success_that_cannot_be_read_decides_nothing(body: bytes) -> None:
    with pytest.raises(IdentityUnavailable):
        identity(always(200, body)).refresh(KEYS, OLD)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("900", 900), (900.7, 900), ("900.0", 900),
        *((odd, 1800) for odd in (None, "", "soon", 0, 0.5, -5, "1e999", "nan", 10**40, [900], {})),
    ],
)  # fmt: skip
def test_no_form_of_the_lifetime_loses_what_a_code_brought(expires_in: Any, seconds: int) -> None:
    body = {**answer(), "expires_in": expires_in}
    tokens = identity(always(200, body)).exchange(KEYS, "code", "https://x.test")
    assert tokens.expires_at == NOON + timedelta(seconds=seconds)


def test_a_lost_answer_is_told_from_a_request_that_never_left() -> None:
    with pytest.raises(IdentityUnanswered):
        identity(fails(httpx.ReadTimeout)).refresh(KEYS, OLD)
    with pytest.raises(IdentityUnavailable) as raised:
        identity(fails(httpx.ConnectTimeout)).refresh(KEYS, OLD)
    assert not isinstance(raised.value, IdentityUnanswered)


@pytest.mark.parametrize("server", [always(400, {"error": "invalid_grant"}), always(500), fails(httpx.ReadTimeout)])
def test_no_error_carries_a_token_or_a_secret(server: Server) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        identity(server).refresh(KEYS, OLD)
    error: BaseException | None = raised.value
    while error is not None:
        assert "canary" not in f"{error!r} {vars(error)}"
        assert error.__suppress_context__ or error.__context__ is None
        error = error.__cause__


def test_the_keys_show_in_no_log() -> None:
    assert "canary" not in repr(KEYS)
