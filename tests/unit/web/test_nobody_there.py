"""Who only looks at a link, or loads it in case somebody opens it, changes nothing."""

from __future__ import annotations

import pytest

from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from tests.worlds.web import World

AHEAD = [
    {"sec-purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender"},
    {"purpose": "prefetch"},
    {"x-purpose": "preview"},
    {"x-moz": "prefetch"},
]


def _everything(world: World) -> str:
    """What is stored, sent and asked of the vault."""
    return str((world.table.items, world.queues.follow_ups, world.queues.woken, world.site.vault.exchanged))


def _link_with_password(world: World) -> str:
    issued = link_passwords.issue_connection_passwords(world.store, world.now, new_secret, [world.connection])
    return f"{world.base()}/start?otp={issued[world.connection.id]}"


def test_a_head_of_a_start_answers_as_get_does_and_starts_nothing() -> None:
    world = World(link_passwords=True)
    url = _link_with_password(world)
    before = _everything(world)
    response = world.browser.head(url)
    assert (response.status, response.body, response.cookies) == (302, "", [])
    assert response.location == "https://login.xero.test"
    assert world.browser.head(f"{world.base()}/start?otp=wrong").status == 410
    assert world.browser.head("/link/companies/x/connections/y/start").status == 404
    assert _everything(world) == before
    assert world.browser.get(url).query["state"]


def test_a_head_at_the_limit_reports_nothing() -> None:
    world = World(connection_limit=1)
    world.link()
    other = world.add_connection()
    before = _everything(world)
    assert world.browser.head(f"{world.base(other)}/start").status == 302
    assert _everything(world) == before
    assert world.browser.get(f"{world.base(other)}/start").status == 402
    assert world.event_types == ["connection.connected", "connectionLimit.reached"]


def test_a_head_of_a_callback_leaves_the_consent_to_the_browser() -> None:
    world = World()
    state = world.start()
    before = _everything(world)
    for url, status in (
        (f"/oauth/callback?code=code-1&state={state}", 302),
        (f"/oauth/callback?error=access_denied&state={state}", 302),
        ("/oauth/callback?code=code-1&state=unknown", 400),
    ):
        assert world.browser.head(url).status == status
    assert _everything(world) == before
    assert world.call_back(state).status == 302
    before = _everything(world)
    assert world.browser.head(f"/oauth/callback?code=code-1&state={state}").status == 409
    assert _everything(world) == before


@pytest.mark.parametrize("headers", AHEAD)
def test_what_is_loaded_ahead_is_refused_and_opens_when_it_is_opened(headers: dict[str, str]) -> None:
    world = World(link_passwords=True)
    url = _link_with_password(world)
    before = _everything(world)
    for ahead in (url, "/oauth/callback?code=c&state=s", f"/link/company/{world.connection.company_id}", "/portal"):
        response = world.browser.get(ahead, headers=headers)
        assert (response.status, response.cookies) == (403, [])
        assert response.headers["Cache-Control"] == "no-store"
    assert _everything(world) == before
    assert world.browser.get(url).status == 302


def test_other_purposes_and_no_purpose_are_somebody() -> None:
    world = World()
    assert world.browser.get(f"{world.base()}/start", headers={"purpose": "navigate"}).status == 302
