"""The operator's pages: who may sign in, and how holds, companies and connections are shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from feedlane.holds import items as hold_items
from feedlane.ids import fingerprint
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.wrong_keys import WRONG_KEYS_MAX
from feedlane.statements import items as statement_items
from feedlane.statements.statement import Doubt, StatementRecord
from tests import builders
from tests.builders import URL
from tests.fakes.browser import Browser
from tests.fakes.upstream import NO_FEEDS
from tests.unit.web.held import add_feed
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World

HOLD = builders.hold(Scope.TENANT, "tenant-acme", reason="organisation-without-bank-feeds", problem=NO_FEEDS.problem)


@pytest.fixture
def world() -> World:
    return signed_in()


def test_an_api_key_opens_the_portal_for_eight_hours() -> None:
    world = World()
    assert world.browser.get("/portal").path == "/portal/sign-in"
    response = world.browser.post("/portal/sign-in", {"key": API_KEY})
    assert response.path == "/portal"
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=28800"} <= set(response.cookies[0].split("; "))
    assert world.browser.get("/portal").status == 200
    world.now += timedelta(hours=8)
    assert world.browser.get("/portal").path == "/portal/sign-in"


@pytest.mark.parametrize("key", ["", "wrong", "fl_unit-test-key2"])
def test_another_key_does_not_open_it(key: str) -> None:
    response = World().browser.post("/portal/sign-in", {"key": key})
    assert response.status == 401
    assert response.cookies == []
    assert 'role="alert"' in response.body


def test_deleting_the_key_ends_its_sessions(world: World) -> None:
    key = settings_items.api_key(world.store, fingerprint(API_KEY))
    assert key is not None
    world.store.commit(settings_items.remove_api_key(key))
    assert world.browser.get("/portal").path == "/portal/sign-in"


def test_signing_out_ends_the_session(world: World) -> None:
    jar = dict(world.browser.jar)
    world.browser.post("/portal/sign-out", {"formToken": world.form_token("/portal")})
    world.browser.jar = jar
    assert world.browser.get("/portal").path == "/portal/sign-in"


def test_a_link_session_does_not_open_the_portal(world: World) -> None:
    world.link()
    [value] = [value for (name, _), value in world.browser.jar.items() if "feedlane_link" in name]
    stranger = Browser(world.site)
    stranger.jar["__Host-feedlane_portal", "/"] = value
    assert stranger.get("/portal").path == "/portal/sign-in"


def test_a_release_without_the_form_token_releases_nothing(world: World) -> None:
    world.store.commit(*hold_items.add_hold(HOLD))
    assert world.browser.post("/portal/holds/hold-1/release", {}).status == 403
    assert hold_items.holds(world.store) == [HOLD]


def test_a_company_shows_its_link_and_its_accounts(world: World) -> None:
    world.add_account()
    body = world.browser.get(f"/portal/companies/{world.connection.company_id}").body
    assert f"{URL}{world.base()}/start" in body
    assert '<bdi class="name">Main account</bdi></a> – 1234' in body


@pytest.mark.parametrize(
    ("holes", "shown"), [(1, "1 refused push is missing"), (2, "2 refused pushes are missing"), (0, None)]
)
def test_a_company_shows_the_refused_pushes_that_its_feeds_lack(world: World, holes: int, shown: str | None) -> None:
    add_feed(world, holes=holes)
    body = world.browser.get(f"/portal/companies/{world.connection.company_id}").body
    assert (shown in body) if shown else ("refused push" not in body)


def test_a_statement_in_doubt_is_shown_with_its_account(world: World) -> None:
    feed = add_feed(world, recorded_through=2, statements=7)
    sent = StatementRecord(feed_id=feed.id, number=7, first=1, last=2, created=world.now)
    world.store.commit(*statement_items.add_statement(sent, b"{}"))
    page = f"/portal/companies/{world.connection.company_id}"
    assert "in doubt" not in world.browser.get(page).body
    told = sent.but(version=1, stuck=True, doubt=Doubt.DUPLICATE)
    world.store.commit(statement_items.put_statement(told))
    assert "statement 7 in doubt" in world.browser.get(page).body


def test_a_company_shows_all_its_connections(world: World) -> None:
    for _ in range(30):
        world.add_connection(world.connection.company_id)
    path = f"/portal/companies/{world.connection.company_id}"
    body = world.browser.get(path).body
    others = re.findall(r'href="(/portal/companies/[^"]+\?connection=[^"]+)"', body)
    assert (body.count('id="connection-'), len(others)) == (5, 26)
    assert world.browser.get(others[-1]).body.count('id="connection-') == 1


def test_after_many_wrong_keys_an_address_waits_a_minute_and_no_other_does() -> None:
    world = World()
    here = {"event": {"requestContext": gateway_context("203.0.113.9")}}
    for _ in range(WRONG_KEYS_MAX):
        assert world.browser.post("/portal/sign-in", {"key": "fl_wrong"}, **here).status == 401
    response = world.browser.post("/portal/sign-in", {"key": "fl_wrong"}, **here)
    assert (response.status, response.headers["Retry-After"], response.cookies) == (429, "60", [])
    assert "try again later" in response.body
    assert world.browser.post("/portal/sign-in", {"key": "fl_wrong"}).status == 401
    assert world.browser.post("/portal/sign-in", {"key": API_KEY}, **here).status == 303, "a right key never waits"
    world.advance(minutes=1)
    assert world.browser.post("/portal/sign-in", {"key": "fl_wrong"}, **here).status == 401


def gateway_context(address: str) -> dict[str, Any]:
    http = {"method": "POST", "path": "/portal/sign-in", "sourceIp": address}
    return {"domainName": "gateway.example", "stage": "$default", "http": http}
