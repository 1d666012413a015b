"""Signing secrets: one secret in the store for all consumers, and no change lost."""

from __future__ import annotations

import base64

import pytest

from tests.unit.vault.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_secret_has_the_standard_form_and_32_random_bytes(world: World) -> None:
    made = world.vault().create_webhook_secret("one")
    assert made.startswith("whsec_")
    assert len(base64.b64decode(made.removeprefix("whsec_"), validate=True)) == 32


def test_the_newest_signs_first_and_only_the_one_before_it_goes_on(world: World) -> None:
    vault = world.vault()
    first, second, third = (vault.create_webhook_secret("one") for _ in range(3))
    assert first != second
    assert world.vault().webhook_secrets("one") == [third, second]


def test_a_consumer_made_while_another_is_being_made_keeps_its_secret(world: World) -> None:
    made: list[str] = []

    def another_is_first(_: str) -> None:
        world.secrets.on_write = None
        made.append(world.vault().create_webhook_secret("two"))

    world.secrets.on_write = another_is_first
    one = world.vault().create_webhook_secret("one")
    assert world.vault().webhook_secrets("one") == [one]
    assert world.vault().webhook_secrets("two") == made


def test_a_change_made_elsewhere_is_seen_at_once(world: World) -> None:
    here, elsewhere = world.vault(), world.vault()
    assert here.webhook_secrets("one") == []
    made = elsewhere.create_webhook_secret("one")
    assert here.webhook_secrets("one") == [made]


def test_deleting_one_consumers_secrets_leaves_the_others(world: World) -> None:
    vault = world.vault()
    vault.create_webhook_secret("one")
    kept = vault.create_webhook_secret("two")
    vault.delete_webhook_secret("one")
    vault.delete_webhook_secret("never there")
    assert vault.webhook_secrets("one") == []
    assert vault.webhook_secrets("two") == [kept]
