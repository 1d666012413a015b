"""No shared secret gets more versions a day than it may, however busy its customers are."""

from __future__ import annotations

import random

import httpx
import pytest

from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.vault import shards
from tests.unit.vault.customers import SHARD, SIZE, Customers, run_days, versions_of_a_day
from tests.worlds.vault import World


def test_with_a_smaller_number_a_fuller_shard_has_no_more_versions() -> None:
    world = Customers(SIZE)
    world.token_sets_per_secret = 2
    run_days(world, 1, seconds=27 * 60 + 1)
    assert versions_of_a_day(world, SHARD) <= shards.VERSIONS_A_DAY


def test_a_busy_customer_gets_a_secret_of_its_own_and_returns_when_it_is_quiet() -> None:
    world = Customers(2)
    busy = world.ids[0]
    for _ in range(12):
        world.advance(minutes=31)
        world.vault().access_token(busy)
    assert not world.lease(busy)["is_shared"]
    assert len(world.own(busy)) == 1
    for _ in range(5):
        world.advance(hours=12)
        world.vault().access_token(busy)
    assert world.lease(busy)["is_shared"]
    assert world.own(busy) == []


@pytest.mark.parametrize("size", [2, 5, SIZE])
def test_no_shard_has_more_versions_than_it_may_however_busy_its_customers_are(size: int) -> None:
    """All are refreshed whenever it is due, and for many a 401; a tenth of the refreshes end in doubt."""
    world = Customers(size, size)
    rng = random.Random(size)
    world.server.after = lambda _: httpx.Response(503) if rng.random() < 0.05 else None

    def lose_the_answer(_: str) -> None:
        if rng.random() < 0.05:
            raise Unavailable("the answer is lost", 1)

    world.secrets.after_write = lose_the_answer
    for _ in range(200):
        world.advance(seconds=rng.expovariate(1 / 900))
        for id in world.ids:
            use(world, id, rng)
        assert versions_of_a_day(world, SHARD) <= shards.VERSIONS_A_DAY
    world.restart()
    world.server.after = lambda _: None
    world.advance(days=1)
    world.expect_all_well()


def use(world: World, id: str, rng: random.Random) -> None:
    """Asks for a token, which Xero may reject. A refresh in doubt is repeated within minutes, as the watch does."""
    for _ in range(10):
        try:
            token = world.vault().access_token(id)
            if rng.random() < 0.3 or is_in_doubt(world, id):
                world.vault().access_token(id, fingerprint(token.value))
        except Unavailable:
            world.advance(minutes=1)
        if not is_in_doubt(world, id):
            return


def is_in_doubt(world: World, id: str) -> bool:
    return "gsi1pk" in world.lease(id)
