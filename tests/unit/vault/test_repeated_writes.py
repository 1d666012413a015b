"""A refresh whose version cannot be published is repeated: each repetition writes a version, up to a limit.

Secrets Manager takes about 100 a day, and a pair that Xero issues and that cannot be stored is lost after 30 minutes.
"""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from feedlane.errors import Unavailable
from feedlane.vault import refresh
from feedlane.vault.refresh import REFRESHES_A_DAY_MAX
from tests.worlds.vault import World


class Refused(Exception):
    """The table's, as boto3 raises them."""


@pytest.mark.parametrize("size", [1, 10])
def test_versions_that_cannot_be_published_leave_room_and_lose_no_token(size: int) -> None:
    world = World(size)
    token_set = world.connect()
    written: list[str] = []

    def refuse_the_publication() -> None:
        if written and written.pop():
            raise Refused

    world.secrets.after_write = written.append
    world.table.on_commit = refuse_the_publication
    for _ in range(150):
        world.advance(minutes=5)
        with suppress(Unavailable, Refused):
            world.vault().access_token(token_set)
    versions = max(map(len, world.secrets.client.versions.values()))
    assert REFRESHES_A_DAY_MAX / 2 < versions <= REFRESHES_A_DAY_MAX + 1, "one is the consent's"
    vault = world.restart()
    world.advance(hours=24)
    assert vault.access_token(token_set).value


def test_refreshes_that_wrote_nothing_do_not_count() -> None:
    world = World()
    token_set = world.connect()
    world.server.before = lambda _: httpx.Response(503)
    for _ in range(2 * REFRESHES_A_DAY_MAX):
        world.advance(minutes=5)
        with suppress(Unavailable):
            world.vault().access_token(token_set)
    world.server.before = lambda _: None
    assert world.vault().access_token(token_set).value


def test_a_token_that_works_is_given_even_if_it_may_not_be_refreshed_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "REFRESHES_A_DAY_MAX", 0)
    world = World()
    token_set = world.connect()
    world.advance(minutes=28)
    assert world.vault().access_token(token_set).value
    world.advance(minutes=2)
    with pytest.raises(Unavailable) as raised:
        world.vault().access_token(token_set)
    assert raised.value.retry_after
    assert world.server.refreshes == 0
