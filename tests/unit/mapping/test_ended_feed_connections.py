"""A feed connection that has ended: by the customer in Xero, or by a disconnection that Xero has not finished yet."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Refused
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import FeedConnection
from feedlane.holds import items as hold_items
from feedlane.mapping import mapping, unmapping
from tests import builders
from tests.account_actions import map_again, remove, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.fakes.upstream import REJECTED
from tests.interruptions import crashes_everywhere
from tests.worlds.feeds import World, transactions

ARCHIVED = REJECTED.but(reason="account-archived")


@pytest.fixture
def world() -> World:
    """An account that was mapped to "target", and is connected."""
    return mapped()


def mapped() -> World:
    world = World()
    unmap(world)
    map_again(world)
    world.run()
    return world


def account(world: World) -> SourceAccount:
    return company_items.source_account(world.store, CONNECTION, ACCOUNT)


def map_to(world: World, target: str | None) -> SourceAccount:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    return mapping.map_account(world.ports, world.upstream, world.now, connection, account(world), target)


def end_in_xero(world: World) -> str:
    id = world.feed().feed_connection_id
    world.upstream.end(id)
    return id


def disconnected_events(world: World) -> int:
    return len(world.events("bankFeeds.sourceAccount.disconnected"))


def test_the_customer_ends_it_in_xero_and_the_next_push_shows_and_tells_it(world: World) -> None:
    before = disconnected_events(world)
    end_in_xero(world)
    operation = world.push(transactions(2))
    world.run()
    assert (account(world).status, account(world).mapping) == (SourceAccountStatus.DISCONNECTED, None)
    assert disconnected_events(world) == before + 1
    [hold] = hold_items.holds(world.store)
    assert hold.reason == "feed-connection-gone"
    assert world.operation(operation.key).status is PushStatus.FAILED
    # What comes through the queue waits too
    world.record(world.message(transactions(1, start=3, opening=20.0)))
    assert world.feed().waiting == 3


@pytest.mark.parametrize("target", ["target", None, "another"])
def test_mapping_it_again_makes_a_new_one_sends_what_waits_and_lifts_the_hold(world: World, target: str | None) -> None:
    ended = end_in_xero(world)
    world.push(transactions(2))
    world.run()
    world.advance(minutes=1)
    map_to(world, target)
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert world.feed().feed_connection_id != ended
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2"]


@pytest.mark.parametrize("target", ["target", None, "another"])
def test_mapping_it_again_before_anybody_has_looked_does_the_same(world: World, target: str | None) -> None:
    ended = end_in_xero(world)
    world.push(transactions(2))
    while not hold_items.holds(world.store):
        world.step()
    assert account(world).status is SourceAccountStatus.CONNECTED
    world.queues.follow_ups.clear()
    world.advance(minutes=1)
    map_to(world, target)
    world.run()
    assert world.feed().feed_connection_id != ended
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2"]


def test_a_refusal_of_one_that_xero_still_has_disconnects_nobody(world: World) -> None:
    id = world.feed().feed_connection_id
    world.upstream.ended.add(id)
    world.push(transactions(2))
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert [hold.reason for hold in hold_items.holds(world.store)] == ["feed-connection-gone"]


def test_a_crash_at_any_step_of_the_refused_push_leaves_nobody_connected() -> None:
    def pushed() -> World:
        world = mapped()
        end_in_xero(world)
        world.push(transactions(2))
        world.step()
        return world

    def send(world: World) -> None:
        world.sender.send(world.feed().id)

    worlds = 0
    for world in crashes_everywhere(pushed, send):
        world.run()
        assert account(world).status is SourceAccountStatus.DISCONNECTED
        worlds += 1
    assert worlds > 2


@pytest.mark.parametrize("target", ["target", None, "another"])
def test_disconnected_and_mapped_again_at_once_it_becomes_connected(world: World, target: str | None) -> None:
    world.upstream.deletes_slowly = True
    before = world.feed().feed_connection_id
    unmap(world)
    again = map_to(world, target)
    assert again.status is SourceAccountStatus.CONNECTING
    world.record(world.message(transactions(2)))
    for _ in range(8):
        world.step()
    assert account(world).status is SourceAccountStatus.CONNECTING
    assert world.sent_ids() == []
    world.upstream.finish_deletions()
    world.upstream.deletes_slowly = False
    world.run()
    connected = account(world)
    assert connected.status is SourceAccountStatus.CONNECTED
    assert connected.mapping.feed_connection_id not in ("", before)
    assert world.feed().feed_connection_id == connected.mapping.feed_connection_id
    assert world.sent_ids() == ["t1", "t2"]
    assert world.upstream.created[-1].account_id == target
    assert hold_items.holds(world.store) == []


def test_deleted_created_again_and_mapped_at_once_it_becomes_connected(world: World) -> None:
    world.upstream.deletes_slowly = True
    remove(world)
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    world.store.commit(company_items.add_source_account(builders.source_account(connection)))
    assert map_to(world, "target").status is SourceAccountStatus.CONNECTING
    world.upstream.finish_deletions()
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED


def test_disconnected_while_it_waits_it_stays_so(world: World) -> None:
    world.upstream.deletes_slowly = True
    unmap(world)
    map_to(world, "target")
    unmap(world)
    world.upstream.finish_deletions()
    created = len(world.upstream.created)
    world.run()
    assert account(world).status is SourceAccountStatus.DISCONNECTED
    assert len(world.upstream.created) == created


def test_refused_after_the_wait_it_is_told_like_any_other(world: World) -> None:
    from tests.fakes.upstream import NO_FEEDS

    world.upstream.deletes_slowly = True
    unmap(world)
    map_to(world, "target")
    world.upstream.finish_deletions()
    world.upstream.refusals = [Refused(NO_FEEDS.problem)]
    world.run()
    assert [hold.reason for hold in hold_items.holds(world.store)] == [NO_FEEDS.reason]
    assert account(world).problem == NO_FEEDS.problem


def test_one_that_could_not_be_deleted_is_adopted(world: World) -> None:
    def refuse(*_: object) -> None:
        raise Refused(builders.problem(status=403))

    world.upstream.delete_feed_connection = refuse
    before = world.feed().feed_connection_id
    unmap(world)
    assert map_to(world, "target").mapping.feed_connection_id == before


def test_a_country_that_xero_demands_after_pending_is_given_once(world: World) -> None:
    demand = builders.problem(type="invalid-country-specified", title="Country", status=400)
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    tenant = connection.tenant.but(country="GB")
    world.store.commit(company_items.put_connection(connection.but(tenant=tenant)))
    unmap(world)
    real, pending = world.upstream.create_feed_connection, []

    def create(access: object, new: object) -> FeedConnection:
        made = real(access, new)
        world.upstream.connections.remove(made)
        pending.append(made.but(active=False, rejection=None if new.country else demand))
        return made.but(active=False)

    world.upstream.create_feed_connection = create
    world.upstream.feed_connection = lambda _, id: next(
        one.but(active=one.rejection is None) for one in pending if one.id == id
    )
    map_to(world, "target")
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert [new.country for new in world.upstream.created][-2:] == ["", "GB"]


def test_a_lost_answer_about_another_feed_connection_changes_nothing(world: World) -> None:
    assert not unmapping.record_feed_connection_gone(world.ports, world.feed().id, "another", world.now)
    assert account(world).status is SourceAccountStatus.CONNECTED


def test_a_new_name_for_the_account_lifts_no_hold(world: World) -> None:
    world.upstream.answers.append(ARCHIVED)
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    world.advance(minutes=1)
    renamed = source_accounts.apply_changes(account(world), {"account_name": "Renamed"}, world.now)
    world.store.commit(company_items.put_source_account(renamed))
    mapping.resume_feed(world.ports, world.now, world.feed().id)
    world.run()
    assert (hold_items.holds(world.store), world.sent_ids()) == ([hold], [])
