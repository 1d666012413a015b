"""Feed connections 2.0: the bytes that are sent, and every shape of an item's outcome, also those not documented."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.feed_connections_2 import FEED_CONNECTIONS_2_PATH as PATH
from tests.unit.xero.test_feed_connections import NEW, TAKEN
from tests.unit.xero.xero_server import ACCESS, TokenVault, api

SCOPES = ("bankfeeds", "bankfeedsv2")
EXISTING = NEW.but(account_id="a-1", country="GB")
SUCCESS = {"id": "f-1", "accountToken": "token-a", "status": "SUCCESS", "statusCode": 201}
PARTLY = {"type": "partial-failure-of-next-year", "title": "Half", "status": 500, "detail": "Half of it was made."}


class Feeds:
    """Answers each POST of 2.0 with the next outcome, and lists what it is given, in 2.0 alone."""

    def __init__(self, *posts: tuple[int, Any], listed: list[dict[str, Any]] | None = None) -> None:
        self.posts = list(posts)
        self.listed = listed or []
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "POST":
            code, body = self.posts.pop(0)
            return httpx.Response(code, json=body)
        if request.url.path == PATH:
            return httpx.Response(200, json={"items": self.listed if request.url.params["page"] == "1" else []})
        if request.url.path.endswith("/Accounts"):
            return httpx.Response(200, json={"Accounts": []})
        return httpx.Response(200, json={"items": [], "pagination": {"pageCount": 0}})

    def sent(self, kind: str) -> list[Any]:
        posts = [request for request in self.requests if request.url.path == f"{PATH}/{kind}"]
        return [json.loads(request.content)["items"][0] for request in posts]


def feeds(server: Any, scopes: tuple[str, ...] = SCOPES) -> XeroBankFeeds:
    return XeroBankFeeds(api(server, TokenVault(scopes=scopes)), lambda: "key-1", lambda: 2)


def create(server: Any, new: NewFeedConnection = EXISTING) -> FeedConnection:
    return feeds(server).create_feed_connection(ACCESS, new)


def items(*found: Any) -> dict[str, Any]:
    return {"items": list(found)}


def test_an_existing_account_is_named_by_its_id_alone_and_is_read_before_it_counts_as_active() -> None:
    server = Feeds((200, items(SUCCESS)))
    assert create(server) == FeedConnection(id="f-1", account_token="token-a", account_id="a-1", active=False)
    assert server.sent("ExistingAccount") == [
        {"accountToken": "token-a", "accountType": "BANK", "accountId": "a-1", "currency": "GBP", "country": "GB"}
    ]
    [request] = server.requests
    assert request.headers["content-type"] == "application/json"
    assert "idempotency-key" not in request.headers


def test_a_new_account_is_named_and_numbered_within_xeros_lengths() -> None:
    server = Feeds((200, items(SUCCESS)))
    assert create(server, NEW).account_id is None
    assert server.sent("NewAccount") == [
        {
            "accountToken": "token-a",
            "accountType": "BANK",
            "accountNumber": "20454555779911",
            "accountName": "Business Current Account with ",
            "currency": "GBP",
        }
    ]


def test_a_number_that_xero_cannot_take_is_refused_before_it_is_sent() -> None:
    server = Feeds()
    with pytest.raises(Invalid):
        create(server, NEW.but(account_number="1" * 41))
    assert server.requests == []


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (200, {}),
        (200, items()),
        (200, items({"accountToken": "token-a", "status": "SUCCESS"})),
        (207, items({"id": "f-1", "status": "PARTIAL_FAILURE"})),
        (207, items({"id": "f-1", "status": "PARTIALLY_DONE", "statusCode": 500, "error": PARTLY})),
        (207, items({"status": "REJECTED", "statusCode": 500, "error": PARTLY})),
        (200, items({"status": "IN_DOUBT_OF_NEXT_YEAR", "error": TAKEN | {"type": "x", "status": 500}})),
        (500, PARTLY),
        (500, {"type": "internal-error", "title": "Intermittent", "status": 500}),
    ],
)
def test_what_is_not_certain_is_an_outage_and_nothing_is_asked_for_twice(code: int, body: Any) -> None:
    server = Feeds((code, body))
    with pytest.raises(Unavailable):
        create(server)
    assert len(server.sent("ExistingAccount")) == 1


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (400, items({"status": "REJECTED", "statusCode": 409, "error": TAKEN})),
        (200, items({"status": "rejected", "error": TAKEN})),
        (409, TAKEN),
    ],
)
def test_one_that_is_ours_already_is_adopted(code: int, body: Any) -> None:
    ours = {"id": "f-3", "accountToken": "token-a", "accountId": "a-1"}
    assert create(Feeds((code, body), listed=[ours])).id == "f-3"
    with pytest.raises(Refused) as raised:
        create(Feeds((code, body), listed=[ours | {"accountId": "a-other"}]))
    assert raised.value.problem.type == TAKEN["type"]


def test_what_was_made_in_part_is_found_by_its_token() -> None:
    ours = {"id": "f-3", "accountToken": "token-a", "accountId": "a-1"}
    partly = items({"accountToken": "token-a", "status": "PARTIAL_FAILURE", "statusCode": 500, "error": PARTLY})
    assert create(Feeds((207, partly), listed=[ours])).id == "f-3"


def test_a_rejection_without_a_word_is_refused_by_its_code() -> None:
    with pytest.raises(Refused):
        create(Feeds((400, items({"status": "REJECTED", "statusCode": 422}))))


@pytest.mark.parametrize(
    ("type", "status"), [("invalid-organisation-bank-feeds", 403), ("account-name-already-exists", 409)]
)
def test_a_refusal_comes_with_xeros_words_and_its_own_status(type: str, status: int) -> None:
    error = {"type": type, "title": "No", "status": status, "detail": "In Xero's words."}
    with pytest.raises(Refused) as raised:
        create(Feeds((400, items({"status": "REJECTED", "statusCode": status, "error": error}))), NEW)
    assert raised.value.problem.model_dump(include={"type", "status", "detail"}) == {
        "type": type,
        "status": status,
        "detail": "In Xero's words.",
    }


def test_a_list_that_repeats_itself_ends() -> None:
    found = [{"id": "f-1", "accountToken": "t"}, {"id": "f-2", "accountToken": "u"}]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": found if request.url.path == PATH else []})

    assert [one.id for one in feeds(answer).feed_connections(ACCESS)] == ["f-1", "f-2"]


def test_what_was_rejected_later_is_not_listed() -> None:
    found = [{"id": "f-1", "accountToken": "t", "status": "REJECTED"}, {"id": "f-2", "accountToken": "t"}]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": found if request.url.path == PATH else []})

    assert [one.id for one in feeds(answer).feed_connections(ACCESS)] == ["f-2"]


@pytest.mark.parametrize(
    "item",
    [
        {"id": "f-1", "status": "SUCCESS", "statusCode": 204},
        {"id": "f-1", "status": "SUCCESS", "statusCode": 204, "error": {"type": "feed-not-found-or-already-deleted"}},
        {"status": "REJECTED", "statusCode": 404, "error": {"type": "feed-not-found-or-already-deleted"}},
    ],
)
def test_an_end_is_asked_for_by_id_and_what_2_does_not_know_is_asked_of_1(item: dict[str, Any]) -> None:
    gone = {"status": "REJECTED", "error": {"type": "feed-not-found-or-already-deleted"}}
    server = Feeds((200, items(item)), (400, items(gone)))
    feeds(server).delete_feed_connection(ACCESS, "f-1")
    assert server.sent("DeleteRequests") == [{"id": "f-1"}]
    assert len(server.posts) == (0 if "error" in item else 1)


@pytest.mark.parametrize(
    "item", [{}, {"id": "f-1", "status": "PARTIAL_FAILURE", "statusCode": 500, "error": PARTLY}, {"id": "f-1"}]
)
def test_an_end_that_is_not_certain_is_asked_for_again(item: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        feeds(Feeds((207, items(item)))).delete_feed_connection(ACCESS, "f-1")


def test_without_the_scope_no_call_of_2_is_made() -> None:
    server = Feeds()
    for _ in range(3):
        with pytest.raises(Refused) as raised:
            feeds(server, ("bankfeeds",)).create_feed_connection(ACCESS, EXISTING)
        assert raised.value.problem.type == "missing-feed-connections-scope"
    assert server.requests == []


def test_a_403_without_a_reason_is_the_tokens_and_not_the_connections() -> None:
    forbidden = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/connections":
            return httpx.Response(200, json=[{"id": "c-1", "tenantId": ACCESS.tenant_id}])
        return httpx.Response(403, json=forbidden)

    with pytest.raises(Refused) as raised:
        feeds(answer, ()).create_feed_connection(ACCESS, EXISTING)
    assert raised.value.problem.type == "missing-feed-connections-scope"
    with pytest.raises(ReconnectionNeeded):
        feeds(lambda _: httpx.Response(403, json=forbidden)).feed_connections(ACCESS)
