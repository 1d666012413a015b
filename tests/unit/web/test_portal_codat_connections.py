"""Connections whose upstream is Codat, in the portal's words: what they wait for, and where they have ended."""

from __future__ import annotations

import re
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ChangeState, ConnectionStatus, Tenant, UpstreamChange, UpstreamName
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.events import event as events
from feedlane.events.event import Event
from feedlane.problem import Problem
from feedlane.web.portal.webhooks.event_words import event_rows
from tests import builders
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PILL = re.compile(r'<span class="pill (\w*)">([^<]*)</span>')
TENANT = Tenant(id="at-codat", name="Harbour Bakery Books", xero_connection_id="c-1")
LINKED = {"status": ConnectionStatus.LINKED, "linked_on": builders.NOW, "tenant": TENANT}


@pytest.fixture
def world() -> World:
    world = signed_in()
    become(world)
    return world


def become(world: World, **fields: Any) -> None:
    """The connection goes through Codat, and is as the fields say."""
    changed = world.current().but(upstream=UpstreamName.CODAT, **fields)
    world.store.commit(company_items.put_connection(changed))


def pages(world: World) -> tuple[str, str]:
    """The company, and the list of companies."""
    return (
        world.browser.get(f"/portal/companies/{world.connection.company_id}").body,
        world.browser.get("/portal/companies").body,
    )


def pills(world: World) -> set[tuple[str, str]]:
    return {pill for body in pages(world) for pill in PILL.findall(body)}


def test_before_the_customer_it_is_not_connected_through_codat_yet(world: World) -> None:
    body, _ = pages(world)
    assert '<h2 id="c-1"><bdi class="name">Not connected through Codat yet</bdi></h2>' in body
    assert "Not connected to Xero yet" not in body
    assert pills(world) == {("warn", "waiting for the customer")}
    other = world.add_connection(world.connection.company_id)
    body = world.browser.get(f"/portal/companies/{world.connection.company_id}?connection={other.id}").body
    assert "Not connected through Codat yet</bdi></a>" in body, "among the other connections too"


def test_connected_it_says_through_whom_and_is_found_among_the_connected(world: World) -> None:
    become(world, **LINKED)
    account = world.add_account()
    connected = account.but(status=SourceAccountStatus.CONNECTED)
    world.store.commit(*company_items.change_source_account(account, connected))
    assert ("good", "connected through Codat") in pills(world)
    assert "Harbour Bakery Books" in pages(world)[0]
    assert "connected through Codat" in world.browser.get("/portal/companies?state=connected").body


def test_an_organisation_that_codat_does_not_name_has_a_heading_all_the_same(world: World) -> None:
    become(world, **LINKED | {"tenant": TENANT.but(name="")})
    company, listed = pages(world)
    assert "An organisation at Codat</bdi></h2>" in company
    assert "An organisation at Codat" in listed


def test_ended_there_it_says_where_and_can_be_filtered(world: World) -> None:
    become(world, **LINKED | {"status": ConnectionStatus.DEAUTHORIZED})
    assert pills(world) == {("bad", "ended at Codat")}
    assert "Link to reconnect" in pages(world)[0]
    assert "ended at Codat" in world.browser.get("/portal/companies?state=ended-at-codat").body
    assert "Harbour Bakery" not in world.browser.get("/portal/companies?state=ended-at-xero").body


def test_while_its_upstream_changes_it_is_not_connected_and_keeps_its_organisations_name(world: World) -> None:
    change = UpstreamChange(to=UpstreamName.CODAT, state=ChangeState.STOPPING, since=builders.NOW)
    world.store.commit(
        company_items.put_connection(world.current().but(upstream=UpstreamName.XERO, change=change, **LINKED))
    )
    assert pills(world) == {("warn", "upstream is changing")}
    change = change.but(state=ChangeState.AWAITING_CONSENT)
    become(world, change=change, status=ConnectionStatus.PENDING_AUTH, tenant=None, former_tenant=TENANT)
    assert pills(world) == {("warn", "waiting for the customer")}
    company, listed = pages(world)
    assert "Harbour Bakery Books</bdi></h2>" in company
    assert "Not connected through Codat yet" in company
    assert "Harbour Bakery Books" in listed


@pytest.mark.parametrize(
    ("type", "who"),
    [("codat-refused", "Codat"), ("codat-invalid-data", "Codat"), ("invalid-organisation-bank-feeds", "Xero")],
)
def test_of_a_refused_mapping_it_says_who_refused_it(world: World, type: str, who: str) -> None:
    become(world, **LINKED)
    problem = Problem(type=type, title="Refused", status=400, detail="In their words.")
    world.add_account(problem=problem)
    company, listed = pages(world)[0], world.browser.get("/portal/feeds?state=refused").body
    for body in (company, listed):
        assert ("bad", f"refused by {who}") in PILL.findall(body)
    feed = world.browser.get(f"/portal/feeds/{world.connection.id}/main").body
    assert f"{who} refused to connect this account: Refused: In their words." in feed
    assert '<option value="refused" selected>Refused</option>' in listed


def test_the_question_before_its_end_speaks_of_codat(world: World) -> None:
    become(world, **LINKED)
    path = f"/portal/companies/{world.connection.company_id}/connections/{world.connection.id}/disconnect"
    body = world.browser.get(path).body
    assert "ends at Codat" in body
    assert "frees a place" not in body


def test_events_say_through_whom_it_happened(world: World) -> None:
    shape = {"connection": {"upstream": "codat"}}
    kinds = (events.CONNECTION_CONNECTED, events.CONNECTION_DISCONNECTED, events.CONNECTION_RECONNECTED)
    made = [Event(id=kind, type=kind, subject="c", time=builders.NOW, payload=shape) for kind in kinds]
    words = [row.words for row in event_rows(world.store, made)]
    assert words == ["Connected through Codat", "Disconnected at Codat", "Reconnected through Codat"]
