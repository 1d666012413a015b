"""What a change of the upstream does with organisations, holds, and what the ledger knows of earlier lines."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus, UpstreamName
from feedlane.companies.reconnection import CONNECTION_REMOVED, RECONNECTION_NEEDED
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Refusal
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds import release as hold_release
from feedlane.link import moving
from feedlane.scope import Scope
from tests.fakes.consent import OTHER
from tests.rights import acting_as
from tests.unit.link.test_upstream_change import BOTH, ids, lines_at
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, XERO, World

# organisations


def test_back_at_xero_only_the_organisation_that_has_the_former_lines_is_linked() -> None:
    world = World(XERO).ready()
    world.change(CODAT)
    world.consent()
    world.map_accounts()
    world.change(XERO)
    world.site.organisations.consented = [OTHER]
    page = world.link(code="other")
    assert page.status == 409
    assert "Acme Ltd" in page.body
    assert not world.current().is_linked
    with acting_as("public_api"):
        new = moving.move(
            world.ports, world.upstream, world.disconnect, world.now, world.connection.company_id, world.connection.id
        )
    assert world.current().status is ConnectionStatus.UNLINKED
    assert (new.upstream, new.former_tenant) == (XERO, None)
    assert not world.feed().changing
    world.link(new, code="another")
    assert world.current(new).is_linked


def test_a_consent_that_began_at_the_former_upstream_links_nothing() -> None:
    world = World(XERO).ready()
    state = world.start(query="?link.reconnect=1")
    world.change(CODAT)
    assert world.call_back(state, "late").status in (400, 409)
    assert not world.current().is_linked
    world = World(CODAT).ready()
    back = world.visit(world.open_link("?link.reconnect=1"))
    world.change(XERO)
    assert world.come_back(back).status in (400, 409)
    assert not world.current().is_linked


def test_through_codat_its_day_stays_that_of_the_organisation() -> None:
    world = World(XERO).ready()
    world.change(CODAT)
    assert world.current().time_zone == "Europe/London"
    world.consent()
    world.map_accounts()
    assert (world.current().time_zone, world.feed().time_zone) == ("Europe/London", "Europe/London")


def test_what_the_customer_maps_on_codats_page_is_adopted() -> None:
    world = World(XERO).ready()
    world.push(transactions(2))
    world.run()
    world.change(CODAT)
    world.push(transactions(1, start=3, opening=20))
    world.codat.link.maps = "newAccounts"
    world.consent()
    world.run()
    assert world.account().status is SourceAccountStatus.CONNECTED
    assert (world.at_xero, world.arrived) == (ids(2), ids(1, 3))


# holds


def test_a_key_that_codat_rejects_does_not_hold_who_has_left() -> None:
    world = World(CODAT).ready()
    world.keys.keys = ["withdrawn-key-of-codat"]
    pushed = world.push(transactions(2))
    world.advance(minutes=6)
    for _ in range(6):
        world.step()
    assert world.operation(pushed.key).status is PushStatus.FAILED
    world.change(XERO)
    world.run()
    later = world.push(transactions(1, start=3, opening=20))
    world.consent()
    world.map_accounts()
    world.run()
    assert world.at_xero == ids(3)
    assert world.operation(later.key).status is PushStatus.SUCCESS
    [hold] = hold_items.holds(world.store)
    assert hold.scope is Scope.APP, "it stands for what still goes through Codat"


@BOTH
def test_a_hold_of_the_organisation_ends_with_the_access(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    tenant = world.current().tenant
    assert tenant is not None
    world.add_hold(Scope.TENANT, tenant.id, company_id=world.connection.company_id)
    world.change(to)
    world.run()
    assert hold_items.holds(world.store) == []
    assert len(world.events("bankFeeds.released")) == 1
    world.push(transactions(1))
    world.consent()
    world.map_accounts()
    world.run()
    assert lines_at(world, to) == ids(1)


@BOTH
def test_a_hold_of_a_feed_is_about_its_lines_and_stays(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    world.push(transactions(2))
    world.run()
    world.add_hold(Scope.FEED, world.feed().id, reason="invalid-data", company_id=world.connection.company_id)
    world.record(transactions(1, start=3, opening=20))
    world.change(to)
    world.consent()
    world.map_accounts()
    world.run()
    assert lines_at(world, to) == []
    [hold] = hold_items.holds(world.store)
    with acting_as("public_api"):
        hold_release.release(world.ports, world.now, hold)
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == (ids(2), ids(1, 3))


@BOTH
def test_a_connection_that_needed_its_customer_goes_on_at_the_next_upstream(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    company, feed = world.connection.company_id, world.feed()
    with acting_as("push_statements"):
        refusal = Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=CONNECTION_REMOVED)
        placement.hold_feed(world.ports, feed, refusal, company_items.company(world.store, company), world.now)
    world.record(transactions(2))
    assert world.current().status is ConnectionStatus.DEAUTHORIZED
    world.change(to)
    assert not world.current().needs_reconnection
    world.record(transactions(1, start=3, opening=20))
    world.consent()
    world.map_accounts()
    world.run()
    assert lines_at(world, to) == ids(3)
    assert hold_items.holds(world.store) == []


# what the ledger knows


@BOTH
def test_what_was_delivered_before_is_a_plain_repeat_after(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    world.push(transactions(2))
    world.run()
    world.change(to)
    world.consent()
    world.map_accounts()
    again = world.push(transactions(3))
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == (ids(2), ids(1, 3))
    warnings = [(one.item_id, one.validator) for one in world.operation(again.key).warnings]
    assert warnings == [("t1", "Duplicate"), ("t2", "Duplicate")]


@BOTH
def test_what_waits_is_held_if_nobody_maps_the_account_there(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    world.change(to)
    world.run()
    pushed = world.push(transactions(2))
    world.consent()
    world.watch(12)
    assert world.operation(pushed.key).status is PushStatus.PENDING
    assert hold_items.holds(world.store) == []
    for _ in range(3):
        world.advance(days=1)
        world.watch(1)
    assert world.operation(pushed.key).status is PushStatus.FAILED
    assert [hold.reason for hold in hold_items.holds(world.store)] == ["source-account-disconnected"]
    assert len(world.events("bankFeeds.held")) == 1
    world.map_accounts()
    world.run()
    assert lines_at(world, to) == ids(2)
    assert hold_items.holds(world.store) == []


@BOTH
def test_nobody_is_asked_to_map_it_before_the_customer_has_linked_the_connection(
    start: UpstreamName, to: UpstreamName
) -> None:
    world = World(start).ready()
    world.change(to)
    world.push(transactions(2))
    for _ in range(3):
        world.advance(days=1)
        world.watch(1)
    assert hold_items.holds(world.store) == []
