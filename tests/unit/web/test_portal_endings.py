"""What an operator ends: an account's feed, and a connection with all that it has. What waits is said before."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Unavailable
from feedlane.events.event import SOURCE_ACCOUNT_DISCONNECTED
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.mapping import mapping
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    """A linked connection whose account is connected."""
    world = signed_in()
    world.link()
    account = world.add_account("a/1")
    mapping.map_account(world.ports, world.upstream, world.now, world.current(), account, "x-1", None)
    return world


def company(world: World) -> str:
    return f"/portal/companies/{world.connection.company_id}"


def base(world: World) -> str:
    return f"{company(world)}/connections/{world.connection.id}"


def wait(world: World, lines: int) -> Feed:
    """So many lines wait in the account's feed."""
    feed = feed_items.find_feed(world.store, feed_id(world.connection.id, "a/1"))
    assert feed is not None
    world.store.commit(feed_items.put_feed(feed.but(recorded_through=lines)))
    return feed


def send(world: World, path: str, **form: str) -> PageResponse:
    return world.browser.post(path, {"formToken": world.form_token(company(world))} | form)


def status(world: World) -> SourceAccountStatus:
    return company_items.source_account(world.store, world.connection.id, "a/1").status


def test_the_question_about_an_account_says_what_ends_and_what_waits(world: World) -> None:
    path = f"{base(world)}/accounts/disconnect"
    for page in (company(world), f"/portal/feeds/{world.connection.id}/a%2F1"):
        assert f'href="{path}?account=a%2F1"' in world.browser.get(page).body.replace("a/1", "a%2F1")
    body = world.browser.get(f"{path}?account=a%2F1").body
    assert "Disconnect <bdi" in body
    assert "No transaction waits to be sent." in body
    assert "pushes are refused." in body
    wait(world, 3)
    body = world.browser.get(f"{path}?account=a%2F1").body
    assert "3 transactions wait: they stay in the ledger and are held" in body
    assert "except those through the queue" in body
    assert status(world) is SourceAccountStatus.CONNECTED


def test_an_account_is_disconnected_as_by_the_api_and_what_waits_is_held(world: World) -> None:
    feed = wait(world, 3)
    response = send(world, f"{base(world)}/accounts/disconnect", account="a/1")
    assert (response.path, response.query) == (company(world), {"done": "account-disconnected"})
    assert status(world) is SourceAccountStatus.DISCONNECTED
    [hold] = hold_items.holds_of_feed(world.store, feed.id)
    assert hold.reason == "source-account-disconnected"
    kept = feed_items.find_feed(world.store, feed.id)
    assert kept is not None
    assert kept.waiting == 3
    assert len(world.events(SOURCE_ACCOUNT_DISCONNECTED)) == 1
    assert f"{base(world)}/accounts/disconnect" not in world.browser.get(company(world)).body


def test_an_account_that_is_disconnected_already_is_not_an_error(world: World) -> None:
    path = f"{base(world)}/accounts/disconnect"
    assert send(world, path, account="a/1").status == 303
    assert send(world, path, account="a/1").status == 303
    assert len(world.events(SOURCE_ACCOUNT_DISCONNECTED)) == 1
    asked = world.browser.get(f"{path}?account=a%2F1")
    assert asked.path == f"/portal/feeds/{world.connection.id}/a%2F1"
    assert world.browser.get(f"{path}?account=none").status == 404
    assert world.browser.get(path).status == 404


def test_if_xero_does_not_answer_the_account_stays_connected_and_the_question_says_so(world: World) -> None:
    def unavailable(*_: object) -> None:
        raise Unavailable("no answer")

    world.upstream.delete_feed_connection = unavailable  # type: ignore[method-assign]
    response = send(world, f"{base(world)}/accounts/disconnect", account="a/1")
    assert (response.status, "Xero did not answer" in response.body) == (503, True)
    assert "<title>Error: " in response.body
    assert status(world) is SourceAccountStatus.CONNECTED


def test_the_account_is_known_still_after_signing_in_again(world: World) -> None:
    world.browser.jar.clear()
    path = f"{base(world)}/accounts/disconnect"
    body = world.browser.post(path, {"account": "a/1", "formToken": "of-the-ended-session"}).body
    entries = body.split('name="entries" value="')[1].split('"')[0].replace("&amp;", "&")
    body = world.browser.post("/portal/sign-in", {"key": API_KEY, "next": path, "entries": entries}).body
    assert 'name="account" value="a/1"' in body
    assert status(world) is SourceAccountStatus.CONNECTED


def test_a_connection_is_deleted_by_its_organisations_name_with_its_accounts_and_no_other(world: World) -> None:
    other = world.add_connection(world.connection.company_id)
    wait(world, 1)
    path = f"{base(world)}/delete"
    body = world.browser.get(path).body
    assert "ends at Xero" in body
    assert "1 source account: deleted with its feed" in body
    assert "1 transaction that waits is not sent</strong>, and its push operation fails" in body
    wrong = send(world, path, name="acme")
    assert (wrong.status, "exactly as it is shown" in wrong.body) == (422, True)
    assert world.site.disconnected == []
    tenant = world.current().tenant
    assert tenant is not None
    response = send(world, path, name=f" {tenant.name}  ")
    assert (response.path, response.query) == (company(world), {"done": "connection-deleted"})
    assert world.site.disconnected == [world.connection.id]
    assert [one.id for one in company_items.connections(world.store, world.connection.company_id)] == [other.id]
    assert company_items.source_accounts(world.store, world.connection.id) == []
    assert len(world.events("connection.deleted")) == 1
    assert world.browser.get(path).status == 404


def test_the_question_does_not_call_unsent_what_is_under_way(world: World) -> None:
    feed = wait(world, 3)
    feed = feed_items.find_feed(world.store, feed.id) or feed
    flight = Flight(number=1, first=1, last=2, status=FlightStatus.PENDING)
    world.store.commit(feed_items.put_feed(feed.but(flight=flight)))
    body = world.browser.get(f"{base(world)}/delete").body
    assert "1 transaction that waits is not sent" in body
    assert "2 transactions are under way</strong>: Xero may have them already" in body


def test_a_connection_that_was_never_linked_is_deleted_without_a_name(world: World) -> None:
    other = world.add_connection(world.connection.company_id)
    path = f"{company(world)}/connections/{other.id}/delete"
    body = world.browser.get(path).body
    assert 'name="name"' not in body
    assert "It has no access that would end" in body
    assert send(world, path).status == 303
    assert company_items.find_connection(world.store, other.company_id, other.id) is None


def test_a_deletion_that_xero_does_not_answer_to_goes_on_when_it_is_repeated(world: World) -> None:
    tenant = world.current().tenant
    assert tenant is not None
    world.site.disconnect_errors.append(Unavailable("no answer"))
    path = f"{base(world)}/delete"
    response = send(world, path, name=tenant.name)
    assert (response.status, "goes on where it stopped" in response.body) == (503, True)
    assert f'value="{tenant.name}"' in response.body
    assert send(world, path, name=tenant.name).status == 303


def test_the_question_before_a_disconnection_says_what_waits(world: World) -> None:
    assert "pushes are refused." in world.browser.get(f"{base(world)}/disconnect").body
    wait(world, 2)
    body = world.browser.get(f"{base(world)}/disconnect").body
    assert "2 transactions wait: they stay in the ledgers" in body
    assert "pushes are refused, except those through the queue, which wait in the ledgers." in body


@pytest.mark.parametrize("path", ["delete", "accounts/disconnect"])
def test_a_form_without_its_token_ends_nothing(world: World, path: str) -> None:
    before = world.stored()
    response = world.browser.post(f"{base(world)}/{path}", {"account": "a/1", "name": "x", "formToken": "wrong"})
    assert response.status == 403
    assert world.stored() == before


def test_a_connection_whose_organisation_has_no_readable_name_is_deleted_by_its_id(world: World) -> None:
    connection = world.current()
    assert connection.tenant is not None
    unnamed = connection.but(tenant=connection.tenant.but(name="  \u00a0 "))
    world.store.commit(company_items.put_connection(unnamed))
    path = f"{base(world)}/delete"
    assert "Type the connection’s id to confirm" in world.browser.get(path).body
    assert send(world, path, name="").status == 422
    assert send(world, path, name=connection.id).status == 303
