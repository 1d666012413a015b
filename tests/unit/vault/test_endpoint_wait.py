"""What the token endpoint asks one customer's refresh to wait, all refreshes and consents wait."""

from __future__ import annotations

import httpx
import pytest

from feedlane.errors import Unavailable
from tests.worlds.vault import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_wait_of_the_token_endpoint_is_kept_by_everyone_until_it_is_over(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.before = lambda _: httpx.Response(429, headers={"Retry-After": "300"})
    for wait in (300, 300):
        with pytest.raises(Unavailable) as raised:
            world.vault().access_token(token_set)
        assert raised.value.retry_after == wait
    world.server.before = lambda _: None
    asked = world.server.refreshes
    world.advance(minutes=4)
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    assert world.server.refreshes == asked
    world.advance(minutes=2)
    assert world.vault().access_token(token_set)


def test_the_apps_own_token_waits_too(world: World) -> None:
    token_set = world.connect()
    world.advance(minutes=31)
    world.server.before = lambda _: httpx.Response(429, headers={"Retry-After": "300"})
    with pytest.raises(Unavailable):
        world.vault().access_token(token_set)
    asked: list[object] = []
    world.server.before = lambda request: asked.append(request)  # type: ignore[func-returns-value]
    with pytest.raises(Unavailable) as raised:
        world.vault().app_token()
    assert (asked, raised.value.retry_after) == ([], 300)
