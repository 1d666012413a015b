"""A feed connection that Xero first accepts and later rejects: reported with Xero's problem, and mapped again."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.shapes import source_account_json
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Conflict, Refused, Unavailable
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.refusals import ALREADY_CONNECTED_HERE, MAY_BE_THERE
from feedlane.feeds.upstream import FeedConnection, TenantAccess
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.holds import items as hold_items
from feedlane.ids import account_token
from feedlane.mapping import mapping, refused, unmapping
from feedlane.mapping.shapes import mapping_json
from feedlane.problem import Problem
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.hold_actions import lift
from tests.interruptions import crashes_everywhere
from tests.worlds.feeds import World, transactions

TAKEN = Problem(
    type="feed-connected-in-different-organisation",
    title="Feed connected in different organisation",
    status=409,
    detail="The AccountToken is connected to another Xero Bank Account.",
)
ACCESS = TenantAccess(tenant_id="tenant", token_set_id="tokens")
PENDING = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
REJECTED = PENDING.but(rejection=TAKEN)


def mapped_again(waiting: int = 2) -> World:
    """An account that was unmapped, with lines waiting, and mapped again: Xero is setting it up."""
    world = World()
    if waiting:
        world.record(world.message(transactions(waiting)))
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    unmapping.unmap(world.ports, world.upstream, world.now, connection, account(world))
    world.upstream.create_feed_connection = create_pending  # type: ignore[method-assign]
    mapping.map_account(world.ports, world.upstream, world.now, connection, account(world), "target")
    return world


def create_pending(access: TenantAccess, new: object) -> FeedConnection:
    return PENDING


def account(world: World) -> SourceAccount:
    return company_items.source_account(world.store, CONNECTION, ACCOUNT)


def check_connection(world: World) -> None:
    world.checks.dispatch(next(check for check, _ in world.queues.follow_ups if isinstance(check, FeedConnectionCheck)))


def map_again(world: World) -> None:
    del world.upstream.create_feed_connection  # type: ignore[attr-defined]
    world.upstream.connections.clear()
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    mapping.map_account(world.ports, world.upstream, world.now, connection, account(world), "other target")


def test_the_account_is_disconnected_with_xeros_problem_and_what_waits_is_held_with_it() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    rejected = account(world)
    assert (rejected.status, rejected.problem, rejected.mapping) == (SourceAccountStatus.DISCONNECTED, TAKEN, None)
    event = world.events("bankFeeds.sourceAccount.disconnected")[-1]
    assert event.payload["sourceAccount"]["problem"] == TAKEN.model_dump()
    [hold] = hold_items.holds(world.store)
    assert (hold.reason, hold.problem) == (refused.REASON_REJECTED, TAKEN)
    assert world.events("bankFeeds.held")[-1].payload["problem"] == TAKEN.model_dump()
    assert world.sent_ids() == []


def test_the_hold_that_stood_before_is_over_and_the_one_with_xeros_problem_takes_its_place() -> None:
    world = mapped_again()
    [before] = hold_items.holds(world.store)
    world.upstream.connections.append(REJECTED)
    world.run()
    [after] = hold_items.holds(world.store)
    assert after.id != before.id
    assert [event.payload["holdId"] for event in world.events("bankFeeds.held")] == [before.id, after.id]
    [released] = world.events("bankFeeds.released")
    assert (released.payload["holdId"], released.payload["waiting"]) == (before.id, 0)


def test_the_api_shows_why_and_refuses_a_push_with_it() -> None:
    world = mapped_again(waiting=0)
    world.upstream.connections.append(REJECTED)
    world.run()
    assert hold_items.holds(world.store) == []
    shape = source_account_json(account(world))
    assert (shape["status"], shape["problem"]) == ("disconnected", TAKEN.model_dump())
    assert mapping_json(account(world), [])["problem"] == TAKEN.model_dump()
    with pytest.raises(Refused) as refused:
        world.push(transactions(1))
    assert refused.value.problem == TAKEN


def test_a_wake_up_that_finds_no_hold_any_more_holds_with_xeros_problem() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    [hold] = hold_items.holds(world.store)
    world.store.commit(*hold_items.remove_holds([hold]))
    world.sender.send(world.feed().id)
    [hold] = hold_items.holds(world.store)
    assert (hold.reason, hold.problem) == (refused.REASON_REJECTED, TAKEN)
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}


def test_mapping_it_again_sends_what_waited_and_forgets_the_problem() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    map_again(world)
    world.run()
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.CONNECTED, None)
    assert "problem" not in source_account_json(account(world))
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2"]


def test_a_release_without_a_mapping_says_that_it_has_to_be_mapped() -> None:
    world = mapped_again()
    world.upstream.connections.append(REJECTED)
    world.run()
    [hold] = hold_items.holds(world.store)
    with pytest.raises(Conflict, match="mapped again"):
        lift(world, hold)


def test_a_rejection_of_an_earlier_feed_connection_leaves_the_present_one_alone() -> None:
    world = mapped_again()
    refusal = world.upstream.refusal_for_rejection(ACCESS, [TAKEN])
    assert not unmapping.record_feed_connection_rejected(
        world.ports, world.feed().id, "fc-earlier", TAKEN, refusal, world.now
    )
    assert account(world).status is SourceAccountStatus.CONNECTING


@pytest.mark.parametrize("type", sorted(MAY_BE_THERE))
def test_one_rejected_because_an_earlier_request_made_one_gives_way_to_that(type: str) -> None:
    world = mapped_again()
    repeated = PENDING.but(rejection=Problem(type=type, title="There already", status=409))
    ours = FeedConnection(
        id="fc-ours", account_token=account_token(CONNECTION, ACCOUNT), account_id="target", active=True
    )
    world.upstream.connections += [repeated, ours]
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert account(world).problem is None
    assert world.feed().feed_connection_id == "fc-ours"
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []


def test_one_with_another_token_is_not_ours() -> None:
    world = mapped_again()
    repeated = PENDING.but(rejection=Problem(type=ALREADY_CONNECTED_HERE, title="There already", status=409))
    world.upstream.connections += [repeated, PENDING.but(id="fc-other", account_token="another", active=True)]
    world.run()
    assert account(world).status is SourceAccountStatus.DISCONNECTED
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_REJECTED]


def test_the_feed_connection_that_was_rejected_is_not_taken_for_the_other() -> None:
    """Codat's have the account's id, and may be listed with an error."""
    world = mapped_again()
    problem = Problem(type=ALREADY_CONNECTED_HERE, title="There already", status=409)
    world.upstream.connections.append(PENDING.but(account_token=account_token(CONNECTION, ACCOUNT), rejection=problem))
    world.run()
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.DISCONNECTED, problem)


def test_what_the_list_does_not_answer_is_asked_again() -> None:
    world = mapped_again()
    problem = Problem(type=ALREADY_CONNECTED_HERE, title="There already", status=409)
    world.upstream.connections.append(PENDING.but(rejection=problem))

    def unavailable(access: TenantAccess) -> list[FeedConnection]:
        raise Unavailable("down")

    world.upstream.feed_connections = unavailable  # type: ignore[method-assign]
    check_connection(world)
    assert account(world).status is SourceAccountStatus.CONNECTING


def test_a_refusal_to_be_asked_is_no_rejection() -> None:
    world = mapped_again()

    def refuse(*arguments: object) -> None:
        raise Refused(Problem(type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403))

    world.upstream.feed_connection = refuse  # type: ignore[method-assign,assignment]
    check_connection(world)
    assert account(world).status is SourceAccountStatus.CONNECTING
    assert any(isinstance(check, FeedConnectionCheck) and check.turn == 1 for check, _ in world.queues.follow_ups)


def test_a_crash_at_any_step_leaves_nothing_untold() -> None:
    def rejected() -> World:
        world = mapped_again()
        world.upstream.connections.append(REJECTED)
        return world

    worlds = 0
    for world in crashes_everywhere(rejected, check_connection):
        world.run()
        [hold] = hold_items.holds(world.store)
        assert (hold.reason, account(world).problem) == (refused.REASON_REJECTED, TAKEN)
        assert [event.payload["reason"] for event in world.events("bankFeeds.held")].count(refused.REASON_REJECTED) == 1
        worlds += 1
    assert worlds > 3
