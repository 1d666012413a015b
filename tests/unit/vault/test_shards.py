"""Token sets that share a secret: none overwrites, delays or loses another, and no shard has too many versions."""

from __future__ import annotations

import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.vault import shards
from feedlane.vault.leases import Leases
from feedlane.vault.shard_content import Content
from feedlane.vault.token_sets import token_set_id
from tests.fakes.secrets import after_looks
from tests.worlds.vault import CLIENT_ID, REDIRECT, SECRET, Crash, World

SHARD = "shards/000000"
SIZE = 10


class Customers(World):
    """So many customers who have consented; each has a place in a shard, unless `settled` is false."""

    def __init__(self, count: int, size: int = SIZE, settled: bool = True) -> None:
        super().__init__(size)
        self.secrets.client.lag = lambda: after_looks(0)
        self.secrets.client.deletion = lambda: after_looks(0)
        self.vault().save_app_keys(CLIENT_ID, SECRET)
        self.ids = [self.consent(number) for number in range(count)]
        if settled:
            for _ in range(3):
                self.refresh_all()
                self.advance(days=1)

    def consent(self, number: int) -> str:
        code = f"code-{len(self.server.forms)}@user-{number}"
        return self.vault().exchange_code(code, REDIRECT).token_set_id

    def refresh_all(self) -> None:
        self.advance(minutes=31)
        for id in self.ids:
            self.vault().access_token(id)

    def shard(self, name: str = SHARD) -> Content:
        stored = self.secrets.stored(name, self.lease(name)["version_id"])
        assert stored is not None
        return Content.model_validate_json(stored.text)

    def secret_names(self) -> set[str]:
        return {name.removeprefix("memory/") for name in self.secrets.client.versions} - {"app-keys"}

    def own(self, id: str) -> list[str]:
        return [name for name in self.secret_names() if name.startswith(f"token-sets/{id}")]

    def expect_all_well(self) -> None:
        """Each has its own user's token, and a refresh token with which it goes on."""
        for _ in range(2):
            for id in self.ids:
                token = self.vault().access_token(id).value
                assert token_set_id(CLIENT_ID, claims_of(token)["xero_userid"]) == id
                assert self.vault().access_token(id).value == token
            self.advance(minutes=31)


def test_customers_share_a_secret_and_leave_none_of_their_own_behind() -> None:
    world = Customers(SIZE + 3)
    world.refresh_all()
    assert world.secret_names() == {SHARD, "shards/000001"}
    assert sorted(map(len, (world.shard().members, world.shard("shards/000001").members))) == [3, SIZE]
    world.expect_all_well()


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


def claims_of(token: str) -> dict[str, str]:
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


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


def run_days(world: Customers, days: int, seconds: float) -> None:
    end = world.now + timedelta(days=days)
    while world.now < end:
        world.advance(seconds=seconds)
        for id in world.ids:
            world.vault().access_token(id)


def versions_of_a_day(world: World, name: str) -> int:
    versions = world.secrets.client.versions[f"memory/{name}"]
    return sum(version.created > world.now - timedelta(days=1) for version in versions)


def die_after_write(world: World, id: str) -> None:
    """The process that refreshes this one dies between the store and the table."""
    world.advance(minutes=31)

    def die(_: str) -> None:
        world.table.dead = True

    world.secrets.after_write = die  # type: ignore[assignment]
    with pytest.raises(Crash):
        world.vault().access_token(id)
    assert Leases(world.table, world.clock).read(id).is_held(world.now)
    world.restart()
