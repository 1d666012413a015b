"""Companies in the portal: made, changed and ended there, and each in the state that is its worst fact."""

from __future__ import annotations

import re
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import Unavailable
from feedlane.holds import items as hold_items
from feedlane.scope import Scope
from tests import builders
from tests.fakes.browser import PageResponse
from tests.unit.web.held import add_feed
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

PILL = re.compile(r'<span class="pill (\w*)">([^<]*)</span>')


@pytest.fixture
def world() -> World:
    return signed_in()


def _send(world: World, path: str, form: dict[str, str] | None = None, page: str = "") -> PageResponse:
    token = world.form_token(page or path)
    return world.browser.post(path, {"formToken": token} | (form or {}))


def _create(world: World, name: str = "Quay Books", tags: str = "") -> Company:
    response = _send(world, "/portal/companies/new", {"name": name, "tags": tags})
    assert response.status == 303, response.body
    return company_items.company(world.store, response.path.rpartition("/")[2])


def _company_page(world: World, query: str = "") -> str:
    return world.browser.get(f"/portal/companies/{world.connection.company_id}{query}").body


def _know_connection(world: World) -> None:
    """A company knows the ids of its connections; those that the world has made do not say so."""
    company = company_items.company(world.store, world.connection.company_id)
    world.store.commit(company_items.put_company(company.but(connection_ids=(world.connection.id,))))


def test_a_new_company_has_its_link_to_send_at_once(world: World) -> None:
    company = _create(world, tags="region:uk\nplan: pro")
    [connection] = company_items.connections(world.store, company.id)
    assert (company.name, company.tags) == ("Quay Books", {"region": "uk", "plan": "pro"})
    page = world.browser.get(f"/portal/companies/{company.id}").body
    assert f"/link/companies/{company.id}/connections/{connection.id}/start" in page
    assert ("warn", "waiting for the customer") in PILL.findall(page)


def test_all_that_is_wrong_with_a_company_is_said_at_once_and_nothing_is_made(world: World) -> None:
    before = len(world.stored())
    response = _send(world, "/portal/companies/new", {"name": "مخبز", "tags": "no tag"})
    assert (response.status, len(world.stored())) == (422, before)
    assert '<a href="#name">' in response.body
    assert '<a href="#tags">' in response.body
    assert "no tag" in response.body
    many = "\n".join(f"t{n}:x" for n in range(11))
    assert "at most 10 tags" in _send(world, "/portal/companies/new", {"name": "A", "tags": many}).body


def test_a_company_is_renamed_and_found_in_its_new_place_of_the_list_by_name(world: World) -> None:
    for name in ("Bay", "Zoo", "apple"):
        _create(world, name)
    renamed = _create(world, "Mill")
    path = f"/portal/companies/{renamed.id}/edit"
    assert _send(world, path, {"name": "Aa", "tags": "k:v"}).status == 303
    body = world.browser.get("/portal/companies?sort=name").body
    assert re.findall(r'<bdi class="name">(\w+)</bdi></a>', body)[1:] == ["Aa", "apple", "Bay", "Zoo"]
    assert company_items.company(world.store, renamed.id).tags == {"k": "v"}


def test_a_company_is_deleted_only_by_its_name_and_with_all_that_it_has(world: World) -> None:
    company = _create(world)
    path = f"/portal/companies/{company.id}/delete"
    wrong = _send(world, path, {"name": "quay books"})
    assert (wrong.status, "exactly as it is shown" in wrong.body) == (422, True)
    assert _send(world, path, {"name": "Quay Books"}).status == 303
    assert company_items.find_company(world.store, company.id) is None
    assert "Quay Books" not in world.browser.get("/portal/companies?sort=name").body
    left = {key for key in world.table.items if company.id in str(key) and not key[0].startswith("EVENT#")}
    assert left == set()


@pytest.mark.parametrize("name", ["   ", "\u00a0", "\u200b \u200b"])
def test_a_company_whose_name_nobody_can_read_is_deleted_by_its_id(world: World, name: str) -> None:
    company = _create(world)
    world.store.commit(company_items.put_company(company_items.company(world.store, company.id).but(name=name)))
    path = f"/portal/companies/{company.id}/delete"
    assert "Type the company’s id to confirm" in world.browser.get(path).body
    for wrong in ("", name, "Quay Books"):
        answer = _send(world, path, {"name": wrong})
        assert (answer.status, "id exactly as it is shown" in answer.body) == (422, True)
    assert _send(world, path, {"name": company.id}).status == 303
    assert company_items.find_company(world.store, company.id) is None


def test_a_name_is_typed_as_a_browser_shows_it(world: World) -> None:
    company = _create(world, "Quay  Books")
    assert _send(world, f"/portal/companies/{company.id}/delete", {"name": "Quay Books"}).status == 303


def test_a_company_with_a_connected_account_is_deleted_with_the_rights_of_the_portal(world: World) -> None:
    world.link()
    _know_connection(world)
    _connect(world)
    path = f"/portal/companies/{world.connection.company_id}/delete"
    assert _send(world, path, {"name": "Harbour Bakery"}).status == 303
    assert world.site.disconnected == [world.connection.id]
    assert company_items.find_company(world.store, world.connection.company_id) is None


def test_a_disconnection_says_what_ends_and_ends_it_at_xero(world: World) -> None:
    world.link()
    path = f"/portal/companies/{world.connection.company_id}/connections/{world.connection.id}/disconnect"
    assert "ends at Xero" in world.browser.get(path).body
    world.site.disconnect_errors.append(Unavailable("no answer"))
    response = _send(world, path)
    assert (response.status, "Xero did not answer" in response.body) == (503, True)
    assert world.current().status is ConnectionStatus.LINKED
    assert _send(world, path).status == 303
    assert (world.current().status, world.site.disconnected) == (ConnectionStatus.UNLINKED, [world.connection.id])
    page = _company_page(world)
    assert "Link to reconnect" in page
    assert ("warn", "ended by you") in PILL.findall(page)
    assert "/disconnect" not in page


def _add_account(world: World, fields: dict[str, str]) -> PageResponse:
    defaults = {"name": "Main account", "type": "checking", "number": "20011234", "currency": "gbp", "balance": "1,250"}
    path = f"/portal/companies/{world.connection.company_id}/connections/{world.connection.id}/accounts/new"
    return _send(world, path, defaults | fields)


def test_a_source_account_is_added_and_both_of_its_ids_are_there_to_be_copied(world: World) -> None:
    response = _add_account(world, {"id": "a/1"})
    page = world.browser.get(response.path).body
    assert 'data-copy="the account id">a/1</code>' in page
    assert f'data-copy="the feed id">{world.connection.id}/a/1</code>' in page
    account = company_items.source_account(world.store, world.connection.id, "a/1")
    assert (account.currency, str(account.balance)) == ("GBP", "1250")
    assert "given at the start" in page
    assert _add_account(world, {}).status == 303, "without an id it gets one"


def test_an_empty_balance_is_zero_as_the_form_says(world: World) -> None:
    path = f"/portal/companies/{world.connection.company_id}/connections/{world.connection.id}/accounts/new"
    assert "Empty counts as zero." in world.browser.get(path).body
    _add_account(world, {"id": "a", "balance": ""})
    assert company_items.source_account(world.store, world.connection.id, "a").balance == 0


@pytest.mark.parametrize("balance", ["1,50", "1250,5", "1.250,00", "12,34,567"])
def test_a_decimal_comma_is_refused_rather_than_read_as_a_hundred_times_the_balance(world: World, balance: str) -> None:
    response = _add_account(world, {"id": "a", "balance": balance})
    assert (response.status, "Enter the balance as a number" in response.body) == (422, True)
    assert company_items.source_accounts(world.store, world.connection.id) == []


def test_all_that_is_wrong_with_an_account_is_said_at_once_and_beside_each_field(world: World) -> None:
    wrong = {"id": "a b", "name": "", "number": "", "currency": "pound", "balance": "much", "type": "creditCard"}
    response = _add_account(world, wrong)
    assert response.status == 422
    assert re.findall(r'<li><a href="#(\w+)">', response.body) == ["id", "name", "number", "currency", "balance"]
    assert 'value="much"' in response.body
    assert company_items.source_accounts(world.store, world.connection.id) == []
    _add_account(world, {"id": "x"})
    assert "already exists" in _add_account(world, {"id": "x"}).body


def test_a_company_is_connected_only_when_one_of_its_accounts_is(world: World) -> None:
    world.link()
    _know_connection(world)
    assert PILL.findall(world.browser.get("/portal/companies").body) == [("warn", "no account connected")]
    _connect(world)
    body = world.browser.get("/portal/companies").body
    assert PILL.findall(body) == [("good", "connected")]
    assert "1 of 1" in body
    assert "Harbour" in world.browser.get("/portal/companies?state=connected").body


def test_the_number_of_connected_accounts_follows_every_change_of_them(world: World) -> None:
    world.link()
    _connect(world)
    counts = company_items.connection_counts(world.store, [world.connection.id])
    assert counts[world.connection.id] == (1, 1)
    account = company_items.source_account(world.store, world.connection.id, "main")
    from feedlane.mapping import unmapping

    unmapping.unmap(world.ports, world.upstream, world.now, world.current(), account)
    assert company_items.connection_counts(world.store, [world.connection.id])[world.connection.id] == (1, 0)
    _connect(world)
    account = company_items.source_account(world.store, world.connection.id, "main")
    unmapping.remove_account(world.ports, world.upstream, world.now, world.current(), account)
    assert company_items.connection_counts(world.store, [world.connection.id])[world.connection.id] == (0, 0)


def _connect(world: World) -> None:
    from feedlane.mapping import mapping

    if company_items.find_source_account(world.store, world.connection.id, "main") is None:
        _add_account(world, {"id": "main"})
    account = company_items.source_account(world.store, world.connection.id, "main")
    mapping.map_account(world.ports, world.upstream, world.now, world.current(), account, "x-1", None)


def test_a_hold_of_one_account_is_shown_with_it_and_released_from_the_company(world: World) -> None:
    feed = add_feed(world, recorded_through=3)
    connection = world.connection
    hold = world.add_hold(Scope.FEED, feed.id, connection_id=connection.id, company_id=connection.company_id)
    page = _company_page(world)
    assert "What is held" in page
    assert "Main account" in page
    assert "3 transactions waiting" in page
    path = f"/portal/companies/{connection.company_id}/holds/{hold.id}/release"
    response = _send(world, path, page=f"/portal/companies/{connection.company_id}")
    assert (response.status, response.query) == (303, {"done": "released"})
    assert hold_items.holds(world.store) == []
    again = _send(world, path, page=f"/portal/companies/{connection.company_id}")
    assert again.query == {"done": "lifted"}


def test_a_connection_shows_a_page_of_its_accounts_and_the_way_to_the_next(world: World) -> None:
    for number in range(30):
        world.add_account(f"a-{number:02}", account_name=f"Account {number:02}")
    page = _company_page(world)
    assert (page.count("Account 2"), "Account 25" in page) == (5, False)
    further = _company_page(world, f"?connection={world.connection.id}&after=a-24")
    assert re.findall(r"Account \d\d", further)[:2] == ["Account 25", "Account 26"]


def test_a_connection_more_is_made_by_a_button(world: World) -> None:
    path = f"/portal/companies/{world.connection.company_id}"
    assert _send(world, f"{path}/connections", page=path).status == 303
    assert len(company_items.connections(world.store, world.connection.company_id)) == 2


def test_the_pages_of_a_company_that_is_not_there_say_so(world: World) -> None:
    for path in (
        "",
        "/edit",
        "/delete",
        "/push-operations",
        "/connections/x/disconnect",
        "/connections/x/delete",
        "/connections/x/accounts/disconnect?account=a",
        "/connections/x/accounts/new",
    ):
        assert world.browser.get(f"/portal/companies/nowhere{path}").status == 404, path


def test_forms_of_others_are_refused(world: World) -> None:
    paths: list[tuple[str, dict[str, Any]]] = [
        ("/portal/companies/new", {"name": "X"}),
        (f"/portal/companies/{world.connection.company_id}/delete", {"name": "Harbour Bakery"}),
        (f"/portal/companies/{world.connection.company_id}/connections", {}),
    ]
    before = len(world.stored())
    for path, form in paths:
        assert world.browser.post(path, form | {"formToken": "wrong"}).status == 403
    assert len(world.stored()) == before
    assert world.now == builders.NOW
