"""Secrets Manager may show a version late: one that is named exists, and nothing is decided or written without it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from feedlane.credentials.vault import SecretSlot
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.vault.token_sets import SHOWN_WITHIN
from feedlane.webhooks.cache import ExpiringCache
from feedlane.webhooks.consumer import Consumer
from tests.builders import NOW
from tests.fakes.secrets import after_looks
from tests.worlds.vault import CLIENT_ID, NEW_SECRET, REDIRECT, SECRET, World, refused

# More looks than one call takes.
LONG = 20


@pytest.fixture
def world() -> World:
    world = World()
    world.server.secrets = [SECRET, NEW_SECRET]
    return world


def hide_new_versions(world: World, looks: int = LONG) -> None:
    world.secrets.client.lag = lambda: after_looks(looks)


def show_all(world: World) -> None:
    """Time has passed: every version is shown."""
    for versions in world.secrets.client.versions.values():
        for version in versions:
            version.is_shown = after_looks(0)


# webhook secrets


def test_a_change_of_one_consumer_wipes_no_other_whose_secret_is_not_shown_yet(world: World) -> None:
    hide_new_versions(world)
    first = world.vault().create_webhook_secret("one")
    elsewhere = world.vault()
    with pytest.raises(Unavailable):
        elsewhere.create_webhook_secret("two")
    with pytest.raises(Unavailable):
        elsewhere.set_webhook_headers("two", {"X-Key": "1"})
    with pytest.raises(Unavailable):
        elsewhere.delete_webhook_secret("two")
    show_all(world)
    second = elsewhere.create_webhook_secret("two")
    show_all(world)
    assert (elsewhere.webhook_secrets("one"), elsewhere.webhook_secrets("two")) == ([first], [second])


def test_a_secret_that_is_not_shown_yet_is_not_none_and_is_not_remembered(world: World) -> None:
    hide_new_versions(world)
    secret = world.vault().create_webhook_secret("one")
    elsewhere = world.vault()
    cache = ExpiringCache(elsewhere.webhook_secrets, world.clock)
    headers = ExpiringCache(elsewhere.webhook_headers, world.clock)
    consumer = Consumer(id="one", url="https://x", created=NOW)
    for get in (cache.get, headers.get):
        with pytest.raises(Unavailable):
            get(consumer)
    show_all(world)
    assert cache.get(consumer) == [secret]


def test_after_a_rotation_nobody_signs_with_the_former_secret_alone(world: World) -> None:
    world.vault().create_webhook_secret("one")
    elsewhere = world.vault()
    former = elsewhere.webhook_secrets("one")
    hide_new_versions(world)
    rotated = world.vault().create_webhook_secret("one")
    with pytest.raises(Unavailable):
        elsewhere.webhook_secrets("one")
    show_all(world)
    assert elsewhere.webhook_secrets("one") == [rotated, *former]


# token sets


def test_a_customer_who_has_just_consented_is_not_asked_to_reconnect(world: World) -> None:
    hide_new_versions(world)
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    show_all(world)
    grant = world.vault().exchange_code("code-1", REDIRECT)
    with pytest.raises(Unavailable) as raised:
        world.vault().access_token(grant.token_set_id)
    assert raised.value.retry_after
    show_all(world)
    assert world.vault().access_token(grant.token_set_id).value == grant.access_token


def test_a_refresh_never_starts_from_the_pair_before_the_valid_one(world: World) -> None:
    """Xero honours it for 30 minutes only; after that, it would end the connection."""
    token_set = world.connect()
    world.advance(minutes=31)
    hide_new_versions(world)
    world.vault().access_token(token_set)
    refreshes = world.server.refreshes
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    assert world.server.refreshes == refreshes


def test_whatever_is_not_shown_however_long_no_customer_is_asked_to_reconnect(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    hide_new_versions(world, 1_000_000)
    world.vault().access_token(token_set)
    for _ in range(24):
        world.advance(minutes=10)
        with suppress(Unavailable):
            world.vault().access_token(token_set)
    show_all(world)
    assert world.vault().access_token(token_set).value


def test_a_version_that_the_store_has_removed_is_replaced_by_the_last_one(world: World) -> None:
    """Two holders have died after their writes: the valid version has lost its labels, and the store may remove it."""
    token_set = world.connect()
    [valid] = world.secrets.client.versions[f"memory/token-sets/{token_set}"]
    world.secrets.write(f"token-sets/{token_set}", valid.text)
    world.secrets.client.versions[f"memory/token-sets/{token_set}"].remove(valid)
    show_all(world)
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    world.advance(seconds=SHOWN_WITHIN / timedelta(seconds=1))
    assert world.vault().access_token(token_set).value.endswith("canary-access-1")


def test_one_off_access_never_writes_over_a_lasting_one_that_is_not_shown_yet(world: World) -> None:
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    hide_new_versions(world, 5 * LONG)  # storing a grant is tried five times
    lasting = world.vault().exchange_code("code-1", REDIRECT)
    world.server.scope = "openid bankfeeds"
    with pytest.raises(Unavailable):
        world.vault().exchange_code("code-2", REDIRECT)
    show_all(world)
    world.advance(minutes=31)
    assert world.vault().access_token(lasting.token_set_id).value


def test_a_grant_that_is_not_shown_yet_is_not_forgotten_instead_of_revoked(world: World) -> None:
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    hide_new_versions(world)
    grant = world.vault().exchange_code("code-1", REDIRECT)
    with pytest.raises(Unavailable):
        world.vault().revoke(grant.token_set_id)
    show_all(world)
    world.vault().revoke(grant.token_set_id)
    with pytest.raises(ReconnectionNeeded):
        world.vault().access_token(grant.token_set_id)


# the app's keys


def test_keys_that_are_not_shown_yet_are_neither_missing_nor_the_former_ones(world: World) -> None:
    hide_new_versions(world)
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    for ask in (lambda: world.vault().exchange_code("code-1", REDIRECT), world.vault().app_keys):
        with pytest.raises(Unavailable):
            ask()
    show_all(world)
    world.vault().save_app_keys(CLIENT_ID, NEW_SECRET)
    world.server.secrets = [NEW_SECRET]
    with pytest.raises(Unavailable):
        world.vault().exchange_code("code-1", REDIRECT)
    show_all(world)
    assert world.vault().exchange_code("code-1", REDIRECT).token_set_id


def test_no_change_of_the_keys_starts_from_keys_that_were_replaced(world: World) -> None:
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    show_all(world)
    hide_new_versions(world)
    world.vault().add_app_secret(NEW_SECRET)
    for change in (
        lambda: world.vault().save_app_keys(CLIENT_ID, NEW_SECRET),
        lambda: world.vault().add_app_secret(NEW_SECRET),
        lambda: world.vault().drop_app_secret(SecretSlot.SECOND),
    ):
        with pytest.raises(Unavailable):
            change()
    show_all(world)
    assert world.vault().app_keys().endings == (SECRET[-4:], NEW_SECRET[-4:])


def test_keys_that_the_former_version_stored_are_used_until_the_first_change(world: World) -> None:
    world.secrets.write("app-keys", f'{{"client_id": "{CLIENT_ID}", "client_secret": "{SECRET}"}}')
    show_all(world)
    assert world.vault().exchange_code("code-1", REDIRECT).token_set_id
    world.vault().add_app_secret(NEW_SECRET)
    assert world.vault().app_keys().endings == (SECRET[-4:], NEW_SECRET[-4:])


def test_a_short_lag_is_waited_for(world: World) -> None:
    hide_new_versions(world, 3)
    token_set = world.connect()
    assert world.vault().access_token(token_set).value
    secret = world.vault().create_webhook_secret("one")
    assert world.vault().webhook_secrets("one") == [secret]


def test_an_ended_grant_still_ends_the_connection(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.before = lambda _: refused("invalid_grant")
    with pytest.raises(ReconnectionNeeded):
        world.vault().access_token(token_set)
