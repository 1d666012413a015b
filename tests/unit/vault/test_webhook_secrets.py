"""Signing secrets: one secret in the store holds those of all consumers, and no change is lost."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from feedlane.errors import Invalid
from feedlane.vault.webhook_secrets import NAME, SECRETS_PER_CONSUMER_MAX
from tests.worlds.vault import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_secret_has_the_standard_form_and_32_random_bytes(world: World) -> None:
    secret = world.vault().create_webhook_secret("one")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_a_rotated_secret_signs_beside_the_new_one_for_24_hours_and_no_longer(world: World) -> None:
    vault = world.vault()
    first = vault.create_webhook_secret("one")
    world.now += timedelta(days=30)
    second = vault.create_webhook_secret("one")
    assert first != second
    assert world.vault().webhook_secrets("one") == [second, first]
    world.now += timedelta(hours=24) - timedelta(milliseconds=1)
    assert world.vault().webhook_secrets("one") == [second, first]
    world.now += timedelta(milliseconds=1)
    assert vault.webhook_secrets("one") == world.vault().webhook_secrets("one") == [second]


def test_each_of_several_rotations_gives_the_secret_before_it_its_24_hours(world: World) -> None:
    vault = world.vault()
    first = vault.create_webhook_secret("one")
    second = vault.create_webhook_secret("one")
    world.now += timedelta(hours=12)
    third = vault.create_webhook_secret("one")
    assert vault.webhook_secrets("one") == [third, second, first]
    world.now += timedelta(hours=12)
    assert vault.webhook_secrets("one") == [third, second]
    world.now += timedelta(hours=12)
    assert vault.webhook_secrets("one") == [third]


def test_a_secret_that_is_past_its_time_is_forgotten_at_the_next_change(world: World) -> None:
    vault = world.vault()
    first = vault.create_webhook_secret("one")
    vault.create_webhook_secret("one")
    world.now += timedelta(days=2)
    vault.create_webhook_secret("one")
    stored = world.secrets.stored(NAME)
    assert stored is not None
    assert first not in stored.text


def test_a_fifth_rotation_within_a_day_is_refused_until_there_is_room(world: World) -> None:
    vault = world.vault()
    secrets = [vault.create_webhook_secret("one") for _ in range(SECRETS_PER_CONSUMER_MAX)]
    with pytest.raises(Invalid) as refused:
        vault.create_webhook_secret("one")
    assert refused.value.findings[0].item_id == "secret"
    assert vault.webhook_secrets("one") == secrets[::-1], "the refused rotation changed the secrets"
    world.now += timedelta(hours=24)
    assert vault.create_webhook_secret("one")


def test_headers_are_kept_beside_the_secret_and_go_with_it(world: World) -> None:
    vault = world.vault()
    first = vault.create_webhook_secret("one")
    vault.set_webhook_headers("one", {"Authorization": "Bearer canary"})
    rotated = vault.create_webhook_secret("one")
    assert world.vault().webhook_headers("one") == {"Authorization": "Bearer canary"}
    assert world.vault().webhook_secrets("one") == [rotated, first]
    assert "canary" not in str(world.table.items)
    vault.set_webhook_headers("one", {})
    assert vault.webhook_headers("one") == {}
    vault.delete_webhook_secret("one")
    assert vault.webhook_headers("one") == {}


def test_headers_that_do_not_fit_into_the_secret_are_refused_and_change_nothing(world: World) -> None:
    vault = world.vault()
    for number in range(31):
        vault.set_webhook_headers(str(number), {"X-Key": "x" * 1995})
    with pytest.raises(Invalid) as refused:
        vault.set_webhook_headers("one too many", {"X-Key": "x" * 1995})
    assert refused.value.findings[0].item_id == "headers"
    assert vault.webhook_headers("one too many") == {}


def test_a_consumer_made_while_another_is_being_made_keeps_its_secret(world: World) -> None:
    others: list[str] = []

    def another_is_first(_: str) -> None:
        world.secrets.on_write = None
        others.append(world.vault().create_webhook_secret("two"))

    world.secrets.on_write = another_is_first
    secret = world.vault().create_webhook_secret("one")
    assert world.vault().webhook_secrets("one") == [secret]
    assert world.vault().webhook_secrets("two") == others


def test_a_change_made_elsewhere_is_seen_at_once(world: World) -> None:
    here, elsewhere = world.vault(), world.vault()
    assert here.webhook_secrets("one") == []
    secret = elsewhere.create_webhook_secret("one")
    assert here.webhook_secrets("one") == [secret]


def test_deleting_one_consumers_secrets_leaves_the_others(world: World) -> None:
    vault = world.vault()
    vault.create_webhook_secret("one")
    kept = vault.create_webhook_secret("two")
    vault.delete_webhook_secret("one")
    vault.delete_webhook_secret("never there")
    assert vault.webhook_secrets("one") == []
    assert vault.webhook_secrets("two") == [kept]
