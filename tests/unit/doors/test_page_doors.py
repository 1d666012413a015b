"""Every page of Link, the callback and the portal, whatever a request has: never an error of ours, always a page."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import feedlane.web
from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from feedlane.scope import Scope
from feedlane.web.link.paths import CODAT_WEBHOOKS_PATH
from feedlane.web.link.routes import CALLBACK, LINK
from feedlane.web.portal.routes import PORTAL
from feedlane.web.routing import Route
from tests.fakes.browser import PageResponse
from tests.fakes.consent import ACME, OTHER
from tests.unit.doors.hostile import HALF_A_PAIR, mostly, on_every_route, texts
from tests.worlds.web import API_KEY, World

TEMPLATES = Path(feedlane.web.__file__).parent / "templates"
_MACROS = "input|textarea|switch|options|select|secret"
_FIELD = rf'<(?:input|select|textarea|button)[^>]* name="([^"]*)"|ui\.(?:{_MACROS})\(errors, "(\w+)"'
# The names of all fields that our pages have, with one row of the mapping page.
FIELDS = sorted(
    (name[0] or name[1]).replace("{{ n }}", "1")
    for template in TEMPLATES.rglob("*.html")
    for name in re.findall(_FIELD, template.read_text())
)
PARAMETERS = (
    "after", "before", "q", "reason", "next", "done",
    "lang", "account", "later", "show", "saved", "released",
    "otp", "link.otp", "link.reconnect", "state", "code", "error", "journey",
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
NOT_OURS = {"content-type": FORM, "sec-fetch-site": "same-origin", "accept-language": "en", "user-agent": "x"}


def _world() -> tuple[World, dict[str, str]]:
    """A linked connection, its customer back from Xero, an operator signed in, and one thing of each kind."""
    world = World()
    world.add_account()
    world.link()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    hold = world.add_hold(Scope.CONNECTION, world.connection.id, company_id=world.connection.company_id)
    form = {"url": "https://example.com", "formToken": world.form_token("/portal/webhooks")}
    assert world.browser.post("/portal/webhooks", form).status == 201
    [consumer_id] = [sk for pk, sk in world.table.items if pk == "CONSUMERS"]
    return world, {
        "company_id": world.connection.company_id, "connection_id": world.connection.id, "hold_id": hold.id,
        "consumer_id": consumer_id, "event_id": "event-1", "account_id": "main",
    }  # fmt: skip


def test_every_form_field_of_the_pages_is_known() -> None:
    assert {"rows", "source-1", "tenantId", "client_secret", "formToken", "white_list_urls", "pkce", "upstream"} <= set(
        FIELDS
    )


@pytest.mark.parametrize("route", [*LINK, *CALLBACK, *PORTAL], ids=lambda route: f"{route.method} {route.path}")
def test_no_request_to_any_page_makes_an_error_of_ours(route: Route) -> None:
    world, known = _world()
    tokens = {
        "/portal": world.form_token("/portal/settings"),
        "/link": world.form_token(f"{world.base()}/accounts"),
    }
    jar = dict(world.browser.jar)

    @on_every_route
    @given(st.data())
    def request(data: st.DataObject) -> None:
        world.browser.jar = dict(jar)
        path = re.sub(r"\{(\w+)\*?\}", lambda match: _segment(data.draw(mostly(known.get(match[1], "x")))), route.path)
        query = {name: data.draw(texts) for name in data.draw(st.sets(st.sampled_from(PARAMETERS), max_size=3))}
        form = {name: data.draw(texts) for name in data.draw(st.sets(st.sampled_from(FIELDS), max_size=5))}
        token = next((token for start, token in tokens.items() if path.startswith(start)), "")
        form["formToken"] = data.draw(mostly(token))
        headers = {name: data.draw(mostly(usual)) for name, usual in NOT_OURS.items()}
        response = _send(world, route.method, path, query, form, headers)
        if route.path == CODAT_WEBHOOKS_PATH and response.status == 401:
            assert response.body == "", "a program reads the answer: its status says all"
        elif route.path == "/favicon.ico" and response.status == 200:
            assert response.headers["Content-Type"] == "image/svg+xml"
        else:
            _require_page(response)

    request()


@on_every_route
@given(st.data())
def test_nor_does_what_comes_back_from_xero(data: st.DataObject) -> None:
    world, _ = _world()
    world.site.organisations.consented = [ACME, OTHER]
    other = world.add_connection()
    query = {"state": world.start(other), "code": data.draw(mostly("code-2"))}
    query |= {"error": data.draw(mostly("access_denied"))} if data.draw(st.booleans()) else {}
    _require_page(_send(world, "GET", "/oauth/callback", query, {}, NOT_OURS))
    tenant = {"tenantId": data.draw(texts), "formToken": data.draw(texts)}
    _require_page(_send(world, "POST", f"{world.base(other)}/organisation", {}, tenant, NOT_OURS))


@pytest.mark.parametrize(
    "event",
    [
        {"body": "a", "isBase64Encoded": True},
        {"body": "\u00e9", "isBase64Encoded": True},
        {"body": base64.b64encode(b"\xff=%ff").decode(), "isBase64Encoded": True},
        {"body": f"rows={HALF_A_PAIR}", "isBase64Encoded": False},
        {"body": "a=b&" * 600, "isBase64Encoded": False},
        {"body": "rows=" + "9" * 200_000, "isBase64Encoded": False},
        {"body": "rows=" + "9" * 5_000, "isBase64Encoded": False},
        {"rawQueryString": "a=%ff"},
        {"rawQueryString": HALF_A_PAIR},
        {"rawQueryString": "a=" + "x" * 20_000},
        {"rawPath": "/link/company/%ff"},
        {"rawPath": "/link/company/" + "x" * 3_000},
        {"rawPath": f"/link/company/{HALF_A_PAIR}"},
        {"cookies": ["feedlane_link=" + "x" * 20_000]},
        {"cookies": [f"feedlane_link={HALF_A_PAIR}"]},
    ],
    ids=lambda event: repr(event)[:60],
)
def test_what_no_page_accepts_is_a_page_of_its_own(event: dict[str, Any]) -> None:
    world, _ = _world()
    token = world.form_token(f"{world.base()}/accounts")
    if isinstance(event.get("body"), str) and event["body"].startswith("rows="):
        event = event | {"body": f"formToken={token}&{event['body']}"}
    response = world.browser.post(f"{world.base()}/accounts", {}, event=event)
    assert response.status == 400
    assert "<!doctype html>" in response.body


@pytest.mark.parametrize("otp", ["a\nb", "a;Path=/", HALF_A_PAIR.encode("utf-8", "replace").decode() + "\u00e9"])
def test_no_cookie_is_made_of_what_is_no_password(otp: str) -> None:
    world = World(link_passwords=True)
    company_id = world.connection.company_id
    password = link_passwords.issue_company_password(world.store, world.now, new_secret, company_id)
    world.browser.get(f"/link/company/{company_id}?link.otp={password}")
    response = world.browser.get(f"{world.base()}/start?{urlencode({'otp': otp, 'link.otp': otp})}")
    assert response.status == 302
    assert [cookie.split("=")[0] for cookie in response.cookies if "pass" in cookie] == []


@pytest.mark.parametrize("rows", ["-1", "21", "1.5", "x", "9" * 5000, "\u0661"])
def test_a_number_of_rows_that_no_page_sends_is_a_400(rows: str) -> None:
    world, _ = _world()
    url = f"{world.base()}/accounts"
    assert world.browser.post(url, {"formToken": world.form_token(url), "rows": rows}).status == 400


def _send(
    world: World, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: dict[str, str]
) -> PageResponse:
    event = {"rawPath": path, "rawQueryString": _encoded(query), "headers": headers}
    if method == "GET":
        return world.browser.get(path, event=event)
    return world.browser.post(path, {}, event=event | {"body": _encoded(form), "isBase64Encoded": False})


def _require_page(response: PageResponse) -> None:
    assert response.status < 500, response.body
    response.body.encode()
    if response.status >= 300 and response.status < 400:
        response.location.encode()
        assert response.location.isprintable()
    elif "Content-Disposition" not in response.headers:
        assert response.body.startswith("<!doctype html>")
    for cookie in response.cookies:
        assert cookie.isascii()


def _encoded(fields: dict[str, str]) -> str:
    """As a browser encodes a form; text that brings its own escapes, or that has no encoding, is sent as it is."""
    pairs = ((name, _segment(value)) for name, value in fields.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _segment(text: str) -> str:
    try:
        return text if "%" in text else quote(text, safe="")
    except UnicodeEncodeError:
        return text
