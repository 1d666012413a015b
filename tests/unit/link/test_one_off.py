"""One-off access ends with its access token: the connection shows it, with one event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies import connection_limit
from feedlane.companies.connection import ConnectionStatus
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    world = World(access="OneOff")
    world.site.vault.scopes = ("bankfeeds",)
    world.link()
    return world


def _later(world: World, minutes: float) -> None:
    world.now += timedelta(minutes=minutes)
    world.run_follow_ups("oneOffAccess")


def test_when_the_token_ends_the_connection_is_deauthorized_with_the_reason(world: World) -> None:
    _later(world, 15)
    assert world.current().is_linked
    _later(world, 14)
    assert world.current().is_linked
    _later(world, 1.1)
    ended = world.current()
    assert ended.status is ConnectionStatus.DEAUTHORIZED
    assert ended.reconnection_fault is not None
    assert (ended.reconnection_fault.reason, ended.reconnection_fault.status_code) == ("one-off-access-ended", "401")
    assert world.event_types == ["connection.connected", "connection.disconnected"]
    assert connection_limit.linked_count(world.store) == 0


def test_no_refresh_token_is_asked_for(world: World) -> None:
    response = world.browser.get(f"{world.base()}/start?link.reconnect=1")
    assert "offline_access" not in response.query["scope"]


def test_a_look_again_tells_nothing_twice(world: World) -> None:
    world.queues.follow_ups *= 2
    _later(world, 31)
    assert world.event_types.count("connection.disconnected") == 1


def test_who_has_given_continuous_access_meanwhile_stays_linked(world: World) -> None:
    world.site.vault.scopes = ("bankfeeds", "offline_access")
    checks = list(world.queues.follow_ups)
    world.call_back(world.start(query="?link.reconnect=1"), "code-2")
    world.queues.follow_ups = checks
    _later(world, 31)
    assert world.current().is_linked
    assert world.current().access_ends is None


def test_connecting_again_recovers_it_once(world: World) -> None:
    _later(world, 31)
    world.link(code="code-2")
    world.call_back(world.start(query="?link.reconnect=1"), "code-3")
    assert world.event_types.count("connection.recovered") == 1
    [payload] = world.payloads("connection.recovered")
    assert (payload["reason"], payload["by"]) == ("one-off-access-ended", "reconnection")
