"""Codat's API keys and the secret of its webhooks over the API: checked, masked, and never quoted."""

from __future__ import annotations

import pytest

from feedlane.settings import items as settings_items
from tests.unit.api.conftest import Call
from tests.worlds import vault
from tests.worlds.api import World

CREDENTIALS, SETTINGS = "/integrations/gbol/credentials", "/integrations/gbol/settings"
KEY, NEW_KEY = "canary-codat-key-one", "canary-codat-key-two"
SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"


@pytest.fixture
def keys(world: World) -> vault.World:
    """The vault itself, over memory."""
    kept = vault.World()
    world.vault = kept.vault()
    return kept


def test_keys_are_saved_rotated_and_dropped(call: Call, keys: vault.World) -> None:
    saved = call("PUT", f"{CREDENTIALS}/codatKey", {"apiKey": KEY})
    assert saved.status == 200
    assert (saved.body["codatKey"], saved.body["codatKeyChecked"]) == ("xxxxxxxxxxxx-one", True)
    keys.advance(seconds=1)
    both = call("PUT", f"{CREDENTIALS}/codatKey", {"apiKey": NEW_KEY}).body
    assert (both["codatKey"], both["secondCodatKey"]) == ("xxxxxxxxxxxx-two", "xxxxxxxxxxxx-one")
    left = call("DELETE", f"{CREDENTIALS}/secondCodatKey").body
    assert (left["codatKey"], left["secondCodatKey"]) == ("xxxxxxxxxxxx-two", None)
    assert call("DELETE", f"{CREDENTIALS}/firstCodatKey").invalid_fields == ["apiKey"]
    shown = call("GET", SETTINGS).body
    assert (shown["codatKey"], shown["codatWebhookSecret"]) == ("xxxxxxxxxxxx-two", None)


def test_a_rejected_key_is_refused_and_not_quoted(
    call: Call, keys: vault.World, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.codat_answers[KEY] = False
    refused = call("PUT", f"{CREDENTIALS}/codatKey", {"apiKey": KEY})
    assert (refused.status, refused.invalid_fields) == (400, ["apiKey"])
    assert KEY not in str(refused.body)
    assert KEY not in "".join(capsys.readouterr())


def test_the_secret_of_webhooks_is_shown_by_its_ending(call: Call, keys: vault.World) -> None:
    saved = call("PUT", f"{CREDENTIALS}/codatWebhookSecret", {"webhookSecret": SIGNING})
    assert saved.body["codatWebhookSecret"] == "xxxxxxxxxxxxFhcY"
    refused = call("PUT", f"{CREDENTIALS}/codatWebhookSecret", {"webhookSecret": "whsec_not base64"})
    assert (refused.status, refused.invalid_fields) == (400, ["webhookSecret"])


def test_codats_key_alone_is_enough_to_enable_the_integration(call: Call, world: World, keys: vault.World) -> None:
    stored = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(stored.but(enabled=False, client_id="")))
    assert call("PUT", SETTINGS, {"enabled": True}).invalid_fields == ["enabled"]
    call("PUT", f"{CREDENTIALS}/codatKey", {"apiKey": KEY})
    assert call("PUT", SETTINGS, {"enabled": True}).body["enabled"] is True
