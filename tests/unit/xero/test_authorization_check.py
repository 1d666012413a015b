"""What Xero's consent page says about an app, its redirect URI and its scopes, without a customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from feedlane.clock import system_clock
from feedlane.credentials.authorization import Authorization, Verdict
from feedlane.http import Http
from feedlane.xero.authorization_check import REDIRECTS_MAX, ask
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import DEFAULT_CLIENT_ID
from tests.unit.xero.xero_server import Server, fails

REDIRECT = "https://feeds.example.com/oauth/callback"
SCOPES = ("openid", "accounting.settings.read", "bankfeeds")


def asked(server: Server) -> Authorization:
    http = Http("https://login.test", transport=httpx.MockTransport(server))
    return ask(http, "https://login.test", "client", REDIRECT, SCOPES)


def to(location: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"location": location})


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (to(f"{REDIRECT}?error=login_required&state=check"), Verdict.ACCEPTED),
        (to(f"{REDIRECT}?error=invalid_scope&state=check"), Verdict.WRONG_SCOPE),
        (to(f"{REDIRECT}?error=server_error&state=check"), Verdict.UNKNOWN),
        (httpx.Response(200, text="<h1>Log in to Xero</h1>"), Verdict.ACCEPTED),
        (httpx.Response(200, text="<h1>We are back soon</h1>"), Verdict.UNKNOWN),
        (httpx.Response(200, text="Sorry. Error: invalid_scope"), Verdict.WRONG_SCOPE),
        (httpx.Response(400, text="unauthorized_client: Unknown client"), Verdict.WRONG_CLIENT),
        (httpx.Response(500, text="invalid_request : Invalid redirect_uri. Log in again"), Verdict.WRONG_REDIRECT),
        (httpx.Response(200, text="Log in: /login?ReturnUrl=redirect_uri%3Dhttps&amp;scope="), Verdict.ACCEPTED),
        (httpx.Response(403, text="Access denied"), Verdict.UNKNOWN),
        (httpx.Response(503, text="Sign in later"), Verdict.UNKNOWN),
        (to("https://elsewhere.test/login"), Verdict.UNKNOWN),
    ],
)
def test_nothing_is_granted_unless_xero_goes_on(answer: httpx.Response, verdict: Verdict) -> None:
    assert asked(lambda request: answer).verdict is verdict


def test_xeros_own_pages_are_followed_but_never_the_way_back_to_link() -> None:
    def xero(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "login.test"
        if request.url.path.startswith("/identity/home/error"):
            return httpx.Response(200, text="Error: invalid_scope")
        assert request.url.params["prompt"] == "none"
        return to("/identity/home/error?errorId=CfDJ8")

    assert asked(xero).verdict is Verdict.WRONG_SCOPE
    assert asked(lambda request: to(f"{REDIRECT}?code=1&state=check")).verdict is Verdict.UNKNOWN


def test_an_error_page_that_asks_to_sign_in_is_no_yes() -> None:
    def xero(request: httpx.Request) -> httpx.Response:
        if "error" in request.url.path:
            return httpx.Response(200, text="Something went wrong. Sign in again")
        return to("/identity/home/error?errorId=CfDJ8")

    assert asked(xero).verdict is Verdict.UNKNOWN


def test_whoever_sends_on_for_ever_or_does_not_answer_has_said_nothing() -> None:
    requests: list[httpx.Request] = []

    def round_and_round(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return to(f"/again/{len(requests)}")

    assert asked(round_and_round).verdict is Verdict.UNKNOWN
    assert len(requests) == REDIRECTS_MAX + 1
    answer = asked(fails(httpx.ConnectTimeout))
    assert (answer.verdict, answer.is_granted) == (Verdict.UNKNOWN, None)
    assert "could not be reached" in answer.reason


@pytest.fixture
def xero() -> Iterator[RunningSimulator]:
    with serve_in_thread() as running:
        yield running


def test_the_simulator_says_each_of_them_and_connects_nothing(xero: RunningSimulator) -> None:
    def verdict(client: str = DEFAULT_CLIENT_ID, redirect: str = REDIRECT) -> Authorization:
        return ask(Http(xero.url), xero.url, client, redirect, SCOPES)

    granted = verdict()
    assert granted.verdict is Verdict.ACCEPTED
    assert granted.answered_at is not None
    assert abs(granted.answered_at - system_clock()) < timedelta(seconds=30)
    assert verdict(client="other").verdict is Verdict.WRONG_CLIENT
    xero.state.app.allowed_scopes.discard("bankfeeds")
    assert verdict().verdict is Verdict.WRONG_SCOPE
    xero.state.app.redirect_uris.append("https://other.example.com/oauth/callback")
    assert verdict().verdict is Verdict.WRONG_REDIRECT
    assert not xero.state.live_connections()
