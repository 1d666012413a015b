"""Codat's keys on the settings page: checked at Save, shown by their endings, and never on the page or in the table."""

from __future__ import annotations

import pytest

from feedlane.settings import items as settings_items
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds import vault
from tests.worlds.web import World

KEY, NEW_KEY = "canary-codat-key-one", "canary-codat-key-two"
SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"


@pytest.fixture
def world() -> World:
    return signed_in()


@pytest.fixture
def keys(world: World) -> vault.World:
    """The vault itself, over memory."""
    kept = vault.World()
    world.site.vault = kept.vault()
    return kept


def save(world: World, **fields: str) -> PageResponse:
    token = world.form_token("/portal/settings")
    return world.browser.post("/portal/settings/codat", {"formToken": token, **fields})


def drop(world: World, which: str) -> PageResponse:
    token = world.form_token("/portal/settings")
    return world.browser.post("/portal/settings/codat/secret", {"formToken": token, "which": which})


def test_keys_and_the_secret_are_saved_rotated_and_removed(world: World, keys: vault.World) -> None:
    assert save(world, codat_key=KEY, codat_webhook_secret=SIGNING).query == {"saved": "yes"}
    keys.advance(seconds=1)
    save(world, codat_key=NEW_KEY)
    save(world)
    facts = settings_items.settings(world.store).codat
    assert (facts.ending, facts.second_ending, facts.webhook_ending) == ("-two", "-one", "FhcY")
    body = world.browser.get("/portal/settings/codat").body
    for shown in ("xxxxxxxxxxxx-two", "xxxxxxxxxxxx-one", "xxxxxxxxxxxxFhcY"):
        assert shown in body
    assert "canary" not in body + str(world.table.items)
    assert SIGNING not in body + str(world.table.items)
    assert drop(world, "first").query == {"saved": "dropped"}
    facts = settings_items.settings(world.store).codat
    assert (facts.ending, facts.second_ending) == ("-one", "")
    assert "Remove the second" not in world.browser.get("/portal/settings/codat").body
    assert drop(world, "second").status == 422


def test_a_key_that_codat_rejects_is_named_and_not_quoted(world: World, keys: vault.World) -> None:
    keys.codat_answers[KEY] = False
    page = save(world, codat_key=KEY)
    assert page.status == 422
    assert "Codat’s API key: " in page.body
    assert KEY not in page.body
    assert settings_items.settings(world.store).codat.ending == ""


def test_a_secret_that_is_none_is_named(world: World, keys: vault.World) -> None:
    page = save(world, codat_webhook_secret="whsec_not base64")
    assert (page.status, "Codat’s webhook secret " in page.body) == (422, True)


def test_a_key_that_could_not_be_checked_is_saved_with_a_word_about_that(world: World, keys: vault.World) -> None:
    keys.codat_answers[KEY] = None
    response = save(world, codat_key=KEY)
    assert response.query == {"saved": "unchecked"}
    assert "Codat could not be reached" in world.browser.get("/portal/settings/codat?saved=unchecked").body
    assert settings_items.settings(world.store).codat.ending == "-one"
