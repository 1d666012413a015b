"""A page of a list costs the same however long the list is, and no page is larger than Lambda's answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feedlane.codat import paging
from feedlane.companies import items as company_items
from feedlane.companies.company import CONNECTIONS_MAX
from feedlane.store import keys
from feedlane.store.blocks import Blocks
from feedlane.store.store import Store
from feedlane.store.table import Contended
from tests.builders import numbered_id
from tests.fakes.quick_table import QuickTable
from tests.fakes.table import Reads
from tests.unit.api.conftest import Answer, Call
from tests.worlds.api import World
from tests.worlds.many_companies import add_companies

Read = Callable[[str], tuple[Answer, Reads]]
LONG, SHORT = 10_000, 100


@pytest.fixture
def read(call: Call, world: World) -> Read:
    """`read(path)`: the answer, and what was read from the table for it."""

    def read(path: str) -> tuple[Answer, Reads]:
        before = Reads(world.table.reads.requests, world.table.reads.items)
        answer = call("GET", path)
        after = world.table.reads
        return answer, Reads(after.requests - before.requests, after.items - before.items)

    return read


@pytest.fixture(params=[SHORT, LONG])
def companies(request: pytest.FixtureRequest, world: World) -> int:
    """So many companies."""
    quick = QuickTable()
    quick.put_many(world.table.items.values())
    world.store = Store(quick)
    add_companies(world.store, request.param)
    count: int = request.param
    return count


def names(answer: Answer) -> list[str]:
    return [company["name"] for company in answer.body["results"]]


@pytest.mark.usefixtures("call")
def test_a_page_of_100_companies_reads_100_companies(read: Read, companies: int) -> None:
    read("/companies")  # authenticates
    answer, reads = read("/companies?page=1&pageSize=100")
    assert (answer.body["totalResults"], len(answer.body["results"])) == (companies, 100)
    assert all(len(company["dataConnections"]) == 1 for company in answer.body["results"])
    # The settings, the blocks, 100 companies and 100 connections; and 201 holds that are not there.
    assert (reads.items, reads.requests) == (202, 7)


@pytest.mark.parametrize("companies", [LONG], indirect=True)
@pytest.mark.usefixtures("companies")
def test_any_page_is_found_at_the_same_cost(read: Read) -> None:
    read("/companies")
    for page in (50, 100):
        answer, reads = read(f"/companies?page={page}&pageSize=100")
        assert names(answer) == [f"Bakery {number}" for number in range((page - 1) * 100, page * 100)]
        assert (reads.items, reads.requests) == (202, 7)
    answer, reads = read("/companies?page=334&pageSize=30")
    assert names(answer) == [f"Bakery {number}" for number in range(9_990, 10_000)]
    assert reads.items < 130
    assert "next" not in answer.body["_links"]
    answer, reads = read("/companies?page=2&pageSize=100&orderBy=-created")
    assert names(answer) == [f"Bakery {number}" for number in range(9_899, 9_799, -1)]
    assert reads.items == 202
    assert read("/companies?page=101&pageSize=100")[0].body["results"] == []


@pytest.mark.parametrize("companies", [LONG], indirect=True)
@pytest.mark.usefixtures("companies")
def test_a_filter_reads_every_company_but_no_connection_that_it_does_not_show(read: Read) -> None:
    answer, reads = read("/companies?tags=uid%3Dcust_777")
    assert names(answer) == ["Bakery 777"]
    assert reads.items < LONG + 10
    answer, _ = read("/companies?query=name~bakery%20999&orderBy=-name")
    assert answer.body["totalResults"] == 11
    assert names(answer)[0] == "Bakery 9999"
    one = answer.body["results"][0]["id"]
    answer, reads = read(f"/companies?query=id%3D{one}")
    assert names(answer) == ["Bakery 9999"]
    assert reads.items < 10


@pytest.mark.parametrize("companies", [SHORT], indirect=True)
@pytest.mark.usefixtures("companies")
def test_too_many_companies_for_a_filter_are_said_and_can_still_be_listed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "SEARCHED_MAX", 99)
    for filtered in ("query=name~Bakery", "orderBy=name", "tags=uid%3Dcust_7"):
        refused = call("GET", f"/companies?{filtered}")
        assert (refused.status, "more than 99 companies" in refused.body["error"]) == (400, True)
    assert call("GET", "/companies?page=2&pageSize=50&orderBy=created").body["totalResults"] == 100


def test_the_count_is_exact_whatever_is_created_and_deleted(call: Call, world: World) -> None:
    ids = [call("POST", "/companies", {"name": f"Company {number}"}).body["id"] for number in range(230)]
    for id in (ids[0], ids[120], ids[229], *ids[10:90]):
        assert call("DELETE", f"/companies/{id}").status == 204
    left = [id for number, id in enumerate(ids) if number not in {0, 120, 229, *range(10, 90)}]
    assert company_items.company_blocks(world.store) == Blocks((19, 99, 29))
    listed: list[str] = []
    for page in range(1, 17):
        answer = call("GET", f"/companies?page={page}&pageSize=10").body
        assert answer["totalResults"] == len(left) == 147
        listed += [company["id"] for company in answer["results"]]
    assert listed == left


def test_companies_created_at_once_are_all_counted(call: Call, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, refused = world.table.commit, iter([True, True, False] * 5)

    def contended(*writes: Any) -> None:
        if any(write.key == keys.COMPANY_BLOCKS for write in writes) and next(refused):
            raise Contended([keys.COMPANY_BLOCKS])
        commit(*writes)

    monkeypatch.setattr(world.table, "commit", contended)
    assert [call("POST", "/companies", {"name": "Bakery"}).status for _ in range(5)] == [200] * 5
    assert call("GET", "/companies").body["totalResults"] == 5


def test_a_company_has_fifty_connections_and_the_list_shows_them(call: Call, ids: dict[str, str]) -> None:
    path = f"/companies/{ids['company_id']}/connections"
    created = [call("POST", path, {"platformKey": "gbol"}) for _ in range(CONNECTIONS_MAX)]
    assert [answer.status for answer in created] == [200] * (CONNECTIONS_MAX - 1) + [400]
    [company] = call("GET", "/companies").body["results"]
    assert len(company["dataConnections"]) == CONNECTIONS_MAX
    assert call("DELETE", f"{path}/{created[0].body['id']}").status == 200
    assert call("POST", path, {"platformKey": "gbol"}).status == 200
    [company] = call("GET", "/companies").body["results"]
    assert {one["id"] for one in company["dataConnections"]} == {one["id"] for one in call("GET", path).body["results"]}


def test_a_page_that_is_too_large_names_the_field(call: Call, world: World) -> None:
    description = '\\"' * 2_000
    for _ in range(500):
        assert call("POST", "/companies", {"name": "Bakery", "description": description}).status == 200
    refused = call("GET", "/companies?pageSize=500")
    assert (refused.status, refused.invalid_fields) == (400, ["pageSize"])
    answer = call("GET", "/companies?pageSize=100")
    assert (answer.body["totalResults"], len(json.dumps(answer.text)) < 6_000_000) == (500, True)


# lists with a cursor


def pages(call: Call, path: str) -> Iterator[Answer]:
    following: str | None = path
    while following:
        answer = call("GET", following)
        assert len(json.dumps(answer.text)) < 6_000_000
        yield answer
        following = answer.body["_links"].get("next", {}).get("href")


@pytest.mark.parametrize("companies", [LONG], indirect=True)
@pytest.mark.usefixtures("companies")
def test_a_page_of_feeds_reads_100_accounts_and_100_feeds(call: Call, read: Read) -> None:
    read("/feeds?pageSize=1")
    answer, reads = read("/feeds")
    assert len(answer.body["results"]) == 100
    assert (reads.items, reads.requests) == (200, 6)
    answer, reads = read(answer.body["_links"]["next"]["href"])
    assert (len(answer.body["results"]), reads.items) == (100, 200)
    answer, reads = read("/feeds?query=waiting>0")
    assert (answer.body["results"], "next" in answer.body["_links"], reads.items) == ([], True, 4_000)


def test_feeds_of_all_pages_are_all_feeds_in_order(call: Call, world: World) -> None:
    add_companies(world.store, 105)
    ids = [feed["id"] for answer in pages(call, "/feeds?pageSize=50") for feed in answer.body["results"]]
    assert (len(ids), ids) == (105, sorted(ids))
    company_id = call("GET", "/companies?page=7&pageSize=1").body["results"][0]["id"]
    of_company = pages(call, f"/feeds?companyId={company_id}&pageSize=1")
    assert [len(answer.body["results"]) for answer in of_company] == [1, 0]
    for refused in ("page=2", "orderBy=id", "pageSize=101", "after=%25"):
        assert call("GET", f"/feeds?{refused}").status == 400


def test_holds_come_in_pages_and_one_is_found_without_reading_the_others(call: Call, read: Read, world: World) -> None:
    for number in range(250):
        world.add_hold(id=numbered_id(number), subject=f"subject-{number}")
    answers = list(pages(call, "/holds"))
    assert [len(answer.body["results"]) for answer in answers] == [100, 100, 50]
    ids = [hold["id"] for answer in answers for hold in answer.body["results"]]
    assert ids == [numbered_id(number) for number in range(250)]
    before = world.table.reads.items
    assert call("POST", f"/holds/{numbered_id(249)}/release").status in {200, 400}
    assert world.table.reads.items - before < 20
