"""A holder of a shared secret that sleeps, dies or loses the table: the pair that Xero will honour is found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.errors import Unavailable
from tests.fakes.secrets import after_looks
from tests.unit.vault.customers import SIZE, Customers, die_after_write


@pytest.mark.parametrize("size", [1, SIZE])
def test_a_pair_of_a_holder_that_slept_is_found_though_the_store_shows_it_late(size: int) -> None:
    """It asked Xero last, so Xero will honour only its pair, which it could not publish."""
    world = Customers(1, size)
    [id] = world.ids
    world.advance(minutes=31)
    first = world.server.refreshes + 1

    def sleep(number: int) -> None:
        if number == first:
            world.advance(seconds=41)
            world.vault().access_token(id)

    world.server.before = sleep
    world.vault().access_token(id)
    world.server.alive_until = {f"canary-refresh-{world.server._issued}": world.now + timedelta(days=60)}
    world.advance(minutes=31)
    for versions in world.secrets.client.versions.values():
        versions[-1].is_shown = after_looks(3)
    assert world.vault().access_token(id).value


@pytest.mark.parametrize("lasts", [10, 40], ids=["within the grace period", "after the grace period"])
def test_a_table_that_is_away_from_xeros_answer_on_costs_no_consent(
    monkeypatch: pytest.MonkeyPatch, lasts: int
) -> None:
    """Only the pair's own secret can keep it then: the shard's lease is in the table."""
    world = Customers(1)
    [id] = world.ids
    world.advance(minutes=31)
    with monkeypatch.context() as patch:

        def away(*_: object) -> None:
            raise Unavailable("The table is not available at the moment", 2)

        def go_away(_: int) -> None:
            patch.setattr(world.table, "get", away)
            patch.setattr(world.table, "commit", away)

        patch.setattr(world.server, "after", go_away)
        with pytest.raises(Unavailable):
            world.vault().access_token(id)
    world.advance(minutes=lasts)
    assert world.vault().access_token(id).value
    world.expect_all_well()


def test_a_publication_that_the_table_does_not_take_leaves_the_pair_in_its_own_secret_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Customers(1)
    [id] = world.ids
    world.advance(minutes=31)

    def away(*_: object) -> None:
        raise Unavailable("The table is not available at the moment", 2)

    with monkeypatch.context() as patch:
        patch.setattr(world.secrets, "after_write", lambda _: patch.setattr(world.table, "commit", away))
        with pytest.raises(Unavailable):
            world.vault().access_token(id)
    assert world.own(id)
    world.advance(minutes=40)
    world.expect_all_well()


@pytest.mark.parametrize("size", [1, SIZE])
@pytest.mark.parametrize("minutes", [5, 40], ids=["within the grace period", "after the grace period"])
@pytest.mark.parametrize("others", [0, 3])
def test_a_pair_that_was_stored_by_a_holder_that_died_is_found_even_after_others_have_written(
    size: int, minutes: int, others: int
) -> None:
    world = Customers(5, size)
    die_after_write(world, world.ids[0])
    world.advance(seconds=16)
    for id in world.ids[1 : 1 + others]:
        world.restart().access_token(id)
    world.advance(minutes=minutes)
    assert world.restart().access_token(world.ids[0]).value
    world.expect_all_well()


def test_a_pair_that_was_stored_at_the_first_move_into_a_shard_is_found_too() -> None:
    world = Customers(3, settled=False)
    world.advance(minutes=31)
    world.vault().access_token(world.ids[1])
    die_after_write(world, world.ids[0])
    world.advance(seconds=16)
    world.restart().access_token(world.ids[2])
    world.advance(minutes=40)
    world.expect_all_well()


def test_a_holder_that_slept_through_the_shards_lease_takes_nothing_from_another() -> None:
    world = Customers(2)
    world.advance(minutes=31)
    first, second = world.ids
    others: list[str] = []

    def sleep(_: str) -> None:
        world.secrets.on_write = None
        world.advance(seconds=16)
        others.append(world.vault().access_token(second).value)

    world.secrets.on_write = sleep
    token = world.vault().access_token(first).value
    assert [world.vault().access_token(id).value for id in world.ids] == [token, *others]
    assert not world.lease(first)["is_shared"], "it has a secret of its own for now"
    world.expect_all_well()
