"""Customers whose token sets share secrets."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

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


def claims_of(token: str) -> dict[str, str]:
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


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
