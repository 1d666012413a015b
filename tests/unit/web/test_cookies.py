"""Cookies belong to this host alone, and one browser can have several connections and flows at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from feedlane.web.cookies import LINK_COOKIES_MAX, Cookie, link_cookie_name, surplus_cookies
from feedlane.web.request import Request
from tests.fakes.browser import Browser
from tests.fakes.consent import ACME, OTHER
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    return World(link_passwords=True)


def _every_cookie(world: World) -> list[str]:
    """Of a link with both passwords, the way to Xero and back, and the portal."""
    company_id = world.connection.company_id
    company = link_passwords.issue_company_password(world.store, world.now, new_secret, company_id)
    issued = link_passwords.issue_connection_passwords(world.store, world.now, new_secret, [world.connection])
    start = world.browser.get(f"{world.base()}/start?otp={issued[world.connection.id]}&link.otp={company}")
    responses = [
        start,
        world.call_back(start.query["state"]),
        world.browser.post("/portal/sign-in", {"key": API_KEY}),
    ]
    return [cookie for response in responses for cookie in response.cookies]


def test_over_https_every_cookie_is_for_this_host_alone(world: World) -> None:
    cookies = _every_cookie(world)
    assert len(cookies) == 5
    for cookie in cookies:
        assert cookie.startswith("__Host-feedlane_")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "domain" not in cookie.lower()


def test_over_https_a_cookie_without_the_prefix_counts_for_nothing(world: World) -> None:
    """A neighbouring subdomain, or plain http, can set one."""
    _every_cookie(world)
    planted = {(name.removeprefix("__Host-"), path): value for (name, path), value in world.browser.jar.items()}
    world.browser.jar = planted
    assert world.browser.get(f"{world.base()}/finish").status == 401
    assert world.browser.get("/portal").path == "/portal/sign-in"


def test_http_on_this_machine_gets_cookies_that_work_there(world: World) -> None:
    world.site.ports = replace(world.site.ports, public_url="http://localhost:8080")
    for cookie in _every_cookie(world):
        assert cookie.startswith("feedlane_")
        assert "Secure" not in cookie
    assert world.browser.get(f"{world.base()}/finish").status == 200
    response = world.browser.get("/portal")
    assert response.status == 200
    assert "Strict-Transport-Security" not in response.headers


def test_one_browser_has_a_session_of_each_connection_it_has_linked() -> None:
    world = World()
    first, second = world.connection, world.add_connection()
    world.site.organisations.consented = [ACME]
    world.link(first)
    world.site.organisations.consented = [OTHER]
    world.link(second, "code-2")
    for connection in (first, second):
        assert world.browser.get(f"{world.base(connection)}/finish").status == 200
        assert world.browser.get(f"{world.base(connection)}/start").path == f"{world.base(connection)}/accounts"
    assert Browser(world.site).get(f"{world.base(first)}/finish").status == 401


def test_cookies_stay_few_and_the_newest_stay() -> None:
    """Each page is sent all of them, and a gateway refuses more than 10,240 bytes of headers."""
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    states = [world.start(world.add_connection()) for _ in range(LINK_COOKIES_MAX + 10)]
    assert len(world.browser.jar) == LINK_COOKIES_MAX + 1
    assert sum(len(name) + len(value) + 3 for (name, _), value in world.browser.jar.items()) < 4_000
    assert world.call_back(states[-1]).status == 302
    assert world.call_back(states[0]).status == 403
    assert world.browser.get("/portal").status == 200


def test_planted_cookies_without_the_prefix_push_out_none_of_ours() -> None:
    """A neighbouring subdomain plants so many that ours would be too many, were they counted."""
    ours = {f"__Host-feedlane_link_{number:012d}": "session" for number in range(5)}
    planted = {f"feedlane_z{number}": "x" for number in range(LINK_COOKIES_MAX + 10)}
    request = Request(method="GET", path="/", base_url="https://feeds.example", cookies=ours | planted)
    assert surplus_cookies(request, (Cookie("feedlane_flow_new", "value", timedelta(minutes=10)),)) == []


def test_an_id_is_not_in_a_cookies_name(world: World) -> None:
    assert world.connection.id not in link_cookie_name(world.connection.id)
