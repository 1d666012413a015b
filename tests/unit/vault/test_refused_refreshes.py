"""A refresh that Xero refuses: whether the customer, the operator or no one has to act."""

from __future__ import annotations

import httpx
import pytest

from feedlane.errors import AppKeysRejected, ReconnectionNeeded
from feedlane.vault.leases import Leases
from tests.worlds.vault import NEW_SECRET, REDIRECT, World, refused


@pytest.fixture
def world() -> World:
    return World()


def test_invalid_grant_is_forgotten_when_another_has_rotated_the_token(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def another_rotates(number: int) -> httpx.Response | None:
        if number != 1:
            return None
        world.advance(seconds=41)
        world.vault().access_token(token_set)
        return refused("invalid_grant")

    world.server.before = another_rotates
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")
    assert world.server.refreshes == 2


def test_invalid_grant_for_all_that_is_stored_asks_for_reconnection_without_a_loop(world: World) -> None:
    token_set = world.connect()
    world.vault().access_token(token_set)
    world.advance(days=61)
    with pytest.raises(ReconnectionNeeded) as raised:
        world.vault().access_token(token_set)
    assert raised.value.problem.type == "invalid_grant"
    assert world.server.refreshes == 1
    assert not Leases(world.table, world.clock).read(token_set).is_held(world.now)


def test_a_client_secret_that_xero_does_not_know_disconnects_nobody(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.secrets = [NEW_SECRET]
    with pytest.raises(AppKeysRejected):
        world.vault().access_token(token_set)

    assert world.vault().save_app_keys("CLIENT0123456789ABCDEF", NEW_SECRET).ok
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_a_second_secret_takes_over_without_an_outage(world: World) -> None:
    token_set = world.connect()
    world.server.secrets.append(NEW_SECRET)
    assert world.vault().add_app_secret(NEW_SECRET).ok
    world.server.secrets = [NEW_SECRET]
    world.advance(minutes=31)
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_keys_that_are_replaced_while_a_refresh_is_under_way_are_not_rejected(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def replace_them(number: int) -> None:
        if number == 1:
            world.server.secrets = [NEW_SECRET]
            assert world.vault().save_app_keys("CLIENT0123456789ABCDEF", NEW_SECRET).ok

    world.server.before = replace_them
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")
    assert world.server.refreshes == 2


def test_one_off_access_ends_with_its_access_token(world: World) -> None:
    world.server.scope = "openid bankfeeds"
    token_set = world.connect()
    world.advance(minutes=28)
    world.vault().access_token(token_set)
    world.advance(minutes=2)
    with pytest.raises(ReconnectionNeeded) as raised:
        world.vault().access_token(token_set)
    assert raised.value.problem.type == "one-off-access-ended"
    assert world.server.refreshes == 0


def test_a_dead_code_is_the_customers_to_mend_and_stores_nothing(world: World) -> None:
    world.connect()
    before = dict(world.table.items)
    with pytest.raises(ReconnectionNeeded):
        world.vault().exchange_code("expired", REDIRECT)
    [item] = [item for key, item in world.table.items.items() if key not in before]
    assert (item["sk"], "grant" in item) == ("EXCHANGE", False)


def test_a_revoked_token_set_is_forgotten(world: World) -> None:
    token_set = world.connect()
    vault = world.vault()
    vault.revoke(token_set)
    assert world.server.alive_until == {}
    assert world.secrets.stored(f"token-sets/{token_set}") is None
    with pytest.raises(ReconnectionNeeded):
        vault.access_token(token_set)
    vault.revoke(token_set)
    assert world.connect("code-2") == token_set
    vault.access_token(token_set)


def test_tokens_of_the_former_app_work_until_they_end_and_then_need_a_new_consent(world: World) -> None:
    token_set = world.connect()
    vault = world.vault()
    vault.access_token(token_set)
    version = world.secrets.write("app-keys", '{"client_id": "OTHERAPP12345678", "client_secret": "other-secret"}')
    Leases(world.table, world.clock).supersede("app-keys", version)
    vault.access_token(token_set)
    world.advance(minutes=31)
    with pytest.raises(ReconnectionNeeded) as raised:
        vault.access_token(token_set)
    assert raised.value.problem.type == "granted-to-another-app"
