"""The app's keys: checked before they are stored, and replaced without an outage."""

from __future__ import annotations

import httpx
import pytest

from feedlane.credentials.vault import SecretSlot
from feedlane.errors import AppKeysRejected, Invalid, Unavailable
from tests.worlds.vault import CLIENT_ID, NEW_SECRET, REDIRECT, SECRET, World, refused


@pytest.fixture
def world() -> World:
    return World()


def test_keys_that_xero_knows_are_kept(world: World) -> None:
    assert world.vault().save_app_keys(CLIENT_ID, SECRET).ok is True
    assert world.vault().exchange_code("code-1", REDIRECT).token_set_id


@pytest.mark.parametrize(
    ("client_id", "secret", "field"),
    [
        ("", SECRET, "clientId"),
        (CLIENT_ID + " ", SECRET, "clientId"),
        (CLIENT_ID, "short", "clientSecret"),
        (CLIENT_ID, "with a space in it", "clientSecret"),
        (CLIENT_ID, "line-break-at-its-end\n", "clientSecret"),
        (CLIENT_ID, "x" * 129, "clientSecret"),
        (CLIENT_ID, "ünprintable-secret", "clientSecret"),
    ],
)
def test_keys_that_the_clipboard_broke_are_refused_by_name_and_never_quoted(
    world: World, client_id: str, secret: str, field: str
) -> None:
    with pytest.raises(Invalid) as raised:
        world.vault().save_app_keys(client_id, secret)
    assert [finding.item_id for finding in raised.value.findings] == [field]
    assert secret not in str(raised.value)
    assert world.server.forms == []


def test_keys_that_xero_does_not_know_are_not_kept(world: World) -> None:
    check = world.vault().save_app_keys(CLIENT_ID, NEW_SECRET)
    assert (check.ok, check.field) == (False, "clientId")
    assert world.secrets.stored("app-keys") is None


def test_with_a_client_id_that_worked_before_it_is_the_secret_that_is_wrong(world: World) -> None:
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    check = world.vault().save_app_keys(CLIENT_ID, NEW_SECRET)
    assert (check.ok, check.field) == (False, "clientSecret")
    assert world.vault().exchange_code("code-1", REDIRECT).token_set_id


@pytest.mark.parametrize("error", ["unauthorized_client", "invalid_scope", "unsupported_grant_type"])
def test_an_error_that_comes_after_the_keys_were_recognised_means_that_they_are_right(world: World, error: str) -> None:
    vault = world.vault()
    world.server._answer = lambda *_: refused(error)  # type: ignore[method-assign]
    assert vault.save_app_keys(CLIENT_ID, SECRET).ok is True


def test_keys_that_cannot_be_checked_now_are_kept_and_said_to_be_unchecked(world: World) -> None:
    vault = world.vault()
    world.server._answer = lambda *_: httpx.Response(503)  # type: ignore[method-assign]
    check = vault.save_app_keys(CLIENT_ID, SECRET)
    assert check.ok is None
    assert "503" in check.message
    assert world.secrets.stored("app-keys") is not None


def test_saving_a_new_secret_keeps_the_former_one_until_xero_knows_only_the_new(world: World) -> None:
    world.server.secrets = [SECRET, NEW_SECRET]
    vault = world.vault()
    vault.save_app_keys(CLIENT_ID, SECRET)
    vault.save_app_keys(CLIENT_ID, NEW_SECRET)
    world.server.secrets = [SECRET]
    assert vault.exchange_code("code-1", REDIRECT).token_set_id
    world.server.secrets = [NEW_SECRET]
    assert vault.exchange_code("code-2", REDIRECT).token_set_id


def test_another_app_starts_without_the_former_apps_secrets(world: World) -> None:
    vault = world.vault()
    vault.save_app_keys(CLIENT_ID, SECRET)
    world.server._answer = lambda *_: httpx.Response(503)  # type: ignore[method-assign]
    vault.save_app_keys("ANOTHERCLIENT1234567", NEW_SECRET)
    stored = world.secrets.stored("app-keys")
    assert stored is not None
    assert SECRET not in stored.text


def test_without_keys_it_is_the_apps_fault(world: World) -> None:
    with pytest.raises(AppKeysRejected) as raised:
        world.vault().exchange_code("code-1", REDIRECT)
    assert raised.value.problem.type == "app-keys-not-set"
    with pytest.raises(AppKeysRejected):
        world.vault().add_app_secret(NEW_SECRET)


def test_a_grant_type_that_the_app_may_not_use_is_the_apps_fault(world: World) -> None:
    world.connect()
    vault = world.vault()
    world.server._answer = lambda *_: refused("unauthorized_client")  # type: ignore[method-assign]
    with pytest.raises(AppKeysRejected) as raised:
        vault.exchange_code("code-2", REDIRECT)
    assert raised.value.problem.type == "unauthorized_client"


def test_a_second_secret_is_tried_when_xero_does_not_know_the_first(world: World) -> None:
    world.connect()
    vault = world.vault()
    world.server.secrets = [SECRET, NEW_SECRET]
    assert vault.add_app_secret(NEW_SECRET).endings == (SECRET[-4:], NEW_SECRET[-4:])
    assert vault.exchange_code("code-2", REDIRECT).token_set_id
    world.server.secrets = [NEW_SECRET]
    assert vault.exchange_code("code-3", REDIRECT).token_set_id


def test_a_second_secret_that_xero_does_not_know_is_not_kept(world: World) -> None:
    world.connect()
    check = world.vault().add_app_secret(NEW_SECRET)
    assert (check.ok, check.field, check.endings) == (False, "clientSecret", ())
    assert NEW_SECRET not in str(world.secrets.stored("app-keys"))


def test_the_first_secret_again_is_no_second(world: World) -> None:
    world.connect()
    with pytest.raises(Invalid) as raised:
        world.vault().add_app_secret(SECRET)
    assert SECRET not in str(raised.value)


def test_once_the_new_secret_works_the_old_one_is_dropped_and_the_new_is_the_first(world: World) -> None:
    world.connect()
    vault = world.vault()
    world.server.secrets = [SECRET, NEW_SECRET]
    vault.add_app_secret(NEW_SECRET)
    world.server.secrets = [NEW_SECRET]
    assert vault.drop_app_secret(SecretSlot.FIRST).endings == (NEW_SECRET[-4:],)
    calls_before = len(world.server.forms)
    assert vault.exchange_code("code-2", REDIRECT).token_set_id
    assert len(world.server.forms) == calls_before + 1, "the old secret is still tried"


@pytest.mark.parametrize(("known", "dropped"), [(SECRET, SecretSlot.FIRST), (NEW_SECRET, SecretSlot.SECOND)])
def test_a_secret_is_not_dropped_while_xero_does_not_know_the_other(
    world: World, known: str, dropped: SecretSlot
) -> None:
    world.connect()
    vault = world.vault()
    world.server.secrets = [SECRET, NEW_SECRET]
    vault.add_app_secret(NEW_SECRET)
    world.server.secrets = [known]
    with pytest.raises(Invalid):
        vault.drop_app_secret(dropped)
    assert vault.exchange_code("code-2", REDIRECT).token_set_id


def test_nothing_is_dropped_while_xero_cannot_be_asked(world: World) -> None:
    world.connect()
    vault = world.vault()
    world.server.secrets = [SECRET, NEW_SECRET]
    vault.add_app_secret(NEW_SECRET)
    answer, world.server._answer = world.server._answer, lambda *_: httpx.Response(503)  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        vault.drop_app_secret(SecretSlot.FIRST)
    world.server._answer = answer  # type: ignore[method-assign]
    world.server.secrets = [SECRET]
    assert vault.exchange_code("code-2", REDIRECT).token_set_id


def test_the_only_secret_is_not_dropped(world: World) -> None:
    world.connect()
    with pytest.raises(Invalid):
        world.vault().drop_app_secret(SecretSlot.SECOND)
