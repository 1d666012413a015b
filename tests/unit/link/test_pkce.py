"""PKCE beside the app's secret: the browser carries the challenge, the verifier stays here with the state."""

from __future__ import annotations

import base64
import hashlib

import pytest

from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from tests.fakes.browser import Browser
from tests.fakes.consent import ACME, OTHER
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    """With the default settings, in which PKCE is on."""
    return World()


def test_the_code_is_exchanged_with_the_verifier_of_the_challenge(world: World) -> None:
    response = world.browser.get(f"{world.base()}/start")
    assert response.query["code_challenge_method"] == "S256"
    world.call_back(response.query["state"])
    [verifier] = world.site.vault.verifiers
    assert verifier is not None
    assert 43 <= len(verifier) <= 128
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert response.query["code_challenge"] == digest


def test_the_browser_never_sees_the_verifier_and_it_is_forgotten_once_used(world: World) -> None:
    response = world.browser.get(f"{world.base()}/start")
    key = (f"STATE#{fingerprint(response.query['state'])}", "STATE")
    stored = world.table.items[key]["verifier"]
    assert stored
    assert stored not in response.location + str(response.cookies) + str(world.browser.jar)
    world.call_back(response.query["state"])
    assert world.site.vault.verifiers == [stored]
    assert stored not in str(world.table.items)


def test_every_start_has_its_own(world: World) -> None:
    challenges = {world.browser.get(f"{world.base()}/start").query["code_challenge"] for _ in range(3)}
    assert len(challenges) == 3


def test_a_start_keeps_its_verifier_when_the_setting_changes_on_the_way(world: World) -> None:
    state = world.start()
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(pkce=False)))
    world.call_back(state)
    assert world.site.vault.verifiers[0]


def test_without_the_setting_there_is_none() -> None:
    world = World(pkce=False)
    assert "code_challenge" not in world.browser.get(f"{world.base()}/start").query
    world.link()
    assert world.site.vault.verifiers == [None]


@pytest.mark.parametrize("pkce", [True, False])
def test_the_code_of_another_customer_brings_nothing_of_theirs(pkce: bool) -> None:
    world = World(pkce=pkce)
    world.site.organisations.consented = [ACME, OTHER]
    world.call_back(world.start(world.connection), "code-1")
    mine, browser = world.add_connection(), Browser(world.site)
    response = world.call_back(world.start(mine, browser=browser), "code-1", browser=browser)
    assert response.status == 400
    assert ACME.name not in browser.get(f"{world.base(mine)}/organisation").body
    assert not world.current(mine).is_linked
