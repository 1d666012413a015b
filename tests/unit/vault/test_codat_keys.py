"""Codat's API keys: checked before they are stored, shown by their endings, and replaced without an outage."""

from __future__ import annotations

import pytest

from feedlane.credentials.vault import CODAT_KEY_NOT_SET, CodatKey, SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from feedlane.ids import fingerprint
from tests.worlds.vault import World

KEY, NEW_KEY, THIRD_KEY = "canary-codat-key-one", "canary-codat-key-two", "canary-codat-key-three"
SIGNING, NEW_SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcZ"


@pytest.fixture
def world() -> World:
    return World()


def test_a_key_that_codat_accepts_is_kept_and_described_by_its_last_four_characters(world: World) -> None:
    check = world.vault().save_codat_key(KEY)
    assert (check.ok, check.endings, check.message) == (True, ("-one",), "")
    assert world.vault().codat_key().value == KEY
    assert KEY not in f"{world.vault().codat_keys()!r} {world.vault().codat_key()!r} {CodatKey(value=KEY)}"


def test_a_key_that_codat_rejects_is_not_kept(world: World) -> None:
    world.vault().save_codat_key(KEY)
    world.codat_answers[NEW_KEY] = False
    check = world.vault().save_codat_key(NEW_KEY)
    assert (check.ok, "the key itself" in check.message, NEW_KEY in check.message) == (False, True, False)
    assert world.vault().codat_keys().endings == ("-one",)


def test_a_key_is_kept_unchecked_while_codat_does_not_answer(world: World) -> None:
    world.codat_answers[KEY] = None
    check = world.vault().save_codat_key(KEY)
    assert (check.ok, check.endings) == (None, ("-one",))
    assert check.message
    assert world.vault().codat_keys().ok is None
    world.codat_answers.clear()
    assert world.vault().codat_keys(check=True).ok is True


@pytest.mark.parametrize(
    "key", ["", "short", "Basic Y29kYXQta2V5", "key-with-a-line-break\n", "x" * 129, "schlüssel-codat"]
)
def test_a_key_that_the_clipboard_broke_is_refused_and_never_quoted(world: World, key: str) -> None:
    with pytest.raises(Invalid) as raised:
        world.vault().save_codat_key(key)
    assert [finding.item_id for finding in raised.value.findings] == ["apiKey"]
    assert not key or key not in str(raised.value)


def test_without_a_key_there_is_a_problem_and_no_key(world: World) -> None:
    with pytest.raises(AppKeysRejected) as raised:
        world.vault().codat_key()
    assert raised.value.problem.type == CODAT_KEY_NOT_SET
    assert world.vault().codat_keys(check=True).endings == ()


def test_two_keys_serve_while_one_is_replaced(world: World) -> None:
    vault = world.vault()
    for key in (KEY, NEW_KEY, NEW_KEY):
        vault.save_codat_key(key)
    assert vault.codat_keys().endings == ("-two", "-one")
    assert vault.codat_key(fingerprint(NEW_KEY)).value == KEY
    assert vault.codat_key(fingerprint(KEY)).value == NEW_KEY
    assert vault.save_codat_key(THIRD_KEY).endings == ("hree", "-two")
    assert world.vault().drop_codat_key(SecretSlot.FIRST).endings == ("-two",)
    assert world.vault().codat_key(fingerprint(NEW_KEY)).value == NEW_KEY, "there is no other"


def test_the_last_key_that_codat_accepts_cannot_be_dropped(world: World) -> None:
    world.vault().save_codat_key(KEY)
    with pytest.raises(Invalid, match="only key"):
        world.vault().drop_codat_key(SecretSlot.FIRST)
    world.vault().save_codat_key(NEW_KEY)
    world.codat_answers[KEY] = False
    with pytest.raises(Invalid, match=r"which ends in -one") as raised:
        world.vault().drop_codat_key(SecretSlot.FIRST)
    assert KEY not in str(raised.value)
    world.codat_answers[KEY] = None
    with pytest.raises(Unavailable):
        world.vault().drop_codat_key(SecretSlot.FIRST)
    assert world.vault().codat_keys().endings == ("-two", "-one")


def test_a_former_secret_of_webhooks_counts_for_a_day(world: World) -> None:
    assert world.vault().codat_webhook_secrets() == []
    check = world.vault().save_codat_webhook_secret(SIGNING)
    assert (check.ok, check.webhook_ending) == (None, "FhcY")
    for _ in range(2):  # a repeat is no rotation
        world.vault().save_codat_webhook_secret(NEW_SIGNING)
    assert world.vault().codat_webhook_secrets() == [NEW_SIGNING, SIGNING]
    world.advance(hours=24)
    assert world.vault().codat_webhook_secrets() == [NEW_SIGNING]


@pytest.mark.parametrize("secret", ["AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "whsec_%%%%%%%%", "whsec_", "whsec_a b c d e"])
def test_what_is_no_secret_of_webhooks_is_refused(world: World, secret: str) -> None:
    with pytest.raises(Invalid) as raised:
        world.vault().save_codat_webhook_secret(secret)
    assert [finding.item_id for finding in raised.value.findings] == ["webhookSecret"]
    assert secret == "whsec_" or secret not in str(raised.value)


def test_keys_and_secrets_do_not_disturb_each_other(world: World) -> None:
    world.vault().save_codat_key(KEY)
    world.vault().save_codat_webhook_secret(SIGNING)
    world.vault().save_codat_key(NEW_KEY)
    assert world.vault().codat_webhook_secrets() == [SIGNING]
    assert world.vault().codat_keys().endings == ("-two", "-one")
