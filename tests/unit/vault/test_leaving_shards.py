"""A new consent, a revocation or a smaller shard: who leaves a shared secret does so for good."""

from __future__ import annotations

import pytest

from feedlane.errors import ReconnectionNeeded, Unavailable
from tests.fakes.secrets import after_looks
from tests.unit.vault.customers import SHARD, SIZE, Customers
from tests.worlds.vault import REDIRECT


def test_a_new_consent_wins_over_a_refresh_that_writes_the_shard() -> None:
    world = Customers(2)
    world.advance(minutes=31)
    tokens: list[str] = []

    def consent(_: str) -> None:
        world.secrets.on_write = None
        tokens.append(world.vault().exchange_code("code-2@user-0", REDIRECT).access_token)

    world.secrets.on_write = consent
    assert world.vault().access_token(world.ids[0]).value == tokens[0]
    assert world.vault().access_token(world.ids[0]).value == tokens[0]
    world.expect_all_well()


def test_a_consent_during_the_deletion_of_a_former_secret_keeps_its_own() -> None:
    """The secret that is deleted is never the one that a consent writes."""
    world = Customers(1)
    [id] = world.ids
    world.advance(minutes=31)
    delete = world.secrets.delete

    def consent_first(name: str) -> None:
        world.secrets.delete = delete  # type: ignore[method-assign]
        world.consent(0)
        delete(name)

    world.secrets.delete = consent_first  # type: ignore[method-assign]
    assert world.vault().access_token(id).value
    world.expect_all_well()


def test_a_revoked_token_set_leaves_its_shard_and_frees_its_place() -> None:
    world = Customers(SIZE)
    gone = world.ids.pop(3)
    alive = dict(world.server.alive_until)
    world.vault().revoke(gone)
    world.server.alive_until = alive  # at Xero, only this grant has ended
    assert set(world.shard().members) == set(world.ids)
    assert not world.own(gone)
    with pytest.raises(ReconnectionNeeded):
        world.vault().access_token(gone)
    world.ids.append(world.consent(99))
    world.refresh_all()
    assert world.lease(world.ids[-1])["shard"] == SHARD


def test_a_revoked_token_set_does_not_return_from_a_version_that_the_store_still_shows() -> None:
    world = Customers(2)
    gone, stays = world.ids
    alive = dict(world.server.alive_until)
    world.advance(minutes=31)
    world.secrets.client.lag = lambda: after_looks(50)
    vault = world.vault()
    vault.revoke(gone)
    world.server.alive_until = alive
    vault.access_token(stays)
    assert set(world.shard().members) == {stays}


def test_a_revocation_that_stopped_half_way_ends_when_it_is_repeated() -> None:
    world = Customers(2)

    def refuse(_: str) -> None:
        raise Unavailable("Secrets Manager asked to retry later", 2)

    world.secrets.on_write = refuse
    with pytest.raises(Unavailable):
        world.vault().revoke(world.ids[0])
    world.secrets.on_write = None
    world.vault().revoke(world.ids[0])
    assert set(world.shard().members) == {world.ids[1]}


def test_after_the_parameter_is_back_at_one_everybody_leaves_the_shards() -> None:
    world = Customers(4)
    world.token_sets_per_secret = 1
    for _ in range(2):
        world.refresh_all()
    assert world.shard().members == {}
    assert all(world.own(id) for id in world.ids)
    world.expect_all_well()
