"""Through Codat, an account has the same feed connection id each time that it is mapped: it is no sign of an end."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import LimitReached
from feedlane.feeds.push_operation import PushStatus
from feedlane.mapping import mapping, unmapping
from feedlane.statements import limits
from tests.rights import acting_as
from tests.worlds.codat import ACCOUNT, World
from tests.worlds.feeds import transactions


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.codat.link.maps = "newAccounts"
    world.go_through_link()
    world.run()
    return world


def unmap(world: World) -> None:
    with acting_as("public_api"):
        unmapping.unmap(world.ports, world.upstream, world.now, world.current(), world.account())


def map_to(world: World, target: str | None) -> None:
    world.advance(minutes=1)
    account = company_items.source_account(world.store, world.connection.id, ACCOUNT)
    with acting_as("public_api"):
        mapping.map_account(world.ports, world.upstream, world.now, world.current(), account, target)
    world.run()


def target_of(world: World) -> str:
    made = world.account().mapping
    assert made is not None
    return made.target_account_id or ""


def test_an_account_that_was_disconnected_is_mapped_again_and_its_lines_go_on(world: World) -> None:
    target = target_of(world)
    world.push(transactions(2))
    world.run()
    unmap(world)
    map_to(world, target)
    assert world.account().status is SourceAccountStatus.CONNECTED
    world.push(transactions(2, start=3, opening=20.0))
    world.run()
    assert world.arrived == ["t1", "t2", "t3", "t4"]


def test_lines_that_went_to_another_account_are_named(world: World) -> None:
    world.push(transactions(2))
    world.run()
    unmap(world)
    map_to(world, None)
    repeated = world.push(transactions(3))
    world.run()
    ended = world.operation(repeated.key)
    assert ended.status is PushStatus.SUCCESS
    assert [warning.validator for warning in ended.warnings] == ["DeliveredElsewhere"] * 2


def test_another_account_does_not_open_with_the_balance_of_the_one_before(world: World) -> None:
    world.push(transactions(2))
    world.run()
    unmap(world)
    map_to(world, None)
    assert world.feed().closing_balance is None


def test_a_call_that_our_own_limits_forbid_says_when_it_may_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "XERO_TENANT_LIMITS", limits.Limits(per_minute=1, concurrent=5))
    world.advance(minutes=2)
    with acting_as("public_api"), pytest.raises(LimitReached) as reached:  # it takes two requests
        world.upstream.target_accounts(mapping.access_to(world.current()))
    assert reached.value.retry_after
