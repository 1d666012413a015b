"""The life of a connection through Codat: unlinked, deleted, moved, and looked after by the daily round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.connection import Connection, ConnectionStatus, UpstreamName
from feedlane.link import connections, moving
from feedlane.upkeep.connections import CheckResult, ConnectionCheck
from feedlane.upkeep.hosted import access_at_codat
from local.codat_simulator.connections import link as link_at_codat
from local.codat_simulator.connections import sever
from tests.rights import acting_as
from tests.worlds.codat import World


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.go_through_link()
    world.run()
    return world


def at_codat(world: World) -> Any:
    hosted = world.current().hosted
    assert hosted is not None
    return world.codat.connections[hosted.connection_id]


def check(world: World) -> CheckResult:
    """The round over all connections. Xero and its tokens must not be asked about those of Codat's."""
    never: Any = None
    with acting_as("tend_connections"):
        round = ConnectionCheck(
            world.ports, never, never, never,
            at_codat=lambda connection: access_at_codat(lambda: world.site.hosted_link, connection),
        )  # fmt: skip
        return round.check_page("", lambda: timedelta(minutes=5))


def ids(world: World) -> tuple[str, str]:
    return world.connection.company_id, world.connection.id


def test_unlinked_here_it_is_unlinked_there_and_leaves_nothing_to_revoke(world: World) -> None:
    with acting_as("public_api"):
        unlinked = connections.unlink(world.ports, world.site.disconnect, world.now, *ids(world))
    assert (unlinked.status, at_codat(world).status) == (ConnectionStatus.UNLINKED, "Unlinked")
    assert places.count_places(world.store) == 0
    assert not [key for key in world.table.items if "GRANT" in key[1]]
    world.go_through_link()
    assert (world.current().status, at_codat(world).status) == (ConnectionStatus.LINKED, "Linked")


def test_deleted_here_it_is_unlinked_there(world: World) -> None:
    hosted = at_codat(world)
    with acting_as("public_api"):
        connections.delete(world.ports, world.upstream, world.site.disconnect, world.now, *ids(world))
    assert hosted.status == "Unlinked"
    assert company_items.connections(world.store, world.connection.company_id) == []


@pytest.mark.parametrize("ending", ["unlink", "delete"])
def test_codat_may_tell_of_the_end_before_it_is_written_here(world: World, ending: str) -> None:
    """Its webhook rings, and whoever is rung finds the connection ended and says so, all in between."""

    def disconnect(connection: Connection) -> None:
        world.site.disconnect(connection)
        assert check(world).ended == 1

    with acting_as("public_api"):
        if ending == "unlink":
            connections.unlink(world.ports, disconnect, world.now, *ids(world))
            assert world.current().status is ConnectionStatus.UNLINKED
        else:
            connections.delete(world.ports, world.upstream, disconnect, world.now, *ids(world))
            assert company_items.connections(world.store, world.connection.company_id) == []
    assert len(world.events("connection.disconnected")) == 1


def test_a_moved_connection_keeps_the_upstream_and_gets_another_company_at_codat(world: World) -> None:
    before = world.current().hosted
    with acting_as("public_api"):
        world.connection = moving.move(world.ports, world.upstream, world.site.disconnect, world.now, *ids(world))
    assert (world.connection.upstream, world.connection.hosted) == (UpstreamName.CODAT, None)
    world.go_through_link()
    after = world.current().hosted
    assert after is not None
    assert before is not None
    assert after.company_id != before.company_id
    assert world.current().is_linked


def test_the_round_leaves_a_connection_that_codat_has_linked(world: World) -> None:
    before = world.current()
    result = check(world)
    assert (result.checked, result.ended, result.unknown) == (1, 0, ())
    assert world.current() == before


@pytest.mark.parametrize("status", ["Unlinked", "Deauthorized"])
def test_the_round_finds_what_has_ended_there_and_what_works_again(world: World, status: Any) -> None:
    sever(world.codat, at_codat(world), status)
    assert check(world).ended == 1
    assert world.current().status is ConnectionStatus.DEAUTHORIZED
    [event] = world.events("connection.disconnected")
    assert event.payload["connection"]["dataConnectionErrors"][-1]["reason"] == "connection-removed"
    link_at_codat(world.codat, at_codat(world), "any")
    assert check(world).ended == 0
    assert world.current().is_linked
    assert len(world.events("connection.recovered")) == 1


def test_a_connection_that_is_gone_at_codat_has_ended(world: World) -> None:
    del world.codat.connections[at_codat(world).id]
    assert check(world).ended == 1


def test_codats_silence_ends_nothing_and_stops_no_round(world: World) -> None:
    world.wire.lose = lambda request: True
    result = check(world)
    assert (result.ended, result.unknown, result.stop) == (0, (ids(world),), False)
    world.wire.lose = lambda request: False
    world.keys.keys = ["withdrawn-key-of-codat"]
    world.advance(minutes=6)
    assert check(world).ended == 0
    assert world.current().is_linked
