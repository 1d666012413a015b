"""An account or a connection is deleted while Xero has a statement of it: its push ends, and nothing is held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.feeds.upstream import Accepted, Refusal, StatementStatus
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.link import connections
from feedlane.mapping import unmapping
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.table import ConditionFailed
from feedlane.upkeep import overdue
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.interruptions import just_before
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

NO_ACCESS = Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=CONNECTION_REMOVED)
NOT_FOUND = Refusal(
    scope=Scope.FEED,
    reason="statement-not-found",
    problem=Problem(type="not-found", title="Not Found", status=404, detail="No such operation."),
)


def with_statement_at_xero() -> tuple[World, PushOperation]:
    world = World()
    pushed = world.push(transactions(2))
    while not world.upstream.taken:
        world.step()
    return world, pushed


def delete_connection(world: World) -> None:
    with acting_as("public_api"):
        connections.delete(world.ports, world.upstream, lambda connection: None, world.now, COMPANY, CONNECTION)


def remove_account(world: World) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    with acting_as("public_api"):
        unmapping.remove_account(world.ports, world.upstream, world.now, connection, account)


@pytest.mark.parametrize("refusal", [NO_ACCESS, NOT_FOUND], ids=["Xero", "Codat"])
def test_a_push_whose_connection_was_deleted_ends_with_the_words_that_nobody_knows(refusal: Refusal) -> None:
    world, pushed = with_statement_at_xero()
    delete_connection(world)
    world.upstream.statuses["statement-1"] = refusal
    world.run()
    operation = world.operation(pushed.key)
    assert (operation.status, operation.problem and operation.problem.type) == (PushStatus.FAILED, "connection-deleted")
    assert hold_items.holds(world.store) == []
    assert "bankFeeds.held" not in world.event_types


def test_the_watch_does_not_come_back_to_it_for_ever() -> None:
    world, _ = with_statement_at_xero()
    delete_connection(world)
    world.upstream.statuses["statement-1"] = NO_ACCESS
    world.run()
    for _ in range(3):
        world.now += timedelta(hours=2)
        with acting_as("tend_connections"):
            overdue.ring(world.ports)
        assert world.queues.follow_ups == []


def test_it_succeeds_as_long_as_xero_still_tells() -> None:
    world, pushed = with_statement_at_xero()
    delete_connection(world)
    world.run()
    assert world.operation(pushed.key).status is PushStatus.SUCCESS


@pytest.mark.parametrize("type", ["account-not-valid", "invalid-request"])
def test_what_xero_rejects_of_a_deleted_account_fails_its_push_and_holds_nothing(type: str) -> None:
    world, pushed = with_statement_at_xero()
    remove_account(world)
    problem = Problem(type=type, title="Refused", status=422, detail="It is archived.")
    rejected = Accepted(statement_id="statement-1", status=StatementStatus.REJECTED, problems=(problem,))
    world.upstream.statuses["statement-1"] = rejected
    world.run()
    operation = world.operation(pushed.key)
    assert (operation.status, operation.problem) == (PushStatus.FAILED, problem)
    assert hold_items.holds(world.store) == []


# at the very same moment


def place(world: World, scope: Scope) -> None:
    refusal = NO_ACCESS if scope is Scope.CONNECTION else NOT_FOUND
    with acting_as("push_statements"):
        placement.hold_feed(world.ports, world.feed(), refusal, builders.company(), world.now)


PLACES: Any = pytest.mark.parametrize(
    ("scope", "end", "key"),
    [
        (Scope.FEED, remove_account, keys.source_account(CONNECTION, ACCOUNT)),
        (Scope.CONNECTION, delete_connection, keys.connection(COMPANY, CONNECTION)),
    ],
)


@PLACES
def test_a_hold_placed_just_before_the_deletion_goes_with_it(scope: Scope, end: Any, key: Any) -> None:
    world = World()
    just_before(world, "commit", lambda: place(world, scope), f"Delete(key={key!r}")
    end(world)
    assert hold_items.holds(world.store) == []


@PLACES
def test_none_is_placed_just_after_it(scope: Scope, end: Any, key: Any) -> None:
    world = World()
    just_before(world, "commit", lambda: end(world), "bankFeeds.held")
    with pytest.raises(ConditionFailed):
        place(world, scope)
    assert hold_items.holds(world.store) == []
