"""The customer disconnects from Xero, is asked once, and can reconnect; and the last page tells the truth."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Unavailable
from feedlane.events import event as events
from tests.fakes.browser import PageResponse
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.link()
    return world


def _map(world: World) -> None:
    form = {"rows": "1", "source-1": "main", "target-1": "x-1", "start-1": "", "include-1": "1"}
    token = world.form_token(f"{world.base()}/accounts")
    assert world.browser.post(f"{world.base()}/accounts", {"formToken": token} | form).status == 303


def _disconnect(world: World) -> PageResponse:
    token = world.form_token(f"{world.base()}/disconnect")
    return world.browser.post(f"{world.base()}/disconnect", {"formToken": token})


def test_the_accounts_page_leads_to_the_question(world: World) -> None:
    body = world.browser.get(f"{world.base()}/accounts").body
    assert f'href="{world.base()}/disconnect">Disconnect from Xero</a>' in body


def test_looking_at_the_question_disconnects_nothing(world: World) -> None:
    _map(world)
    body = world.browser.get(f"{world.base()}/disconnect").body
    assert "Disconnect from Xero?" in body
    assert "One account is connected at the moment." in body
    assert "Stay connected" in body
    assert world.current().is_linked


def test_disconnecting_ends_the_access_at_xero_and_offers_to_reconnect(world: World) -> None:
    _map(world)
    response = _disconnect(world)
    assert (response.status, response.path) == (303, f"{world.base()}/disconnect")
    assert world.current().status is ConnectionStatus.UNLINKED
    assert len(world.site.disconnected) == 1
    assert len(world.payloads(events.CONNECTION_DISCONNECTED)) == 1
    body = world.browser.get(response.location).body
    assert "Disconnected from Xero" in body
    assert ">Reconnect to Xero</a>" in body


def test_disconnecting_twice_is_once(world: World) -> None:
    _map(world)
    token = world.form_token(f"{world.base()}/disconnect")
    for _ in range(2):
        assert world.browser.post(f"{world.base()}/disconnect", {"formToken": token}).status == 303
    assert len(world.payloads(events.CONNECTION_DISCONNECTED)) == 1


def test_after_a_reconnection_the_mapping_is_still_there(world: World) -> None:
    _map(world)
    _disconnect(world)
    world.link(code="code-2")
    assert world.current().is_linked
    assert company_items.source_account(world.store, world.connection.id, "main").mapping is not None


def test_the_accounts_page_of_a_disconnected_organisation_leads_back(world: World) -> None:
    _disconnect(world)
    body = world.browser.get(f"{world.base()}/accounts").body
    assert "Your Xero organisation is not connected at the moment." in body
    assert ">Reconnect to Xero</a>" in body
    assert "Disconnect from Xero" not in body


def test_if_xero_is_away_nothing_is_disconnected(world: World) -> None:
    world.site.disconnect_errors = [Unavailable("x")]
    response = _disconnect(world)
    assert response.status == 503
    assert "Xero is not responding" in response.body
    assert world.current().is_linked


def test_a_disconnection_needs_the_forms_token(world: World) -> None:
    assert world.browser.post(f"{world.base()}/disconnect", {}).status == 403
    assert world.browser.post(f"{world.base()}/accounts/disconnect", {"account": "main"}).status == 403
    assert world.current().is_linked


# the last page


def test_the_end_with_nothing_connected_is_no_tick(world: World) -> None:
    body = world.browser.get(f"{world.base()}/finish").body
    assert "Almost done: no account is connected yet" in body
    assert 'class="icon good"' not in body
    assert ">Connect an account</a>" in body


def test_later_leads_to_the_platform(world: World) -> None:
    world.set_profile(redirect_url="https://app.example.com/?s={statusCode}")
    asked = world.browser.get(f"{world.base()}/finish")
    assert asked.status == 200
    later = f"{world.base()}/finish?later=1"
    assert f'href="{later}">Later</a>' in asked.body
    assert world.browser.get(later).location == "https://app.example.com/?s=200"


def test_what_xero_still_sets_up_does_not_feed_yet(world: World) -> None:
    _map(world)
    account = company_items.source_account(world.store, world.connection.id, "main")
    world.store.commit(company_items.put_source_account(account.but(status=SourceAccountStatus.CONNECTING)))
    body = world.browser.get(f"{world.base()}/finish").body
    assert "Xero is still setting up one account." in body
    assert "sends its transactions" not in body


def test_a_connected_account_is_the_good_end(world: World) -> None:
    _map(world)
    body = world.browser.get(f"{world.base()}/finish").body
    assert 'class="icon good"' in body
    assert "One account sends its transactions to Xero." in body
