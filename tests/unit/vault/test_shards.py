"""Token sets that share a secret: none overwrites, delays or loses another."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from feedlane.errors import Unavailable
from feedlane.store import keys
from feedlane.store.table import Contended, Write
from feedlane.vault import shards
from tests.fakes.secrets import after_looks
from tests.unit.vault.customers import SHARD, SIZE, Customers, die_after_write


def test_customers_share_a_secret_and_leave_none_of_their_own_behind() -> None:
    world = Customers(SIZE + 3)
    world.refresh_all()
    assert world.secret_names() == {SHARD, "shards/000001"}
    assert sorted(map(len, (world.shard().members, world.shard("shards/000001").members))) == [3, SIZE]
    world.expect_all_well()


def test_one_token_set_per_secret_shares_nothing() -> None:
    world = Customers(3, size=1)
    world.refresh_all()
    assert world.secret_names() == {f"token-sets/{id}" for id in world.ids}


def test_customers_of_a_shard_that_refresh_at_once_overwrite_nothing() -> None:
    world = Customers(SIZE)
    world.advance(minutes=31)
    before = world.server.refreshes
    world.secrets.on_write = lambda _: time.sleep(0.005)
    vaults = [world.vault(pause=lambda seconds: time.sleep(seconds / 10)) for _ in range(2 * SIZE)]
    with ThreadPoolExecutor(2 * SIZE) as pool:
        tokens = list(pool.map(lambda vault, id: vault.access_token(id).value, vaults, world.ids * 2))
    assert tokens[:SIZE] == tokens[SIZE:]
    assert world.server.refreshes == before + SIZE
    assert [world.vault().access_token(id).value for id in world.ids] == tokens[:SIZE]
    assert all(world.lease(id)["is_shared"] for id in world.ids)
    world.secrets.on_write = None
    world.expect_all_well()


def test_where_the_hint_to_a_shard_with_room_is_contended_customers_are_refreshed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing depends on the hint: it may stay behind, and nobody's refresh may fail for it."""
    world = Customers(SIZE + 1, settled=False)
    hint, commit = keys.lease(shards.OPEN), world.table.commit

    def contended(*writes: Write) -> None:
        if any(write.key == hint for write in writes):
            raise Contended([hint])
        commit(*writes)

    monkeypatch.setattr(world.table, "commit", contended)
    for _ in range(3):
        world.refresh_all()
        world.advance(days=1)
    assert world.table.get(hint) is None
    assert world.secret_names() == {SHARD, "shards/000001"}
    world.expect_all_well()


def test_a_shard_whose_holder_died_delays_others_by_seconds_only() -> None:
    world = Customers(3)
    die_after_write(world, world.ids[0])
    world.restart()
    world.pauses.clear()
    world.vault().access_token(world.ids[1])
    assert sum(world.pauses) < 4
    assert world.own(world.ids[1])


def test_a_version_that_is_not_shown_yet_delays_only_the_customer_whose_refresh_wrote_it() -> None:
    world = Customers(3)
    world.refresh_all()
    world.advance(minutes=31)
    world.secrets.client.lag = lambda: after_looks(50)
    world.vault().access_token(world.ids[0])
    world.advance(minutes=-30)  # the others' tokens still work
    world.pauses.clear()
    for id in world.ids[1:]:
        assert world.vault().access_token(id).value
    assert world.pauses == []
    with pytest.raises(Unavailable):
        world.vault().access_token(world.ids[0])


def test_a_customer_due_while_the_shard_is_not_shown_gets_a_secret_of_its_own() -> None:
    world = Customers(3)
    world.advance(minutes=31)
    world.secrets.client.lag = lambda: after_looks(50)
    world.vault().access_token(world.ids[0])
    assert world.vault().access_token(world.ids[1]).value
    assert world.own(world.ids[1])


def test_a_shard_that_cannot_be_read_costs_nobody_outside_of_it_anything() -> None:
    world = Customers(SIZE + 2)
    world.refresh_all()
    for version in world.secrets.client.versions[f"memory/{SHARD}"]:
        version.text = "{}}"
    inside = world.shard("shards/000001").members
    for id in world.ids:
        if id in inside:
            assert world.vault().access_token(id).value
        else:
            with pytest.raises(Unavailable):
                world.vault().access_token(id)
    one = next(id for id in world.ids if id not in inside)
    number = world.ids.index(one)
    assert world.consent(number) == one
    world.advance(minutes=31)
    assert world.vault().access_token(one).value, "a new consent brings it back, in a secret of its own"


def test_a_shard_that_takes_no_version_costs_nobody_anything() -> None:
    world = Customers(2)
    world.advance(minutes=31)

    def refuse(name: str) -> None:
        if name == SHARD:
            raise Unavailable("Secrets Manager takes no more versions of this secret today", 600)

    world.secrets.on_write = refuse
    for id in world.ids:
        assert world.vault().access_token(id).value
    world.secrets.on_write = None
    world.expect_all_well()


def test_pairs_that_do_not_fit_get_secrets_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES_MAX", 2_000)
    world = Customers(SIZE)
    assert 0 < len(world.shard().members) < SIZE
    world.expect_all_well()
