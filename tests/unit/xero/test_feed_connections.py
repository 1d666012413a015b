"""Feed connections: all pages, both shapes of an answer, and one of ours adopted if it exists already."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from feedlane.companies.source_account import AccountKind
from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection
from tests.unit.xero.xero_server import ACCESS, always, bank_feeds, fails

PATH = "/bankfeeds.xro/1.0/FeedConnections"
NEW = NewFeedConnection(
    account_token="token-a",
    account_number="20454555779911",
    account_name="Business Current Account with a long name",
    kind=AccountKind.BANK,
    currency="GBP",
)
TAKEN = {
    "type": "feed-already-connected-in-current-organisation",
    "title": "Feed Connection Failed",
    "status": 409,
    "detail": "The AccountToken, AccountNumber or AccountId is already connected.",
}


class Feeds:
    """Answers a POST as set up, and a GET with its feed connections, page by page."""

    def __init__(
        self, connections: list[dict[str, Any]], post: tuple[int, Any] = (202, None), paging: bool = True
    ) -> None:
        self.connections, self.post, self.paging = connections, post, paging
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "POST":
            return httpx.Response(self.post[0], json=self.post[1])
        page, size = int(request.url.params["page"]), 2
        items = self.connections[(page - 1) * size : page * size] if self.paging else self.connections
        answer: dict[str, Any] = {"items": items}
        if self.paging:
            answer["pagination"] = {"page": page, "pageCount": -(-len(self.connections) // size), "pageSize": size}
        return httpx.Response(200, json=answer)

    @property
    def sent(self) -> Any:
        return json.loads(self.requests[0].content)["items"][0]


def active(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"f-{number}", "accountToken": f"token-{number}", "accountId": f"a-{number}"} | changes


def test_all_pages_are_read_with_the_page_size_always_given() -> None:
    server = Feeds([active(number) for number in range(5)])
    connections = bank_feeds(server).feed_connections(ACCESS)
    assert [connection.id for connection in connections] == [f"f-{number}" for number in range(5)]
    assert [request.url.params["page"] for request in server.requests] == ["1", "2", "3"]
    assert all(request.url.params["pageSize"] for request in server.requests)


def test_a_list_without_paging_that_repeats_itself_ends() -> None:
    server = Feeds([active(number) for number in range(3)], paging=False)
    assert len(bank_feeds(server).feed_connections(ACCESS)) == 3
    assert len(server.requests) == 2


def test_an_accounts_name_is_cut_as_xero_counts_it_and_within_no_character() -> None:
    server = Feeds([], (202, {"items": [{"id": "f-1", "status": "PENDING"}]}))
    name = "🏖️ Holiday pot 💰 tax & VAT 🧾 2026"
    bank_feeds(server).create_feed_connection(ACCESS, NEW.but(account_name=name))
    assert server.sent["accountName"] == "🏖️ Holiday pot 💰 tax & VAT "


@pytest.mark.parametrize("code", [200, 202])
def test_an_empty_list_at_either_status_is_empty(code: int) -> None:
    assert bank_feeds(always(code, {"pagination": {"pageCount": 0}, "items": []})).feed_connections(ACCESS) == []


def test_a_pending_one_is_not_active_and_a_rejected_one_is_none() -> None:
    server = Feeds([active(1, status="PENDING"), active(2, status="REJECTED")])
    assert bank_feeds(server).feed_connections(ACCESS) == [
        FeedConnection(id="f-1", account_token="token-1", account_id="a-1", active=False)
    ]


def test_a_new_account_is_named_and_numbered_within_xeros_lengths() -> None:
    server = Feeds([], (202, {"items": [{"id": "f-1", "accountToken": "token-a", "status": "PENDING"}]}))
    created = bank_feeds(server).create_feed_connection(ACCESS, NEW)
    assert created == FeedConnection(id="f-1", account_token="token-a", active=False)
    assert server.sent == {
        "accountToken": "token-a",
        "accountType": "BANK",
        "accountNumber": "20454555779911",
        "accountName": "Business Current Account with ",
        "currency": "GBP",
    }
    assert server.requests[0].headers["idempotency-key"] == "key-1"


def test_an_existing_account_is_named_by_its_id_alone() -> None:
    server = Feeds([], (202, {"items": [{"id": "f-1", "status": "PENDING"}]}))
    bank_feeds(server).create_feed_connection(ACCESS, NEW.but(account_id="a-1", country="GB"))
    assert server.sent == {
        "accountToken": "token-a",
        "accountType": "BANK",
        "accountId": "a-1",
        "currency": "GBP",
        "country": "GB",
    }


def test_of_a_cards_number_only_the_last_four_digits_leave() -> None:
    server = Feeds([], (202, {"items": [{"id": "f-1", "status": "PENDING"}]}))
    card = NEW.but(kind=AccountKind.CREDIT_CARD, account_number="4111-1111 1111 4242")
    bank_feeds(server).create_feed_connection(ACCESS, card)
    assert server.sent["accountNumber"] == "4242"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (AccountKind.CREDIT_CARD, "42"),
        (AccountKind.CREDIT_CARD, "٤٢٤٢"),
        (AccountKind.BANK, ""),
        (AccountKind.BANK, "1" * 41),
    ],
)
def test_a_number_that_xero_cannot_take_is_refused_before_it_is_sent(kind: AccountKind, number: str) -> None:
    server = Feeds([])
    with pytest.raises(Invalid):
        bank_feeds(server).create_feed_connection(ACCESS, NEW.but(kind=kind, account_number=number))
    assert server.requests == []


def test_one_that_is_ours_already_is_adopted() -> None:
    """As after a lost answer: the feed connection we created is found by its account token."""
    rejected = {"items": [{"accountToken": "token-a", "status": "REJECTED", "error": TAKEN}]}
    server = Feeds([active(1), active(2), active(3, accountToken="token-a")], (400, rejected))
    adopted = bank_feeds(server).create_feed_connection(ACCESS, NEW)
    assert adopted == FeedConnection(id="f-3", account_token="token-a", account_id="a-3", active=True)


@pytest.mark.parametrize("existing", [[active(1)], [active(1, accountToken="token-a", accountId="a-other")]])
def test_another_ones_feed_and_a_feed_of_another_account_are_not_adopted(existing: list[dict[str, Any]]) -> None:
    rejected = {"items": [{"accountToken": "token-a", "status": "REJECTED", "error": TAKEN}]}
    with pytest.raises(Refused) as raised:
        bank_feeds(Feeds(existing, (400, rejected))).create_feed_connection(ACCESS, NEW.but(account_id="a-1"))
    assert raised.value.problem.status == 409


def test_a_rejection_inside_a_202_is_refused_with_xeros_words() -> None:
    error = {"type": "invalid-organisation-multi-currency", "title": "No", "detail": "…"}
    server = Feeds([], (202, {"items": [{"status": "REJECTED", "error": error}]}))
    with pytest.raises(Refused) as raised:
        bank_feeds(server).create_feed_connection(ACCESS, NEW)
    assert raised.value.problem.type == "invalid-organisation-multi-currency"


def test_a_rejection_without_a_word_is_refused_too() -> None:
    with pytest.raises(Refused):
        bank_feeds(Feeds([], (202, {"items": [{"status": "REJECTED"}]}))).create_feed_connection(ACCESS, NEW)


def test_an_answer_without_an_id_is_no_success() -> None:
    with pytest.raises(Unavailable):
        bank_feeds(Feeds([], (202, {"items": []}))).create_feed_connection(ACCESS, NEW)


@pytest.mark.parametrize("is_bare", [True, False])
def test_one_is_found_bare_or_in_an_envelope(is_bare: bool) -> None:
    body = active(1) if is_bare else {"items": [active(1)]}
    assert bank_feeds(always(200, body)).feed_connection(ACCESS, "f-1") == FeedConnection(
        id="f-1", account_token="token-1", account_id="a-1", active=True
    )


@pytest.mark.parametrize("type", ["bank-feed-not-found", "invalid-feed-connection"])
def test_one_that_is_gone_is_none(type: str) -> None:
    problem = {"type": type, "title": "Not found", "status": 404}
    assert bank_feeds(always(404, problem)).feed_connection(ACCESS, "f-1") is None


@pytest.mark.parametrize("code", [202, 400])
def test_deleting_what_is_gone_is_no_error(code: int) -> None:
    error = {"type": "feed-not-found-or-already-deleted", "title": "Gone"}
    body = {"items": [{"id": "f-1", "status": "REJECTED", "error": error}]}
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(code, json=body)

    bank_feeds(answer).delete_feed_connection(ACCESS, "f-1")
    [request] = requests
    assert (request.method, request.url.path) == ("POST", f"{PATH}/DeleteRequests")
    assert json.loads(request.content) == {"items": [{"id": "f-1"}]}


def test_deleting_another_organisations_feed_is_refused() -> None:
    error = {"type": "feed-connected-in-different-organisation", "title": "Elsewhere"}
    with pytest.raises(Refused):
        bank_feeds(always(202, {"items": [{"status": "REJECTED", "error": error}]})).delete_feed_connection(
            ACCESS, "f-1"
        )


def test_what_somebody_waits_for_fails_in_the_domains_words() -> None:
    forbidden = {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}
    with pytest.raises(ReconnectionNeeded):
        bank_feeds(always(403, forbidden)).feed_connections(ACCESS)
    with pytest.raises(Unavailable) as raised:
        bank_feeds(always(429, b"", {"Retry-After": "42"})).feed_connections(ACCESS)
    assert raised.value.retry_after == 42
    for error in (httpx.ReadTimeout, httpx.ConnectError):
        with pytest.raises(Unavailable):
            bank_feeds(fails(error)).feed_connections(ACCESS)
