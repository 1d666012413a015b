"""The portal's lists: pages forwards and backwards, filters in the address, one state each; and the search."""

from __future__ import annotations

import re

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.holds import items as hold_items
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.web.portal import listing, search
from feedlane.web.portal.listing import ListQuery, read_page
from tests import builders
from tests.fakes.table import MemoryTable
from tests.unit.web.held import add_feed
from tests.unit.web.portal import signed_in
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    return signed_in()


def _store(count: int) -> Store:
    table = MemoryTable()
    table.put_many({"pk": f"x{n}", "sk": "x", "gsi1pk": "LIST", "gsi1sk": f"{n:04d}", "n": n} for n in range(count))
    return Store(table)


def _place(url: str) -> dict[str, str]:
    [(name, value)] = re.findall(r"(after|before)=(\w+)", url)
    return {name: value}


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("every", [1, 3])
def test_pages_lead_through_the_whole_list_and_back(newest_first: bool, every: int) -> None:
    store, filters = _store(180), {"q": "x" if every > 1 else ""}

    def page(**place: str) -> listing.Page[int]:
        query = ListQuery("/list", filters, **place)
        is_wanted = (lambda n: n % every == 0) if every > 1 else None
        return read_page(store, query, "LIST", lambda items: [item["n"] for item in items], is_wanted, newest_first)

    expected = [n for n in range(180) if n % every == 0]
    if newest_first:
        expected.reverse()
    pages = [page()]
    while pages[-1].next_url:
        pages.append(page(**_place(pages[-1].next_url)))
    assert [n for one in pages for n in one.rows] == expected
    assert pages[0].previous_url == ""
    back = [pages[-1]]
    while back[-1].previous_url:
        back.append(page(**_place(back[-1].previous_url)))
    assert [one.rows for one in reversed(back)] == [one.rows for one in pages]


def test_a_filter_that_fits_nothing_reads_no_more_than_a_thousand_and_offers_to_go_on() -> None:
    query = ListQuery("/list", {"q": "none"})
    page = read_page(_store(1_200), query, "LIST", lambda items: [item["n"] for item in items], lambda n: n == 1_100)
    assert (page.rows, page.is_cut) == ([], True)
    further = ListQuery("/list", {"q": "none"}, **_place(page.next_url))
    page = read_page(_store(1_200), further, "LIST", lambda items: [item["n"] for item in items], lambda n: n == 1_100)
    assert (page.rows, page.is_cut, page.next_url) == ([1_100], False, "")


def test_companies_are_listed_also_without_a_connection_and_found_by_name(world: World) -> None:
    world.store.commit(company_items.add_company(builders.company("c-2", name="Quay Books")))
    body = world.browser.get("/portal/companies").body
    assert ("Harbour Bakery" in body, "Quay Books" in body) == (True, True)
    body = world.browser.get("/portal/companies?q=quay").body
    assert ("Harbour Bakery" in body, "Quay Books" in body) == (False, True)
    assert "Quay Books" in world.browser.get("/portal/companies?state=not-connected").body
    assert "No company fits" in world.browser.get("/portal/companies?q=nothing").body


def test_a_company_has_one_state_and_held_is_worse_than_connected(world: World) -> None:
    world.link()
    company = company_items.company(world.store, world.connection.company_id)
    world.store.commit(company_items.put_company(company.but(connection_ids=(world.connection.id,))))
    pk, sk = keys.connected_count(world.connection.id)
    world.table.put_many([{"pk": pk, "sk": sk, "count": 1}])
    pills = re.compile(r'<span class="pill (\w*)">([^<]*)</span>')
    assert pills.findall(world.browser.get("/portal/companies").body) == [("good", "connected")]
    connection = world.current()
    world.add_hold(Scope.FEED, f"{connection.id}/main", connection_id=connection.id, company_id=connection.company_id)
    assert pills.findall(world.browser.get("/portal/companies").body) == [("bad", "held")]
    ended = connection.but(status=ConnectionStatus.UNLINKED)
    for hold in hold_items.holds(world.store):
        world.store.commit(*hold_items.remove_holds([hold]))
    world.store.commit(company_items.put_connection(ended))
    assert pills.findall(world.browser.get("/portal/companies").body) == [("warn", "ended by you")]


def test_feeds_are_listed_with_their_page_and_ids_to_copy(world: World) -> None:
    add_feed(world, recorded_through=1250)
    body = world.browser.get("/portal/feeds").body
    [path] = re.findall(r'href="(/portal/feeds/[^"?]+)"', body)
    assert "1,250" in body
    page = world.browser.get(path).body
    assert f'data-copy="the feed id">{world.connection.id}/main</code>' in page


def test_the_page_of_a_feed_whose_id_has_signs_is_found(world: World) -> None:
    world.add_account("a/b#c;d")
    [path] = re.findall(r'href="(/portal/feeds/[^"?]+)"', world.browser.get("/portal/feeds").body)
    response = world.browser.get(path)
    assert (response.status, "a/b#c;d" in response.body) == (200, True)
    assert world.browser.get(path + "x").status == 404


def test_names_are_kept_apart_from_the_text_around_them(world: World) -> None:
    name = "مخبز" * 60
    world.store.commit(company_items.add_company(builders.company("c-2", name=name)))
    assert f'<bdi class="name">{name}</bdi>' in world.browser.get("/portal/companies").body


def test_the_search_leads_straight_to_what_has_the_id(world: World) -> None:
    feed = add_feed(world)
    hold = world.add_hold(Scope.FEED, feed.id, company_id=feed.company_id)
    company = f"/portal/companies/{feed.company_id}"
    for text, path in (
        (feed.company_id, company),
        (feed.connection_id, company),
        (feed.id, f"/portal/feeds/{feed.id}"),
        (hold.id, "/portal/holds"),
        ("harbour", company),
    ):
        response = world.browser.get("/portal/search?q=" + text)
        assert (response.status, response.path) == (303, path), text


def test_the_search_finds_organisations_and_lists_what_is_not_alone(world: World) -> None:
    world.link()
    tenant = world.current().tenant
    assert tenant is not None
    assert world.browser.get(f"/portal/search?q={tenant.name[:4]}").status == 303
    world.store.commit(company_items.add_company(builders.company("c-2", name="Harbour Books")))
    body = world.browser.get("/portal/search?q=HARBOUR").body
    assert ("Harbour Bakery" in body, "Harbour Books" in body) == (True, True)
    for text in ("nothing", "", "x" * 3_000, "%20"):
        assert world.browser.get("/portal/search?q=" + text).status == 200


def test_the_search_finds_accounts_by_name_and_by_the_end_of_their_number(world: World) -> None:
    account = world.add_account("acc-1", account_name="Payroll Euro", account_number="40021199")
    path = f"/portal/feeds/{account.connection_id}/acc-1"
    for text in ("payroll", "40021199", "1199"):
        assert world.browser.get(f"/portal/search?q={text}").path == path, text
    assert "Nothing was found" in world.browser.get("/portal/search?q=199").body


def test_the_search_for_an_account_reads_a_bounded_number_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NAMES_READ_MAX", 2)
    for number in range(3):
        world.add_account(f"acc-{number}", account_name=f"Payroll {number}")
    assert world.browser.get("/portal/search?q=payroll+1").status == 303
    assert "Nothing was found" in world.browser.get("/portal/search?q=payroll+2").body


def test_hits_of_one_name_are_told_apart(world: World) -> None:
    world.add_account("acc-1", account_name="Payroll", account_number="40021199")
    world.add_account("acc-2", account_name="Payroll", account_number="40025577")
    body = world.browser.get("/portal/search?q=payroll").body
    for text in ("1199 · GBP", "5577 · GBP", "Harbour Bakery", 'value="payroll"'):
        assert text in body, text


def test_the_search_finds_an_account_by_its_own_id(world: World) -> None:
    account = world.add_account("card-1", account_name="Payroll")
    found = world.browser.get("/portal/search?q=CARD-1")
    assert (found.status, found.path) == (303, f"/portal/feeds/{account.connection_id}/card-1")


def test_the_list_of_feeds_says_what_is_missing_and_finds_it(world: World) -> None:
    """A feed that lacks a refused push was connected, in green, and nothing else."""
    add_feed(world, holes=2)
    body = world.browser.get("/portal/feeds?state=hole").body
    assert "2 refused pushes are missing" in body
    assert '<option value="hole" selected>With a refused push missing</option>' in body
    assert "No feed fits this filter" in world.browser.get("/portal/feeds?state=gap").body
