"""Tokens: one refresh at a time, under a lease, stored before use, and the same token for all callers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.vault.leases import Leases
from feedlane.vault.service import VaultService
from tests.worlds.vault import REDIRECT, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_fresh_token_is_given_without_asking_xero(world: World) -> None:
    token_set = world.connect()
    world.vault().access_token(token_set)
    assert world.server.refreshes == 0


def test_twenty_callers_of_one_ended_token_set_make_one_refresh_and_all_get_the_new_token(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def slow(_: int) -> None:
        time.sleep(0.05)

    world.server.after = slow
    vaults = [world.vault(pause=lambda _: time.sleep(0.005)) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda vault: vault.access_token(token_set).value, vaults))

    assert world.server.refreshes == 1
    assert {token.rpartition(".")[2] for token in tokens} == {"canary-access-2"}


def test_the_new_pair_is_in_the_store_before_anybody_gets_it(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    token = world.vault().access_token(token_set)
    version = world.secrets.stored(f"token-sets/{token_set}")
    assert version is not None
    assert version.id == world.lease(token_set)["version_id"]
    assert token.value in version.text
    assert "canary-refresh-2" in version.text


def test_a_holder_that_slept_through_its_lease_cannot_publish_its_pair(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    overtaking: list[str] = []

    def sleep_while_another_refreshes(number: int) -> None:
        if number == 1:
            world.advance(seconds=41)
            overtaking.append(world.vault().access_token(token_set).value)

    world.server.after = sleep_while_another_refreshes
    sleeping = world.vault().access_token(token_set).value

    # The sleeper wrote last, yet the overtaker's pair is valid for both.
    assert world.secrets.stored(f"token-sets/{token_set}").text.count("canary-access-2") == 1  # type: ignore[union-attr]
    assert sleeping == overtaking[0]
    assert world.vault().access_token(token_set).value == overtaking[0]
    assert world.server.refreshes == 2


def test_a_lease_that_is_lost_is_neither_published_nor_released_by_its_former_holder(world: World) -> None:
    leases = Leases(world.table, world.clock, world.pauses.append)
    first = leases.take(leases.read("one"))
    assert first is not None
    world.advance(seconds=41)
    second = leases.take(leases.read("one"))
    assert second is not None

    leases.release(first)

    assert leases.read("one") == second
    assert leases.read("one").is_held(world.now)
    assert second.fencing > first.fencing


def test_while_another_refreshes_a_token_that_still_works_is_given_at_once(world: World) -> None:
    token_set = world.connect()
    vault = world.vault()
    vault.access_token(token_set)
    world.pauses.clear()
    world.advance(minutes=28)
    leases = Leases(world.table, world.clock)
    assert leases.take(leases.read(token_set))
    assert vault.access_token(token_set).value.endswith("canary-access-1")
    assert world.pauses == []


def test_a_holder_that_died_blocks_nobody_for_longer_than_its_lease(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    leases = Leases(world.table, world.clock)
    assert leases.take(leases.read(token_set))
    vault = world.vault(pause=lambda seconds: world.advance(seconds=seconds))
    with pytest.raises(Unavailable):
        vault.access_token(token_set)
    world.advance(seconds=40)
    assert vault.access_token(token_set).value.endswith("canary-access-2")


def test_a_lease_that_a_wrong_clock_has_set_far_ahead_blocks_nobody(world: World) -> None:
    token_set = world.connect()
    world.advance(days=60)
    leases = Leases(world.table, world.clock)
    assert leases.take(leases.read(token_set))
    world.advance(days=-60, minutes=31)
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_a_token_that_got_a_401_is_refreshed_once_for_all_who_report_it(world: World) -> None:
    token_set = world.connect()
    vaults: list[VaultService] = [world.vault() for _ in range(3)]
    rejected = fingerprint(vaults[0].access_token(token_set).value)
    world.advance(minutes=6)
    tokens = {vault.access_token(token_set, rejected).value for vault in vaults}
    assert world.server.refreshes == 1
    assert len(tokens) == 1


def test_a_new_consent_wins_over_a_refresh_that_is_under_way(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)

    def consent_again(_: int) -> None:
        world.vault().exchange_code("code-2", REDIRECT)

    world.server.after = consent_again
    token = world.vault().access_token(token_set).value
    assert token.endswith("canary-access-3")
    assert world.vault().access_token(token_set).value == token
