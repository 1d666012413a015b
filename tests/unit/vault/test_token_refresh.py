"""Tokens: one refresh at a time, stored before it is used, and no customer lost to a race, a crash or an outage."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.vault_lease import Leases
from feedlane.vault_service import VaultService
from tests.unit.vault.world import NEW_SECRET, REDIRECT, Crash, World, refused


@pytest.fixture
def world() -> World:
    return World()


def test_a_fresh_token_is_given_without_asking_xero(world: World) -> None:
    token_set = world.connected()
    world.vault().access_token(token_set)
    assert world.server.refreshes == 0


def test_twenty_callers_of_one_ended_token_set_make_one_refresh_and_all_get_the_new_token(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def slow(_: int) -> None:
        time.sleep(0.05)

    world.server.after = slow
    vaults = [world.vault(pause=lambda _: time.sleep(0.005)) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda vault: vault.access_token(token_set).value, vaults))

    assert world.server.refreshes == 1
    assert {token.rpartition(".")[2] for token in tokens} == {"canary-access-2"}


def test_the_new_pair_is_in_the_store_before_anybody_gets_it(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    token = world.vault().access_token(token_set)
    version = world.secrets.version(f"token-sets/{token_set}", world.lease(token_set)["version_id"])
    assert version is not None
    assert token.value in version.text
    assert "canary-refresh-2" in version.text


def test_a_crash_between_xeros_answer_and_the_store_costs_nothing_within_the_grace_period(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    die_at_write(world)
    with pytest.raises(Crash):
        world.vault().access_token(token_set)

    vault = world.reborn()
    with pytest.raises(Unavailable):  # the dead holder's lease still runs
        vault.access_token(token_set)
    world.time.advance(minutes=1)
    assert vault.access_token(token_set).value.endswith("canary-access-3")
    assert [form["refresh_token"] for form in world.server.forms if "refresh_token" in form] == ["canary-refresh-1"] * 2


@pytest.mark.parametrize("later", [5, 40], ids=["within the grace period", "after the grace period"])
def test_a_crash_between_the_store_and_its_pointer_costs_nothing(world: World, later: int) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def die(_: str) -> None:
        world.table.dead = True

    world.secrets.after_write = die
    with pytest.raises(Crash):
        world.vault().access_token(token_set)

    vault = world.reborn()
    world.time.advance(minutes=later)
    assert vault.access_token(token_set).value.endswith("canary-access-3")


def test_a_lost_answer_is_asked_for_again_with_the_old_token(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def lose_the_first(number: int) -> None:
        if number == 1:
            raise httpx.ReadTimeout("lost")

    world.server.after = lose_the_first
    assert world.vault().access_token(token_set).value.endswith("canary-access-3")


def test_answers_that_stay_lost_hold_nothing_and_free_the_lease(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def lose(_: int) -> None:
        raise httpx.ReadError("lost")

    world.server.after = lose
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    world.server.after = lambda _: None
    world.time.advance(minutes=10)
    assert world.vault().access_token(token_set).value.endswith("canary-access-4")


def test_a_store_that_refuses_the_write_loses_no_token(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def refuse(_: str) -> None:
        raise Unavailable("Secrets Manager asked to come back later", 2)

    world.secrets.on_write = refuse
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    assert world.reborn().access_token(token_set).value.endswith("canary-access-3")


def test_a_holder_that_slept_through_its_lease_cannot_publish_its_pair(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    overtaker: list[str] = []

    def sleep_while_another_refreshes(number: int) -> None:
        if number == 1:
            world.time.advance(seconds=41)
            overtaker.append(world.vault().access_token(token_set).value)

    world.server.after = sleep_while_another_refreshes
    sleeper = world.vault().access_token(token_set).value

    # The sleeper wrote last, and yet the overtaker's pair counts, for both.
    assert world.secrets.current(f"token-sets/{token_set}").text.count("canary-access-2") == 1  # type: ignore[union-attr]
    assert sleeper == overtaker[0]
    assert world.vault().access_token(token_set).value == overtaker[0]
    assert world.server.refreshes == 2


def test_a_lease_that_is_lost_is_neither_published_nor_released_by_its_former_holder(world: World) -> None:
    leases = Leases(world.table, world.time, world.pauses.append)
    first = leases.take(leases.look("one"))
    assert first is not None
    world.time.advance(seconds=41)
    second = leases.take(leases.look("one"))
    assert second is not None

    leases.release(first)

    assert leases.look("one") == second
    assert leases.look("one").is_held(world.time())
    assert second.fencing > first.fencing


def test_invalid_grant_is_forgotten_when_another_has_rotated_the_token(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def another_rotates(number: int) -> httpx.Response | None:
        if number != 1:
            return None
        world.time.advance(seconds=41)
        world.vault().access_token(token_set)
        return refused("invalid_grant")

    world.server.before = another_rotates
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")
    assert world.server.refreshes == 2


def test_invalid_grant_for_all_that_is_stored_asks_for_reconnection_without_a_loop(world: World) -> None:
    token_set = world.connected()
    world.vault().access_token(token_set)
    world.time.advance(days=61)
    with pytest.raises(ReconnectionNeeded) as raised:
        world.vault().access_token(token_set)
    assert raised.value.problem.type == "invalid_grant"
    assert world.server.refreshes == 1
    assert not Leases(world.table, world.time).look(token_set).is_held(world.time())


def test_a_client_secret_that_xero_does_not_know_disconnects_nobody(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    world.server.secrets = [NEW_SECRET]
    with pytest.raises(AppKeysRejected):
        world.vault().access_token(token_set)

    assert world.vault().save_app_keys("CLIENT0123456789ABCDEF", NEW_SECRET).ok
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_a_second_secret_takes_over_without_an_outage(world: World) -> None:
    token_set = world.connected()
    world.server.secrets.append(NEW_SECRET)
    assert world.vault().add_app_secret(NEW_SECRET).ok
    world.server.secrets = [NEW_SECRET]
    world.time.advance(minutes=31)
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_keys_that_are_replaced_while_a_refresh_is_under_way_are_not_rejected(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def replace_them(number: int) -> None:
        if number == 1:
            world.server.secrets = [NEW_SECRET]
            assert world.vault().save_app_keys("CLIENT0123456789ABCDEF", NEW_SECRET).ok

    world.server.before = replace_them
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")
    assert world.server.refreshes == 2


def test_an_outage_while_the_token_still_works_is_no_outage(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=28)
    world.server.before = lambda _: httpx.Response(503)
    assert world.vault().access_token(token_set).value.endswith("canary-access-1")
    assert world.server.refreshes == 1


def test_an_outage_with_an_ended_token_says_when_to_come_back(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    world.server.before = lambda _: httpx.Response(429, headers={"Retry-After": "17"})
    with pytest.raises(Unavailable) as raised:
        world.vault().access_token(token_set)
    assert raised.value.retry_after == 17


def test_while_another_refreshes_a_token_that_still_works_is_given_at_once(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=28)
    leases = Leases(world.table, world.time)
    assert leases.take(leases.look(token_set))
    assert world.vault().access_token(token_set).value.endswith("canary-access-1")
    assert world.pauses == []


def test_a_holder_that_died_blocks_nobody_for_longer_than_its_lease(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)
    leases = Leases(world.table, world.time)
    assert leases.take(leases.look(token_set))
    vault = world.vault(pause=lambda seconds: world.time.advance(seconds=seconds))
    with pytest.raises(Unavailable):
        vault.access_token(token_set)
    world.time.advance(seconds=40)
    assert vault.access_token(token_set).value.endswith("canary-access-2")


def test_a_lease_that_a_wrong_clock_has_set_far_ahead_blocks_nobody(world: World) -> None:
    token_set = world.connected()
    world.time.advance(days=60)
    leases = Leases(world.table, world.time)
    assert leases.take(leases.look(token_set))
    world.time.advance(days=-60, minutes=31)
    assert world.vault().access_token(token_set).value.endswith("canary-access-2")


def test_a_token_that_got_a_401_is_refreshed_once_for_all_who_report_it(world: World) -> None:
    token_set = world.connected()
    vaults: list[VaultService] = [world.vault() for _ in range(3)]
    rejected = fingerprint(vaults[0].access_token(token_set).value)
    given = {vault.access_token(token_set, rejected).value for vault in vaults}
    assert world.server.refreshes == 1
    assert len(given) == 1


def test_one_off_access_ends_with_its_access_token(world: World) -> None:
    world.server.scope = "openid bankfeeds"
    token_set = world.connected()
    world.time.advance(minutes=28)
    world.vault().access_token(token_set)
    world.time.advance(minutes=2)
    with pytest.raises(ReconnectionNeeded) as raised:
        world.vault().access_token(token_set)
    assert raised.value.problem.type == "one-off-access-ended"
    assert world.server.refreshes == 0


def test_a_new_consent_wins_over_a_refresh_that_is_under_way(world: World) -> None:
    token_set = world.connected()
    world.time.advance(minutes=31)

    def consent_meanwhile(_: int) -> None:
        world.vault().exchange_code("code-2", REDIRECT)

    world.server.after = consent_meanwhile
    given = world.vault().access_token(token_set).value
    assert given.endswith("canary-access-3")
    assert world.vault().access_token(token_set).value == given


def test_a_dead_code_is_the_customers_to_mend_and_stores_nothing(world: World) -> None:
    world.connected()
    before = dict(world.table.items)
    with pytest.raises(ReconnectionNeeded):
        world.vault().exchange_code("expired", REDIRECT)
    assert world.table.items == before


def test_a_revoked_token_set_is_forgotten(world: World) -> None:
    token_set = world.connected()
    vault = world.vault()
    vault.revoke(token_set)
    assert world.server.alive_until == {}
    assert world.secrets.current(f"token-sets/{token_set}") is None
    with pytest.raises(ReconnectionNeeded):
        vault.access_token(token_set)
    vault.revoke(token_set)
    assert world.connected("code-2") == token_set
    vault.access_token(token_set)


def test_tokens_of_the_former_app_work_until_they_end_and_then_need_a_new_consent(world: World) -> None:
    token_set = world.connected()
    vault = world.vault()
    vault.access_token(token_set)
    world.secrets.write("app-keys", '{"client_id": "OTHERAPP12345678", "client_secret": "other-secret"}')
    vault.access_token(token_set)
    world.time.advance(minutes=31)
    with pytest.raises(ReconnectionNeeded) as raised:
        vault.access_token(token_set)
    assert raised.value.problem.type == "granted-to-another-app"


def die_at_write(world: World) -> None:
    """The process ends after Xero's answer: it neither stores anything nor gives its lease back."""

    def die(_: str) -> None:
        world.table.dead = True
        raise Crash

    world.secrets.on_write = die
