"""A connection changes its upstream in place: each line goes to one of them, once, and the ledgers stay."""

from __future__ import annotations

import pytest

from feedlane.companies.connection import ChangeState, ConnectionStatus, UpstreamName
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.holds import items as hold_items
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, XERO, World

BOTH = pytest.mark.parametrize(("start", "to"), [(XERO, CODAT), (CODAT, XERO)])


def ids(count: int, start: int = 1) -> list[str]:
    return [f"t{number}" for number in range(start, start + count)]


def lines_at(world: World, upstream: UpstreamName) -> list[str]:
    return world.at_xero if upstream is XERO else world.arrived


@BOTH
def test_each_line_goes_to_one_of_them_once_and_in_order(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    first = world.push(transactions(3))
    world.run()
    changed = world.change(to)
    assert changed.id == world.connection.id
    assert (changed.status, changed.upstream) == (ConnectionStatus.PENDING_AUTH, to)
    assert changed.change is not None
    assert changed.change.state is ChangeState.AWAITING_CONSENT
    waiting = world.push(transactions(2, start=4, opening=30))
    world.run()
    assert world.operation(waiting.key).status is PushStatus.PENDING
    world.consent()
    assert world.current().change is None
    later = world.push(transactions(2, start=6, opening=50))
    world.run()
    assert lines_at(world, to) == []
    world.map_accounts()
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == (ids(3), ids(4, 4))
    for operation in (first, waiting, later):
        assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.spans == [(start.value, 1), (to.value, 4)]
    assert hold_items.holds(world.store) == []


@BOTH
def test_and_back_again(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    for number, upstream in enumerate((start, to, start, to)):
        if number:
            world.change(upstream)
            world.run()
            world.consent()
            world.map_accounts()
        world.push(transactions(2, start=1 + 2 * number, opening=20.0 * number))
        world.run()
    assert lines_at(world, start) == ids(2) + ids(2, 5)
    assert lines_at(world, to) == ids(2, 3) + ids(2, 7)
    assert world.spans == [(start.value, 1), (to.value, 3), (start.value, 5), (to.value, 7)]


@BOTH
def test_what_is_in_flight_is_followed_to_its_end_and_the_change_goes_on_by_itself(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    pushed = world.push(transactions(3))
    while world.feed().flight is None or world.feed().flight.status is not FlightStatus.PENDING:  # type: ignore[union-attr]
        assert world.step()
    world.push(transactions(1, start=4, opening=30))
    changed = world.change(to)
    assert (changed.status, changed.upstream) == (ConnectionStatus.LINKED, start)
    assert changed.change is not None
    assert changed.change.state is ChangeState.STOPPING
    world.run()
    assert world.operation(pushed.key).status is PushStatus.SUCCESS
    assert world.current().status is ConnectionStatus.PENDING_AUTH
    assert world.feed().waiting == 1
    assert lines_at(world, start) == ids(3)
    assert [event.payload["state"] for event in world.events("connection.upstreamChange")] == [
        "stopping",
        "awaitingConsent",
    ]


def test_the_former_access_has_ended() -> None:
    world = World(XERO).ready()
    world.change(CODAT)
    assert world.ended == ["xero-acme"]
    assert world.direct.connections == []
    assert world.account().status is SourceAccountStatus.DISCONNECTED
    world.consent()
    world.map_accounts()
    [at_codat] = world.codat.connections.values()
    assert at_codat.status == "Linked"
    world.change(XERO)
    assert at_codat.status == "Unlinked"
