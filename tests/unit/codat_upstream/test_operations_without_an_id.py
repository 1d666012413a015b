"""Push operations whose statement nobody knows any more, and those that never end: they are no other statement's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.statements.resolution import Resolution, resolve
from local.codat_simulator.records import Outcome
from local.simulator.faults import Fault
from tests.rights import acting_as
from tests.worlds.codat import ACCOUNT, World
from tests.worlds.feeds import transactions

SECOND = "second"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.add_account(SECOND, account_number="20011235")
    world.codat.link.maps = "newAccounts"
    world.go_through_link()
    world.run()
    world.codat.behaviour.data_echo = "never"
    return world


def pass_time(world: World, **span: float) -> None:
    until = world.now + timedelta(**span)
    while world.now < until and world.step():
        pass


def resolved(world: World, outcome: Resolution, account: str = ACCOUNT) -> None:
    flight = world.feed(account).flight
    assert flight is not None
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed(account).id, flight.number, outcome)


def arrived_for(world: World, account: str) -> list[str]:
    return [str(one.line["id"]) for one in world.codat.arrived if one.account_id == account]


def test_what_an_operator_found_in_xero_is_no_other_statements_push(world: World) -> None:
    """The answers to two feeds' pushes are lost; one has arrived. An operator looks into both accounts."""
    is_push: Any = lambda request: request.method == "POST" and "/push/" in request.url.path  # noqa: E731
    world.wire.lose = is_push
    page = Fault(1, "page", "before", path=f"*{SECOND}/bankTransactions", status=502, times=None)
    world.codat.faults.active.append(page)
    second = world.push(transactions(2), SECOND)
    while world.feed(SECOND).flight is None:
        assert world.step()
    first = world.push(transactions(2))
    pass_time(world, hours=26)
    world.wire.lose = lambda request: False
    world.codat.faults.active.clear()
    assert arrived_for(world, ACCOUNT) == ["t1", "t2"]
    resolved(world, Resolution.DELIVERED)
    resolved(world, Resolution.NOT_DELIVERED, SECOND)
    world.run(2000)
    assert arrived_for(world, ACCOUNT) == arrived_for(world, SECOND) == ["t1", "t2"]
    assert [world.operation(one.key).status for one in (first, second)] == [PushStatus.SUCCESS] * 2


def test_an_operation_that_never_ends_is_left_behind_once_somebody_says_that_nothing_came(world: World) -> None:
    world.codat.outcomes.append(Outcome("Never", "", None, None, False, (), ACCOUNT, 1))
    pushed = world.push(transactions(2))
    pass_time(world, hours=26)
    flight = world.feed().flight
    assert flight is not None
    assert flight.status is FlightStatus.PENDING
    resolved(world, Resolution.NOT_DELIVERED)
    world.run(2000)
    assert world.arrived == ["t1", "t2"]
    assert world.operation(pushed.key).status is PushStatus.SUCCESS
