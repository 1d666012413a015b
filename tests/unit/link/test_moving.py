"""A connection keeps its organisation. A move closes its ledgers, and begins new ones under a new connection."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.organisations import Organisation
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Invalid, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.link import moving
from feedlane.mapping import mapping
from tests.fakes.consent import ACME, OTHER
from tests.rights import acting_as
from tests.worlds.web import World

RESET = Organisation(tenant_id="tenant-acme-2", name=ACME.name, xero_connection_id="xero-acme-2")


@pytest.fixture
def world() -> World:
    world = World()
    world.link()
    return world


def _move(world: World, disconnect: object = lambda _: None) -> Connection:
    old = world.connection
    with acting_as("public_api"):
        return moving.move(world.ports, world.upstream, disconnect, world.now, old.company_id, old.id)  # type: ignore[arg-type]


def test_another_organisation_is_refused_with_both_names_and_the_way_to_move(world: World) -> None:
    world.site.organisations.consented = [OTHER]
    page = world.call_back(world.start(query="?link.reconnect=1"), "code-2")
    assert page.status == 409
    for text in ("Acme Ltd", "Other Ltd", "move the connection", "stays in the former organisation"):
        assert text in page.body
    tenant = world.current().tenant
    assert tenant is not None
    assert tenant.id == ACME.tenant_id


def test_a_demo_company_after_its_reset_is_another_one_although_its_name_is_the_same(world: World) -> None:
    world.site.organisations.consented = [RESET]
    page = world.call_back(world.start(query="?link.reconnect=1"), "code-2")
    assert page.status == 409
    assert "a different organisation although its name is the same" in page.body
    assert "demo company" in page.body


def test_a_move_closes_the_old_ledger_and_begins_a_new_one(world: World) -> None:
    account = world.add_account()
    mapping.map_account(world.ports, world.upstream, world.now, world.current(), account, "x-1")
    [old_feed] = feed_items.feeds_of_connection(world.store, world.connection.id)
    changes = {"recorded_through": 3, "recorded_date": "2026-05-01", "delivered_through": 1}
    waiting = old_feed.but(synthetic_balances=True, **changes)
    world.store.commit(feed_items.put_feed(waiting))
    new = _move(world)
    old = world.current()
    assert (old.status, old.moved_to) == (ConnectionStatus.UNLINKED, new.id)
    [closed] = feed_items.feeds_of_connection(world.store, old.id)
    assert (closed.feed_connection_id, closed.waiting) == ("", 2)
    assert "bankFeeds.held" in world.event_types
    [copy] = company_items.source_accounts(world.store, new.id)
    assert (copy.id, copy.status, copy.mapping) == (account.id, SourceAccountStatus.PENDING, None)
    world.site.organisations.consented = [OTHER]
    world.link(new, code="code-2")
    assert world.current(new).is_linked
    mapping.map_account(world.ports, world.upstream, world.now, world.current(new), copy, "x-1")
    [begun] = feed_items.feeds_of_connection(world.store, new.id)
    assert (begun.tenant_id, begun.recorded_through) == (OTHER.tenant_id, 0)
    assert begun.synthetic_balances is True, "the feed's own choice moves with it"
    [closed] = feed_items.feeds_of_connection(world.store, old.id)
    assert (closed.tenant_id, closed.waiting) == (ACME.tenant_id, 2)


def test_the_old_link_leads_nowhere_also_for_who_is_at_xero_meanwhile(world: World) -> None:
    state = world.start(query="?link.reconnect=1")
    _move(world)
    assert world.call_back(state, "code-2").status == 410
    page = world.browser.get(f"{world.base()}/start")
    assert (page.status, "This connection has moved" in page.body) == (410, True)


def test_a_move_that_was_interrupted_goes_on_with_the_same_new_connection(world: World) -> None:
    account = world.add_account()
    mapping.map_account(world.ports, world.upstream, world.now, world.current(), account, "x-1")

    def fail(_: Connection) -> None:
        raise Unavailable("outage")

    with pytest.raises(Unavailable):
        _move(world, fail)
    assert world.current().is_linked
    assert _move(world).id == _move(world).id == world.current().moved_to
    assert len(company_items.connections(world.store, world.connection.company_id)) == 2


def test_what_was_never_linked_need_not_move() -> None:
    world = World()
    with pytest.raises(Invalid):
        _move(world)
