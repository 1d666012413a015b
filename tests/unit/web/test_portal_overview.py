"""The overview before anything has happened: it leads on, and shows no figures that cannot be anything but zero."""

from __future__ import annotations

import re

import pytest

from feedlane.companies import companies
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from tests.unit.web.portal import signed_in
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    """Its own company is counted nowhere."""
    return signed_in()


def _set(world: World, settings: Settings) -> None:
    before = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(version=before.version)))


def test_of_a_new_deployment_it_is_the_next_step_of_the_set_up(world: World) -> None:
    """It was five zeros and an empty chart, and said twice that the set-up is not finished."""
    _set(world, Settings())
    body = world.browser.get("/portal").body
    assert 'href="/portal/set-up/app#step-app">Next: Create the app</a>' in body
    assert re.search(r"Go on with the set-up: 1 of 7 done", body)
    assert not re.search("Transactions waiting|What needs you|Latest", body)


def test_once_it_is_enabled_it_is_the_first_company(world: World) -> None:
    _set(world, Settings(enabled=True))
    body = world.browser.get("/portal").body
    assert "Add your first company" in body
    assert 'class="button main" href="/portal/companies/new"' in body
    assert "Transactions waiting" in body


def test_with_companies_it_has_neither(world: World) -> None:
    companies.create(world.site.ports, world.site.clock(), "Harbour Bakery", None, None)
    body = world.browser.get("/portal").body
    assert not re.search("Add your first company|with the set-up:", body)


@pytest.mark.parametrize(
    ("login", "developer", "is_simulator"),
    [
        ("https://login.xero.com/identity", "https://developer.xero.com/app/manage", False),
        ("http://localhost:8490/identity", "http://localhost:8490/", True),
        ("https://xero.com.example/x", "https://xero.com.example/", True),
    ],
)
def test_the_guide_leads_to_xero_developer_or_to_what_plays_it(
    world: World, monkeypatch: pytest.MonkeyPatch, login: str, developer: str, is_simulator: bool
) -> None:
    monkeypatch.setattr(type(world.site), "login_url", login)
    body = world.browser.get("/portal/set-up").body
    assert f'<a href="{developer}" target="_blank"' in body
    assert ("works with a Xero simulator" in body) is is_simulator
    assert f'href="{developer}"' in world.browser.get("/portal/settings").body
