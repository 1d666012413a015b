"""Feed connections 2.0: each item with its own outcome, the envelope computed from them, nothing matched or guessed.

The shapes are those of Xero's specification of 2.0, with every field that it has and no other.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from local.simulator.organisations import fixed_id
from tests.contract.simulator.driver import (
    BAKERY,
    CURRENT_ACCOUNT,
    FEED_CONNECTIONS,
    HUNG_UP,
    JOINERY,
    SAVINGS_ACCOUNT,
    SCOPES,
    Xero,
    new_feed,
    new_statement,
)

PATH = "/bankfeeds.xro/2.0/FeedConnections"
BOTH = f"{SCOPES} bankfeedsv2"


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Problem(Shape):
    type: str
    title: str
    status: int
    detail: str


class Result(Shape):
    """`BulkFeedConnectionResult`. An id is text in JSON, so it is parsed below."""

    id: str | None = None
    accountToken: str | None = None  # noqa: N815
    status: Literal["SUCCESS", "REJECTED", "PARTIAL_FAILURE"]
    statusCode: int  # noqa: N815
    error: Problem | None = None


class Connection(Shape):
    id: str
    accountToken: str  # noqa: N815
    accountType: Literal["BANK", "CREDITCARD"]  # noqa: N815
    accountNumber: str  # noqa: N815
    accountName: str  # noqa: N815
    accountId: str  # noqa: N815
    currency: str
    country: str


class Pagination(Shape):
    page: int
    pageCount: int  # noqa: N815
    pageSize: int  # noqa: N815
    itemCount: int  # noqa: N815


class Page(Shape):
    pagination: Pagination
    items: list[Connection]


@pytest.fixture(autouse=True)
def connected(xero: Xero) -> None:
    xero.connect(BAKERY, scope=BOTH)


def post(xero: Xero, kind: str, *items: dict[str, Any], **changes: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json"} | changes.pop("headers", {})
    return xero.call("POST", f"{PATH}/{kind}", body={"items": items}, headers=headers, **changes)


def results(answer: httpx.Response) -> list[Result]:
    return [Result.model_validate(item) for item in answer.json()["items"]]


def new_account(**changes: Any) -> dict[str, Any]:
    item = {"accountToken": "token-1", "accountNumber": "777", "accountName": "Till", "accountType": "BANK"}
    return {name: value for name, value in (item | {"currency": "GBP"} | changes).items() if value is not None}


def listed(xero: Xero, path: str = PATH, **params: Any) -> list[str]:
    return [item["accountToken"] for item in xero.call("GET", path, params=params).json()["items"]]


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Of one refused item: the envelope is a 400, whatever the item's own code."""
    [result] = results(answer)
    assert (answer.status_code, result.status, result.id) == (400, "REJECTED", None)
    assert result.error is not None
    assert result.error.status == result.statusCode
    return result.statusCode, result.error.type


def test_an_existing_account_is_connected_at_once_and_shown_without_a_status(xero: Xero) -> None:
    answer = post(xero, "ExistingAccount", new_feed(accountNumber="ignored" * 9, accountName="ignored" * 9))
    [made] = results(answer)
    assert (answer.status_code, made.status, made.statusCode, made.error) == (200, "SUCCESS", 201, None)
    assert made.id is not None
    assert str(UUID(made.id)) == made.id
    shown = Connection.model_validate(xero.call("GET", f"{PATH}/{made.id}").json())
    assert (shown.accountId, shown.accountName) == (CURRENT_ACCOUNT, "Business Current Account")
    assert Page.model_validate(xero.call("GET", PATH).json()).items == [shown]
    assert xero.post_statements(new_statement(made.id)).status_code == 202


def test_a_new_account_is_made_even_where_the_number_is_known(xero: Xero) -> None:
    answer = post(xero, "NewAccount", new_account(accountNumber="20454555779911"))
    [made] = results(answer)
    shown = xero.call("GET", f"{PATH}/{made.id}").json()
    assert shown["accountId"] != CURRENT_ACCOUNT
    assert (shown["accountName"], shown["accountNumber"]) == ("Till", "20454555779911")


def test_the_envelope_is_computed_from_the_items(xero: Xero) -> None:
    bad = new_feed(accountToken="token-2", accountId=fixed_id("nobody"))
    mixed = post(xero, "ExistingAccount", new_feed(), bad)
    assert (mixed.status_code, [result.statusCode for result in results(mixed)]) == (207, [201, 422])
    assert refused(post(xero, "ExistingAccount", bad)) == (422, "account-not-valid")
    assert listed(xero) == ["token-1"]


@pytest.mark.parametrize(
    ("kind", "item", "expected"),
    [
        ("ExistingAccount", new_feed(accountToken="x" * 51), (400, "invalid-account-token")),
        ("ExistingAccount", new_feed(accountId=None), (400, "missing-identifying-fields")),
        (
            "ExistingAccount",
            new_feed(accountId="00000000-0000-0000-0000-000000000000"),
            (400, "missing-identifying-fields"),
        ),
        ("ExistingAccount", new_feed(currency="EUR"), (422, "account-not-valid")),
        ("ExistingAccount", new_feed(currency="USD"), (403, "invalid-organisation-multi-currency")),
        ("ExistingAccount", new_feed(country="FR"), (400, "invalid-country-specified")),
        ("NewAccount", new_account(accountNumber=None), (400, "missing-identifying-fields")),
        ("NewAccount", new_account(accountName=None), (400, "missing-identifying-fields")),
        ("NewAccount", new_account(accountNumber="1" * 41), (400, "invalid-request")),
        ("NewAccount", new_account(accountName="x" * 31), (400, "invalid-request")),
        ("NewAccount", new_account(accountType="CREDITCARD", accountNumber="12345"), (400, "invalid-request")),
        ("NewAccount", new_account(accountId=CURRENT_ACCOUNT), (400, "invalid-request")),
        ("NewAccount", new_account(accountId="00000000-0000-0000-0000-000000000000"), (400, "invalid-request")),
        ("NewAccount", new_account(accountName="business current ACCOUNT"), (409, "account-name-already-exists")),
    ],
)
def test_what_an_item_lacks_or_has_too_much_of_is_its_own_problem(
    xero: Xero, kind: str, item: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert refused(post(xero, kind, item)) == expected
    assert listed(xero) == []


def test_a_token_and_an_account_have_one_feed(xero: Xero) -> None:
    taken = (409, "feed-already-connected-in-current-organisation")
    post(xero, "ExistingAccount", new_feed())
    assert refused(post(xero, "ExistingAccount", new_feed())) == taken
    assert refused(post(xero, "ExistingAccount", new_feed(accountToken="token-2"))) == taken
    assert refused(post(xero, "NewAccount", new_account())) == taken


def test_an_organisation_without_bank_feeds_refuses_the_whole_request(xero: Xero) -> None:
    xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": False, "feedConnectionsAllowed": False})
    answer = post(xero, "NewAccount", new_account())
    assert (answer.status_code, Problem.model_validate(answer.json()).type) == (403, "invalid-organisation-bank-feeds")


def test_what_is_no_request_is_a_problem_without_items(xero: Xero) -> None:
    for items in ([], [new_account(accountToken=f"t-{number}") for number in range(51)]):
        answer = post(xero, "NewAccount", *items)
        assert (answer.status_code, Problem.model_validate(answer.json()).type) == (400, "invalid-request")
    twice = post(xero, "DeleteRequests", {"id": CURRENT_ACCOUNT}, {"id": CURRENT_ACCOUNT.upper()})
    assert Problem.model_validate(twice.json()).status == 400


def test_a_body_has_to_say_that_it_is_json(xero: Xero) -> None:
    assert post(xero, "NewAccount", new_account(), headers={"Content-Type": "text/plain"}).status_code == 415
    assert post(xero, "NewAccount", new_account(), headers={"Content-Type": ""}).status_code == 415
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert post(xero, "NewAccount", new_account(), headers=charset).status_code == 200


def test_a_missing_tenant_is_said_before_anything_about_the_token(xero: Xero) -> None:
    answer = xero.call("GET", PATH, tenant=None, token="nobody")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Missing required header Xero-Tenant-Id."
    assert xero.call("GET", PATH, token="nobody").status_code == 401


def test_each_version_has_a_scope_of_its_own(xero: Xero) -> None:
    only_1 = xero.connect(JOINERY, user_id=fixed_id("someone else"))["access_token"]
    assert xero.call("GET", PATH, tenant=JOINERY, token=only_1).status_code == 403
    assert xero.call("GET", FEED_CONNECTIONS, tenant=JOINERY, token=only_1).status_code == 200


def test_an_app_may_have_the_one_version_and_not_the_other(xero: Xero) -> None:
    xero.control("PUT", "app", {"feedConnections2Enabled": False})
    assert xero.call("GET", PATH).json()["type"] == "invalid-application"
    assert xero.call("GET", FEED_CONNECTIONS).status_code == 200


def test_the_list_ends_with_an_empty_page_and_has_ten_to_a_page(xero: Xero) -> None:
    items = [new_account(accountToken=f"t-{n}", accountName=f"Till {n}") for n in range(11)]
    assert post(xero, "NewAccount", *items).status_code == 200
    assert len(listed(xero)) == 10
    assert listed(xero, page=2) == ["t-10"]
    assert listed(xero, page=3) == []
    assert len(listed(xero, pageSize=1000)) == 11
    page = Page.model_validate(xero.call("GET", PATH, params={"page": 2}).json())
    assert (page.pagination.pageCount, page.pagination.itemCount) == (2, 1)


@pytest.mark.parametrize("id", ["nobody", "00000000-0000-0000-0000-000000000000", SAVINGS_ACCOUNT])
def test_whatever_is_no_id_is_not_found(xero: Xero, id: str) -> None:
    answer = xero.call("GET", f"{PATH}/{id}")
    assert (answer.status_code, Problem.model_validate(answer.json()).type) == (404, "bank-feed-not-found")


def test_a_deletion_is_done_at_once_and_one_of_what_is_gone_succeeds_too(xero: Xero) -> None:
    [made] = results(post(xero, "ExistingAccount", new_feed()))
    answer = post(xero, "DeleteRequests", {"id": made.id})
    [deleted] = results(answer)
    assert (answer.status_code, deleted.status, deleted.statusCode, deleted.error) == (200, "SUCCESS", 204, None)
    assert listed(xero) == listed(xero, FEED_CONNECTIONS) == []
    again = post(xero, "DeleteRequests", {"id": made.id})
    [gone] = results(again)
    assert gone.error is not None
    assert (again.status_code, gone.status, gone.statusCode, gone.error.type) == (
        200,
        "SUCCESS",
        204,
        "feed-not-found-or-already-deleted",
    )
    assert refused(post(xero, "DeleteRequests", {})) == (400, "missing-identifying-fields")


def test_there_is_no_idempotency_key(xero: Xero) -> None:
    key = {"Idempotency-Key": "key-1"}
    xero.control("POST", "faults", {"match": {"path": f"{PATH}/NewAccount"}, "fault": "dropResponse"})
    with pytest.raises(HUNG_UP):
        post(xero, "NewAccount", new_account(), headers=key)
    assert refused(post(xero, "NewAccount", new_account(), headers=key))[0] == 409


@pytest.mark.parametrize(("position", "known"), [("shared", ["token-1"]), ("apart", [])])
def test_whether_each_version_knows_what_the_other_made(xero: Xero, position: str, known: list[str]) -> None:
    xero.switch("feedVersions", position)
    first = xero.active_feed()
    assert listed(xero) == known
    assert (xero.call("GET", f"{PATH}/{first}").status_code == 200) is bool(known)
    if not known:
        [gone] = results(post(xero, "DeleteRequests", {"id": first}))
        assert gone.error is not None
    [made] = results(post(xero, "NewAccount", new_account(accountToken="token-2")))
    assert ("token-2" in listed(xero, FEED_CONNECTIONS)) is bool(known)
    body = {"items": [{"id": made.id}]}
    deleted = xero.call("POST", f"{FEED_CONNECTIONS}/DeleteRequests", body=body)
    assert (deleted.status_code == 202) is bool(known)
    assert xero.post_statements(new_statement(first)).status_code == 202


@pytest.mark.parametrize(("position", "begin"), [("prefixed", "partial-failure-account"), ("renamed", "account-")])
def test_a_new_account_may_be_left_without_its_feed(xero: Xero, position: str, begin: str) -> None:
    xero.switch("partialFailures", position)
    fault = {"match": {"path": f"{PATH}/NewAccount"}, "fault": "partial", "when": "after"}
    xero.control("POST", "faults", fault)
    answer = post(xero, "NewAccount", new_account())
    [partly] = results(answer)
    assert (answer.status_code, partly.status, partly.statusCode) == (207, "PARTIAL_FAILURE", 500)
    assert partly.error is not None
    assert partly.error.type.startswith(begin)
    assert listed(xero) == []
    assert refused(post(xero, "NewAccount", new_account()))[1] == "account-name-already-exists"


@pytest.mark.parametrize(("when", "left"), [("after", ["token-1"]), ("before", [])])
def test_a_connection_may_be_made_and_not_reported_or_not_be_made(xero: Xero, when: str, left: list[str]) -> None:
    fault = {"match": {"path": f"{PATH}/ExistingAccount"}, "fault": "partial", "when": when}
    xero.control("POST", "faults", fault)
    answer = post(xero, "ExistingAccount", new_feed())
    assert [result.statusCode for result in results(answer)] == [500]
    assert listed(xero) == left


def test_a_deletion_in_part_is_done_by_its_repeat(xero: Xero) -> None:
    [made] = results(post(xero, "ExistingAccount", new_feed()))
    xero.control("POST", "faults", {"match": {"path": f"{PATH}/DeleteRequests"}, "fault": "partial"})
    assert [result.status for result in results(post(xero, "DeleteRequests", {"id": made.id}))] == ["PARTIAL_FAILURE"]
    assert [result.status for result in results(post(xero, "DeleteRequests", {"id": made.id}))] == ["SUCCESS"]
