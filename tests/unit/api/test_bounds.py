"""What a platform may create has bounds, so that every item fits into the table and every list into an answer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from api.routes import push
from feedlane.codat import paging
from feedlane.companies import items as company_items
from feedlane.companies.connection import FAULTS_KEPT_MAX
from feedlane.companies.reconnection import fault_of
from feedlane.companies.source_accounts import ACCOUNTS_MAX
from feedlane.errors import Finding
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.feeds.refusals import DETAIL_LENGTH_MAX, PROBLEMS_MAX
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store.records import item_of
from feedlane.store.sizes import item_bytes
from feedlane.store.store import Store
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from feedlane.xero.problems import problems_in
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION, NOW
from tests.fakes.quick_table import QuickTable
from tests.unit.api.conftest import Call
from tests.worlds.api import World

Ids = dict[str, str]
HUGE = "语" * 20_000


def test_a_connection_has_200_accounts_and_the_list_of_them_fits(call: Call, ids: Ids) -> None:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
    account = {"accountName": "语" * 255, "accountType": "checking", "accountNumber": "20011234", "currency": "GBP"}
    accounts = f"{path}/connectionInfo/bankFeedAccounts"
    for start in range(0, ACCOUNTS_MAX, 100):
        batch = [account | {"id": f"account-{number}"} for number in range(start, start + 100)]
        assert call("POST", f"{accounts}/batch", batch).status == 201
    refused = call("POST", accounts, account | {"id": "one-more"})
    assert (refused.status, refused.invalid_fields) == (400, ["id"])
    assert (
        call("POST", accounts, account | {"id": "account-0"}).body["error"].endswith("already exists with the same Id")
    )
    for listed in (accounts, f"{path}/bankFeedAccounts/mapping", f"/feeds?connectionId={ids['connection_id']}"):
        answer = call("GET", listed)
        assert (answer.status, len(json.dumps(answer.text)) < 6_000_000) == (200, True)
    assert call("DELETE", f"{accounts}/account-7").status == 204
    assert call("POST", accounts, account | {"id": "one-more"}).status == 200


def test_problems_of_any_size_are_kept_up_to_a_size() -> None:
    error = {"type": HUGE, "title": HUGE, "detail": HUGE, "status": 400}
    problems = problems_in(400, json.dumps({"items": [{"errors": [error] * 20}] * 3}).encode())
    assert (len(problems), len(problems[0].detail)) == (PROBLEMS_MAX, DETAIL_LENGTH_MAX)
    [problem] = problems_in(403, json.dumps(error).encode())
    connection = builders.linked()
    for _ in range(FAULTS_KEPT_MAX + 5):
        connection = connection.with_fault(fault_of(problem, NOW))
    hold = builders.hold(Scope.FEED, "k/a", problem=problem)
    assert isinstance(hold, Hold)
    for record in (connection, hold):
        assert item_bytes(item_of(("pk", "sk"), record)) < 200_000


def test_a_full_consumer_and_the_full_list_of_them_fit(call: Call) -> None:
    consumer = Consumer(
        id="x" * 36,
        url="https://example.com/" + "x" * 2_028,
        event_types=tuple("x" * 60 for _ in range(100)),
        company_tags=tuple("语" * 128 for _ in range(10)),
        header_names=tuple("x" * 64 for _ in range(10)),
        created=NOW,
    )
    assert item_bytes(item_of(("pk", "sk"), consumer)) * CONSUMERS_MAX < 1_000_000
    assert call("GET", "/webhooks").status == 200


def test_a_profile_with_too_many_or_too_long_urls_is_a_400(call: Call) -> None:
    profile = {"name": "Platform", "redirectUrl": "https://app.example.com/done"}
    long = "https://example.com/" + "x" * 3_000
    for urls in (["https://example.com"] * 51, [long]):
        refused = call("PUT", "/profile", profile | {"whiteListUrls": urls})
        assert (refused.status, {*refused.invalid_fields}) == (400, {"whiteListUrls"})
    most = ["https://example.com/" + "x" * 1_900] * 50
    assert call("PUT", "/profile", profile | {"whiteListUrls": most}).status == 200


# the history of pushes

OPERATIONS, SEARCHED = 4_000, 3_000


@pytest.fixture
def history(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Pushes, one a minute, the newest at noon; every tenth has failed, the newest of them with a thousand errors."""
    errors = tuple(Finding(item_id=f"t{n}", message="语" * 20, validator="Order") for n in range(1_000))
    few = errors[:3]
    monkeypatch.setattr(paging, "SEARCHED_MAX", SEARCHED)
    monkeypatch.setattr(push, "SEARCHED_MAX", SEARCHED)
    quick = QuickTable()
    quick.put_many(world.table.items.values())
    world.store = Store(quick)
    items = []
    for number in range(OPERATIONS):
        failed = number % 10 == 0
        operation = PushOperation(
            key=builders.numbered_id(number),
            company_id=COMPANY,
            connection_id=CONNECTION,
            account_id=ACCOUNT,
            door=Door.API,
            requested_on=NOW - timedelta(minutes=OPERATIONS - 1 - number),
            status=PushStatus.FAILED if failed else PushStatus.SUCCESS,
            errors=(errors if number >= OPERATIONS - 100 else few) if failed else (),
        )
        items.append(push_operation_items.put_operation(operation).item)
    quick.put_many(items)
    world.store.commit(company_items.add_company(builders.company()))
    return world


def test_a_page_of_pushes_reads_that_page(call: Call, history: World) -> None:
    path = f"/companies/{COMPANY}/push"
    call("GET", f"{path}?pageSize=1")
    before = history.table.reads.items
    first = call("GET", path)
    assert history.table.reads.items - before == 102
    assert [one["pushOperationKey"] for one in first.body["results"][:2]] == [
        builders.numbered_id(OPERATIONS - 1),
        builders.numbered_id(OPERATIONS - 2),
    ]
    assert (first.body["totalResults"], "next" in first.body["_links"]) == (101, True)
    failed = first.body["results"][9]["validation"]["errors"]
    assert (len(failed), failed[-1]["message"]) == (10, "and 906 more: get the push operation itself")
    oldest = call("GET", f"{path}?orderBy=requestedOnUtc&page=3&pageSize=2").body["results"]
    assert [one["pushOperationKey"] for one in oldest] == [builders.numbered_id(4), builders.numbered_id(5)]
    assert call("GET", f"{path}?page=32&pageSize=100").status == 400


def test_a_filter_of_pushes_reads_the_days_that_it_names(call: Call, history: World) -> None:
    path = f"/companies/{COMPANY}/push"
    refused = call("GET", f"{path}?query=status%3DFailed")
    assert (refused.status, "requestedOnUtc>" in refused.body["error"]) == (400, True)
    before = history.table.reads.items
    found = call("GET", f"{path}?query=status%3DFailed%26%26requestedOnUtc>%3D2026-05-20&orderBy=status").body
    assert found["totalResults"] == 72
    assert history.table.reads.items - before < 2_500
    assert "next" not in found["_links"]
    nothing = call("GET", f"{path}?query=requestedOnUtc>2026-05-19%26%26requestedOnUtc<2026-04-01").body
    assert nothing["totalResults"] == 0


def test_the_last_page_of_pushes_is_counted_exactly(call: Call, history: World) -> None:
    oldest = "PUSH#" + builders.numbered_id(OPERATIONS - 250)
    history.table.delete_many(key for key in list(history.table.items) if "PUSH#" < key[1] < oldest)
    path = f"/companies/{COMPANY}/push"
    totals = [call("GET", f"{path}?page={page}").body["totalResults"] for page in (1, 2, 3, 4)]
    assert totals == [101, 201, 250, 250]


def test_a_byte_order_mark_before_a_body_is_ignored(call: Call) -> None:
    assert call("POST", "/companies", '\ufeff{"name": "Harbour Bakery"}').body["name"] == "Harbour Bakery"


@pytest.mark.parametrize("field", ["accountName", "accountNumber"])
def test_what_xero_could_refuse_in_an_accounts_name_or_number_is_refused(
    call: Call, ids: dict[str, str], field: str
) -> None:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}/connectionInfo/bankFeedAccounts"
    account = {"id": "src", "accountName": "Current", "accountType": "checking", "accountNumber": "20011234"}
    answer = call("POST", path, account | {"currency": "GBP", field: "a\x0b20011234"})
    assert (answer.status, answer.invalid_fields) == (400, [field])
