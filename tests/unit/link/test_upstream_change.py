"""A connection changes its upstream in place: each line goes to one of them, once, and the ledgers stay."""

from __future__ import annotations

import pytest

from feedlane.companies.connection import ChangeState, ConnectionStatus, UpstreamName
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Conflict, Invalid, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import NoAnswer, TryLater
from feedlane.holds import items as hold_items
from feedlane.link import connections, moving
from feedlane.mapping import mapping, unmapping
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts
from feedlane.store.table import ConditionFailed
from tests.interruptions import just_before
from tests.rights import acting_as
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


# what refuses it, what changes nothing


def lose_answers(world: World) -> None:
    """Whatever is posted from now on arrives, and its answer does not; nor is it found in a list."""
    world.direct.lost = [NoAnswer(reason="timeout")] * 50
    world.direct.find_statement = lambda *_: NoAnswer(reason="timeout")
    world.wire.lose = lambda request: "/push" in request.url.path


@BOTH
def test_while_a_statement_is_in_doubt_it_is_refused_with_the_feeds(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    lose_answers(world)
    world.push(transactions(2))
    for _ in range(6):
        world.step()
    with pytest.raises(Conflict, match=f"{world.feed().id} .statement 1."):
        world.change(to)
    assert world.current().change is None
    assert not world.feed().changing


def test_what_has_surely_not_been_taken_is_taken_back_instead_of_waited_for() -> None:
    world = World(XERO).ready()
    world.direct.answers = [TryLater(scope=Scope.TENANT, seconds=80_000, reason="day")]
    world.push(transactions(2))
    for _ in range(2):
        world.step()
    flight = world.feed().flight
    assert flight is not None
    assert flight.status is FlightStatus.POSTING
    before = world.now
    world.change(CODAT)
    while world.current().is_stopping:
        world.step()
    assert world.now == before
    world.consent()
    world.map_accounts()
    world.run()
    assert (world.at_xero, world.arrived) == ([], ids(2))


@BOTH
def test_the_upstream_that_it_has_changes_nothing(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    before = world.stored()
    world.change(start)
    assert world.stored() == before
    world.change(to)
    world.run()
    changed = world.stored()
    world.change(to)
    assert world.stored() == changed


@BOTH
def test_before_its_first_link_it_is_only_told(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start)
    assert world.change(to).upstream is to
    world.ready()
    world.push(transactions(1))
    world.run()
    assert (lines_at(world, to), world.current().change) == (ids(1), None)


@BOTH
def test_changed_back_before_the_customer_came_nothing_has_gone_elsewhere(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    world.push(transactions(2))
    world.run()
    world.change(to)
    world.push(transactions(1, start=3, opening=20))
    world.run()
    world.change(start)
    world.consent()
    world.map_accounts()
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == (ids(3), [])
    assert world.spans == [(start.value, 1)]


@BOTH
def test_an_upstream_that_nobody_has_set_up_is_refused(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(codat=CodatFacts(), client_id="")))
    with pytest.raises(Conflict, match="not stored"):
        world.change(to)


def stopping(start: UpstreamName, to: UpstreamName) -> World:
    """The change waits for a statement in flight."""
    world = World(start, ("main", "savings")).ready()
    world.push(transactions(2))
    while world.feed().flight is None or world.feed().flight.status is not FlightStatus.PENDING:  # type: ignore[union-attr]
        assert world.step()
    world.change(to)
    assert world.current().is_stopping
    return world


@BOTH
def test_until_it_has_stopped_nobody_links_maps_unlinks_or_moves(start: UpstreamName, to: UpstreamName) -> None:
    world = stopping(start, to)
    ids_ = (world.connection.company_id, world.connection.id)
    page = world.browser.get(f"{world.base()}/start?link.reconnect=1")
    assert (page.status, "being changed" in page.body) == (409, True)
    with pytest.raises(Conflict), acting_as("public_api"):
        connections.unlink(world.ports, world.disconnect, world.now, *ids_)
    with pytest.raises(Conflict), acting_as("public_api"):
        moving.move(world.ports, world.upstream, world.disconnect, world.now, *ids_)
    new = world.add_account("third")
    with pytest.raises(Invalid, match="being changed"), acting_as("public_api", "link"):
        mapping.map_account(world.ports, world.upstream, world.now, world.current(), new, "x-1")


@BOTH
def test_a_mapping_that_was_being_made_when_the_access_ended_is_not_recorded(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    world.connection = world.current()
    new = world.add_account("third")
    just_before(world, "commit", lambda: world.change(to) and None, "account_token")  # type: ignore[arg-type]
    with pytest.raises(ConditionFailed), acting_as("public_api", "link"):
        mapping.map_account(world.ports, world.upstream, world.now, world.current(), new)
    assert world.current().upstream is to
    assert feed_items.find_feed(world.store, f"{world.connection.id}/third") is None


@BOTH
def test_a_statement_that_is_being_cut_when_the_feeds_are_stopped_is_not_sent(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    world.push(transactions(2))
    world.step()
    just_before(world, "commit", lambda: world.change(to) and None, "STATEMENT#")  # type: ignore[arg-type]
    with pytest.raises(ConditionFailed):
        world.step()
    assert world.current().upstream is to
    assert world.feed().flight is None
    world.consent()
    world.map_accounts()
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == ([], ids(2))


@BOTH
def test_an_outage_of_the_former_upstream_only_delays_it(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    world.away = True
    assert world.change(to).is_stopping
    with pytest.raises(Unavailable):
        world.run()
    world.away = False
    world.watch(1)
    assert world.current().upstream is to


@BOTH
def test_the_statement_of_a_removed_account_is_waited_for_too(start: UpstreamName, to: UpstreamName) -> None:
    world = stopping(start, to)
    with acting_as("public_api"):
        unmapping.remove_account(world.ports, world.upstream, world.now, world.current(), world.account())
    world.change(start)
    world.step()
    world.change(to)
    assert world.current().is_stopping
    world.run()
    world.watch()
    assert world.current().upstream is to
    assert world.feed().flight is None
