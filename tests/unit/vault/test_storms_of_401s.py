"""A storm of 401s: no token that is minutes old is refreshed, and no secret comes near its 100 versions a day."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.vault.refresh import FORCED_EVERY, YOUNG
from feedlane.vault.service import VaultService
from tests.worlds.vault import Crash, World

DAY = timedelta(days=1)
# Secrets Manager takes 100 versions; a customer who consents again and again needs some of them.
VERSIONS_EXPECTED_MAX = 90


@pytest.fixture
def world() -> World:
    return World()


def test_a_young_token_that_xero_rejects_is_not_refreshed(world: World) -> None:
    token_set = world.connect()
    rejected = fingerprint(world.vault().access_token(token_set).value)
    world.now += YOUNG - timedelta(seconds=1)
    with pytest.raises(Unavailable) as raised:
        world.vault().access_token(token_set, rejected)
    assert raised.value.retry_after
    assert world.server.refreshes == 0
    assert fingerprint(world.vault().access_token(token_set).value) == rejected, "for other calls it is still good"
    world.advance(seconds=1)
    assert fingerprint(world.vault().access_token(token_set, rejected).value) != rejected


def test_a_token_that_was_refreshed_for_a_401_is_not_refreshed_for_another_within_the_window(world: World) -> None:
    token_set = world.connect()
    refreshes = []
    for _ in range(int(FORCED_EVERY / timedelta(minutes=1))):
        world.advance(minutes=1)
        report_401(world, token_set)
        refreshes.append(world.server.refreshes)
    assert refreshes[-1] <= 1 + FORCED_EVERY // timedelta(minutes=27), "one for a 401, the others in due time"


def test_a_401_is_no_end_of_one_off_access_only_its_time_is(world: World) -> None:
    world.server.scope = "openid bankfeeds"
    token_set = world.connect()
    rejected = fingerprint(world.vault().access_token(token_set).value)
    for _ in range(2):
        with pytest.raises(Unavailable):
            world.vault().access_token(token_set, rejected)
        world.now += YOUNG
    world.now += timedelta(minutes=20)
    with pytest.raises(ReconnectionNeeded):
        world.vault().access_token(token_set, rejected)


def test_a_refresh_in_doubt_is_repeated_however_young_the_token_is(world: World) -> None:
    token_set = world.connect()
    world.now += YOUNG
    rejected = fingerprint(world.vault().access_token(token_set).value)
    world.server.after = lambda _: httpx.Response(503)
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set, rejected)
    world.server.after = lambda _: None
    assert fingerprint(world.vault().access_token(token_set, rejected).value) != rejected


class Storm:
    """Every token is rejected, two a minute, while a tenth of the refreshes fail after Xero has issued the pair."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.rng = world, random.Random(seed)
        self.token_set = world.connect()
        self.needless = 0
        self._last, self._is_in_doubt = world.now, False
        self._vaults = [world.vault() for _ in range(3)]
        world.server.after, world.secrets.after_write = self._answer, self._after_write

    def run(self, period: timedelta) -> None:
        end = self.world.now + period
        while self.world.now < end:
            self.world.advance(seconds=self.rng.expovariate(1 / 30))
            number = self.rng.randrange(len(self._vaults))
            try:
                report_401(self.world, self.token_set, self._vaults[number])
            except Crash:
                self.world.table.dead = False
                self._vaults[number] = self.world.vault()

    @property
    def versions(self) -> int:
        return len(self.world.secrets.client.versions[f"memory/token-sets/{self.token_set}"])

    def _answer(self, _: int) -> httpx.Response | None:
        self.needless += self.world.now - self._last < YOUNG and not self._is_in_doubt
        self._last, self._is_in_doubt = self.world.now, self.rng.random() < 0.05
        return httpx.Response(503) if self._is_in_doubt else None

    def _after_write(self, _: str) -> None:
        fate = self.rng.random()
        self._is_in_doubt = fate < 0.06
        if fate < 0.03:
            self.world.table.dead = True
            raise Crash
        if self._is_in_doubt:
            raise Unavailable("the answer is lost", 1)


@pytest.mark.parametrize("seed", range(6))
def test_a_day_of_401s_stays_far_below_a_hundred_versions(world: World, seed: int) -> None:
    storm = Storm(world, seed)
    storm.run(DAY)
    assert storm.versions <= VERSIONS_EXPECTED_MAX
    assert storm.needless == 0, "a token that is minutes old was refreshed without a doubt about the refresh before"
    world.restart()
    world.server.after = lambda _: None
    world.advance(minutes=31)
    assert world.vault().access_token(storm.token_set).value


def report_401(world: World, token_set: str, vault: VaultService | None = None) -> None:
    """Xero rejects the token that the vault gives."""
    vault = vault or world.vault()
    with suppress(Unavailable):
        token = vault.access_token(token_set)
        vault.access_token(token_set, fingerprint(token.value))
