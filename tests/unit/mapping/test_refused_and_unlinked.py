"""A mapping that Xero has refused, and whose connection ends or moves: nothing that waits is forgotten."""

from __future__ import annotations

from datetime import timedelta

from feedlane.companies import items as company_items
from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Unavailable
from feedlane.feeds.push_operation import PushStatus
from feedlane.follow_ups import FeedConnectionCheck, RecoveryCheck
from feedlane.holds.release import resume_connection
from feedlane.link import connections, moving, recovery
from feedlane.scope import Scope
from tests import builders
from tests.builders import COMPANY, CONNECTION
from tests.hold_actions import lift
from tests.rights import acting_as
from tests.unit.mapping.test_refused_mappings import account, new_account, refuse, the_hold
from tests.worlds.feeds import World, transactions


def waiting() -> World:
    world = new_account()
    refuse(world)
    world.record(world.message(transactions(2)))
    world.run()
    return world


def test_what_waits_is_held_if_the_connection_is_unlinked_and_goes_once_it_is_back() -> None:
    world = waiting()
    with acting_as("public_api"):
        connections.unlink(world.ports, lambda _: None, world.now, COMPANY, CONNECTION)
    [operation] = lift(world, the_hold(world))
    world.run()
    assert world.operation(operation.key).status is PushStatus.FAILED
    assert (the_hold(world).scope, the_hold(world).reason) == (Scope.CONNECTION, RECONNECTION_NEEDED)
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    linked = builders.linked().but(version=connection.version)
    world.store.commit(company_items.put_connection(linked))
    with acting_as("oauth_callback"):
        resume_connection(world.ports, world.now, company_items.connection(world.store, COMPANY, CONNECTION))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_xero_that_is_busy_when_the_customer_is_back_is_asked_again_soon() -> None:
    """Not when the watch comes next, which by then may be in an hour."""
    world = new_account()
    refuse(world)
    lift(world, the_hold(world))
    world.queues.take("follow_ups")
    world.upstream.refusals = [Unavailable("Xero is busy")]
    start = world.now
    with acting_as("oauth_callback"):
        resume_connection(world.ports, world.now, company_items.connection(world.store, COMPANY, CONNECTION))
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert world.now - start < timedelta(minutes=5)


def test_looking_at_a_connection_again_and_again_adds_no_check_that_asks_for_ever() -> None:
    """Each look would add one, and all of them would wait for the same calls."""
    world = waiting()
    lift(world, the_hold(world))
    world.queues.take("follow_ups")
    for _ in range(3):
        with acting_as("check_statements"):
            recovery.check(world.ports, world.now, RecoveryCheck(company_id=COMPANY, connection_id=CONNECTION))
    checks = [check for check, _ in world.queues.take("follow_ups") if isinstance(check, FeedConnectionCheck)]
    assert [check.once for check in checks] == [True] * 3


def test_a_move_gives_it_up_for_the_old_ledger_and_leaves_it_to_the_customer_for_the_new_one() -> None:
    world = waiting()
    with acting_as("public_api"):
        new = moving.move(world.ports, world.upstream, lambda _: None, world.now, COMPANY, CONNECTION)
    [copy] = company_items.source_accounts(world.store, new.id)
    assert (account(world).wanted, copy.wanted, world.feed().awaits_connection) == (None, None, False)
