"""A feed connection that Xero takes at first and rejects later: told with Xero's problem, and mapped again."""

from __future__ import annotations

import pytest

from feedlane import mapping, unmapping
from feedlane.codat.source_accounts import mapping_json, source_account_json
from feedlane.errors import Conflict, Refused
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.problem import Problem
from feedlane.push_operation import PushStatus
from feedlane.releasing import release
from feedlane.source_account import SourceAccount, SourceAccountStatus
from feedlane.upstream import FeedConnection, TenantAccess
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.unit.feeds.moments import crashes_everywhere
from tests.worlds.feeds import World, transactions

TAKEN = Problem(
    type="feed-connected-in-different-organisation",
    title="Feed connected in different organisation",
    status=409,
    detail="The AccountToken is connected to another Xero Bank Account.",
)
PENDING = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
REJECTED = PENDING.but(rejection=TAKEN)


def mapped_again(waiting: int = 2) -> World:
    """An account that was unmapped, with lines waiting, and mapped again: Xero works on it."""
    world = World()
    if waiting:
        world.record(world.message(transactions(waiting)))
    connection = world.store.connection(COMPANY, CONNECTION)
    ports = (world.store, world.upstream, world.queues, world.now, world.new_id)
    unmapping.unmap(*ports, connection, account(world))
    world.upstream.create_feed_connection = made  # type: ignore[method-assign]
    mapping.map_account(*ports, connection, account(world), "target")
    return world


def made(access: TenantAccess, new: object) -> FeedConnection:
    return PENDING


def account(world: World) -> SourceAccount:
    return world.store.source_account(CONNECTION, ACCOUNT)


def map_again(world: World) -> None:
    del world.upstream.create_feed_connection  # type: ignore[attr-defined]
    world.upstream.connections.clear()
    connection = world.store.connection(COMPANY, CONNECTION)
    ports = (world.store, world.upstream, world.queues, world.now, world.new_id)
    mapping.map_account(*ports, connection, account(world), "other target")


def test_the_account_is_disconnected_with_xeros_problem_and_what_waits_is_held_with_it() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    found = account(world)
    assert (found.status, found.problem, found.mapping) == (SourceAccountStatus.DISCONNECTED, TAKEN, None)
    event = world.events("bankFeeds.sourceAccount.disconnected")[-1]
    assert event.payload["sourceAccount"]["problem"] == TAKEN.model_dump()
    [hold] = world.store.holds()
    assert (hold.reason, hold.problem) == (mapping.REJECTED, TAKEN)
    assert world.events("bankFeeds.held")[-1].payload["problem"] == TAKEN.model_dump()
    assert world.sent_ids() == []


def test_the_hold_that_stood_before_is_over_and_the_one_with_xeros_problem_takes_its_place() -> None:
    world = mapped_again()
    [before] = world.store.holds()
    world.upstream.connections.append(REJECTED)
    world.run()
    [after] = world.store.holds()
    assert after.id != before.id
    assert [event.payload["holdId"] for event in world.events("bankFeeds.held")] == [before.id, after.id]
    [over] = world.events("bankFeeds.released")
    assert (over.payload["holdId"], over.payload["waiting"]) == (before.id, 0)


def test_the_api_shows_why_and_refuses_a_push_with_it() -> None:
    world = mapped_again(waiting=0)
    world.upstream.connections.append(REJECTED)
    world.run()
    assert world.store.holds() == []
    shown = source_account_json(account(world))
    assert (shown["status"], shown["problem"]) == ("disconnected", TAKEN.model_dump())
    assert mapping_json(account(world), [])["problem"] == TAKEN.model_dump()
    with pytest.raises(Refused) as refused:
        world.push(transactions(1))
    assert refused.value.problem == TAKEN


def test_a_wake_up_that_finds_no_hold_any_more_holds_with_xeros_problem() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    [hold] = world.store.holds()
    world.store.commit(world.store.remove_hold(hold))
    world.sender.send(world.feed().id)
    [hold] = world.store.holds()
    assert (hold.reason, hold.problem) == (mapping.REJECTED, TAKEN)
    assert {one.status for one in world.operations()} == {PushStatus.FAILED}


def test_mapping_it_again_sends_what_waited_and_forgets_the_problem() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    map_again(world)
    world.run()
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.CONNECTED, None)
    assert "problem" not in source_account_json(account(world))
    assert world.store.holds() == []
    assert world.sent_ids() == ["t1", "t2"]


def test_a_release_without_a_mapping_says_that_it_has_to_be_mapped() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    [hold] = world.store.holds()
    with pytest.raises(Conflict, match="mapped again"):
        release(world.store, world.queues, world.now, world.new_id, hold)


def test_a_rejection_of_an_earlier_feed_connection_leaves_the_present_one_alone() -> None:
    world = mapped_again()
    ports = (world.store, world.queues, world.feed().id, "fc-earlier")
    assert not unmapping.feed_connection_rejected(*ports, TAKEN, world.now, world.new_id)
    assert account(world).status is SourceAccountStatus.CONNECTING


def test_a_refusal_to_be_asked_is_no_rejection() -> None:
    world = mapped_again()

    def refused(*given: object) -> None:
        raise Refused(Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403))

    world.upstream.feed_connection = refused  # type: ignore[method-assign,assignment]
    before = len(world.queues.follow_ups)
    world.checks.dispatch(next(check for check, _ in world.queues.follow_ups if isinstance(check, FeedConnectionCheck)))
    assert account(world).status is SourceAccountStatus.CONNECTING
    assert len(world.queues.follow_ups) == before + 1


def test_a_crash_at_any_step_leaves_nothing_untold() -> None:
    def make() -> World:
        world = mapped_again()
        world.upstream.connections.append(REJECTED)
        return world

    def look(world: World) -> None:
        world.checks.dispatch(
            next(check for check, _ in world.queues.follow_ups if isinstance(check, FeedConnectionCheck))
        )

    worlds = 0
    for world in crashes_everywhere(make, look):
        world.run()
        [hold] = world.store.holds()
        assert (hold.reason, account(world).problem) == (mapping.REJECTED, TAKEN)
        assert [event.payload["reason"] for event in world.events("bankFeeds.held")].count(mapping.REJECTED) == 1
        worlds += 1
    assert worlds > 3
