"""What applies to every page: security headers, no secrets in URLs, and events as gateways send them."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.web.request import request_in
from tests.builders import URL
from tests.handlers import Context, load, sample
from tests.worlds.web import API_KEY, World


def _event(**changes: Any) -> dict[str, Any]:
    context = {"domainName": "abc.execute-api.example", "stage": "$default", "http": {"method": "GET"}}
    return {"rawPath": "/link/company/1", "rawQueryString": "", "requestContext": context} | changes


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.link()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


@pytest.mark.parametrize(
    "url",
    [
        "{base}/start",
        "{base}/accounts",
        "{base}/finish",
        "/link/company/{company}",
        "/link/nowhere",
        "/oauth/callback",
        "/portal",
        "/portal/settings",
        "/portal/sign-in",
    ],
)
def test_every_page_is_safe_from_frames_caches_and_other_peoples_content(world: World, url: str) -> None:
    response = world.browser.get(url.format(base=world.base(), company=world.connection.company_id))
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    if response.body:
        assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Strict-Transport-Security"].startswith("max-age=")


def test_the_policy_allows_exactly_the_style_and_script_of_the_page(world: World) -> None:
    response = world.browser.get(f"{world.base()}/accounts")
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", response.body, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{hashed}'" in response.headers["Content-Security-Policy"]
    assert " style=" not in response.body
    assert " onclick=" not in response.body


def test_the_platforms_logo_is_the_only_thing_loaded_from_elsewhere(world: World) -> None:
    world.set_profile(logo_url="https://cdn.example.com/logo.svg")
    response = world.browser.get(f"{world.base()}/accounts")
    assert "img-src https://cdn.example.com;" in response.headers["Content-Security-Policy"]
    assert 'alt="Ledgerly"' in response.body


def test_a_fault_of_ours_is_a_page_and_says_nothing_of_the_inside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("canary-inside")

    monkeypatch.setattr(company_items, "connection", broken)
    monkeypatch.setattr(company_items, "find_connection", broken)
    response = world.browser.get(f"{world.base()}/start")
    assert response.status == 500
    assert "Something went wrong" in response.body
    assert "canary-inside" not in response.body


def test_a_form_that_cannot_be_read_is_an_error_of_the_sender(world: World) -> None:
    response = world.browser.post(f"{world.base()}/accounts", {}, event={"body": "%%%", "isBase64Encoded": True})
    assert response.status == 400


@pytest.mark.parametrize(
    ("raw", "stage", "path"),
    [
        ("/link/company/1", "$default", "/link/company/1"),
        ("/link/company/1/", "$default", "/link/company/1"),
        ("/prod/link/company/1", "prod", "/link/company/1"),
        ("/link/company/a%20b", "$default", "/link/company/a b"),
        ("/link/company/a b", "$default", "/link/company/a b"),
    ],
)
def test_paths_come_with_and_without_stage_and_encoding(raw: str, stage: str, path: str) -> None:
    context = {"domainName": "x", "stage": stage, "http": {"method": "GET"}}
    assert request_in(_event(rawPath=raw, requestContext=context), "").path == path


def test_without_an_address_of_our_own_the_gateways_name_counts() -> None:
    assert request_in(_event(), "").url("/x") == "https://abc.execute-api.example/x"
    assert request_in(_event(), URL + "/").url("/x") == URL + "/x"


def test_cookies_come_as_a_list_or_as_a_header() -> None:
    assert request_in(_event(cookies=["a=1", "b=2=3"]), "").cookies == {"a": "1", "b": "2=3"}
    assert request_in(_event(headers={"Cookie": "a=1; b=2"}), "").cookies == {"a": "1", "b": "2"}


def test_a_form_comes_as_text_or_in_base64_and_not_as_json() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    encoded = base64.b64encode(b"a=1&a=2&b=%C3%A9").decode()
    assert request_in(_event(headers=form, body="a=1&a=2&b=%C3%A9"), "").form == {"a": ["1", "2"], "b": ["é"]}
    assert request_in(_event(headers=form, body=encoded, isBase64Encoded=True), "").form["b"] == ["é"]
    assert request_in(_event(headers={"content-type": "application/json"}, body="a=1"), "").form == {}
    with pytest.raises(Invalid):
        request_in(_event(headers=form, body="a=%ff"), "")


@pytest.mark.parametrize(("function", "status"), [("link", 404), ("oauth_callback", 400), ("portal", 303)])
def test_the_sample_event_goes_through_its_handler(function: str, status: int) -> None:
    module = load(function)
    module.site = World().site  # type: ignore[attr-defined]
    assert module.handler(sample(function), Context())["statusCode"] == status
