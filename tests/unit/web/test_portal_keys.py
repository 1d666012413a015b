"""The portal's settings page while someone else changes the app's keys."""

from __future__ import annotations

import re

import pytest

from feedlane.credentials.vault import KeysCheck
from feedlane.settings import items as settings_items
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


def _form(world: World, **entered: str) -> dict[str, str]:
    body = world.browser.get("/portal/settings").body
    [version] = re.findall(r'name="keys_version" value="(\d+)"', body)
    return {"formToken": world.form_token("/portal/settings"), "keys_version": version, "enabled": "yes"} | entered


@pytest.mark.parametrize("field", ["client_secret", "second_secret"])
def test_a_secret_alone_is_not_saved_for_an_app_that_the_page_has_not_shown(world: World, field: str) -> None:
    form = _form(world, **{field: "a-secret-of-app-1"})
    world.store.commit(
        settings_items.put_settings(settings_items.settings(world.store).but(client_id="app-2", keys_version=7))
    )
    response = world.browser.post("/portal/settings/app", form)
    assert response.status == 422
    assert "someone else has just changed the keys" in response.body
    assert (world.site.vault.keys, world.site.vault.second) == ([], "")
    assert world.browser.post("/portal/settings/app", _form(world, **{field: "a-secret-of-app-2"})).status == 303


def test_an_id_with_its_secret_is_saved_whatever_there_was(world: World) -> None:
    form = _form(world, client_id="app-3", client_secret="a-secret-of-app-3")
    world.store.commit(
        settings_items.put_settings(settings_items.settings(world.store).but(client_id="app-2", keys_version=7))
    )
    world.site.vault.check = KeysCheck(ok=True, version=8)
    assert world.browser.post("/portal/settings/app", form).status == 303
    assert settings_items.settings(world.store).client_id == "app-3"
