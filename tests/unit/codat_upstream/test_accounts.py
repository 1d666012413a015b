"""Source accounts and their mapping at Codat: created, adopted, followed until they are connected, ended."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from feedlane.companies.source_account import AccountKind, SourceAccount
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, TargetAccount
from feedlane.ids import account_token
from feedlane.money import loads
from tests.unit.codat_upstream.codat_server import (
    ACCESS,
    ACCOUNT,
    COMPANY,
    CONNECTION,
    NOON,
    PLACE,
    bank_feeds,
    envelope,
    routed,
)

TOKEN = account_token(ACCESS.connection_id, ACCOUNT)
GIVEN = {"routingInfo": {"bankCode": "040004", "type": "sortcode"}, "ignored": 1}
SOURCE = SourceAccount(
    id=ACCOUNT, connection_id="ours", company_id="our company", account_name="Current", account_type="checking",
    account_number="20011234", currency="GBP", balance=Decimal("250.10"), sort_code="040004", modified=NOON,
    given=GIVEN,
)  # fmt: skip
ROOT = f"/v1/companies/{COMPANY}/connections/{CONNECTION}"


def new(target: str | None = None) -> NewFeedConnection:
    return NewFeedConnection(
        account_token=TOKEN, account_id=target, account_number="04000420011234", account_name="Current",
        kind=AccountKind.BANK, currency="GBP", source=SOURCE,
    )  # fmt: skip


class Codat:
    """Accounts and mappings of one connection. A new account appears on the next operation about the mapping.

    `answers` replace the next answers to a request with this method and the end of its path.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.mappings: dict[str, dict[str, Any]] = {}
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self.status = "Linked"
        self.asked: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, loads(request.content) if request.content else {}
        self.asked.append((request.method, path))
        for (method, end), answers in self.answers.items():
            if method == request.method and path.endswith(end) and answers:
                status, value = answers.pop(0)
                return httpx.Response(status, json=value)
        return httpx.Response(200, text=json.dumps(self._answer(request.method, path.removeprefix(ROOT), body)))

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        match method, path:
            case "GET", "":
                return {"id": CONNECTION, "status": self.status}
            case "PATCH", "":
                self.status = body["status"]
                return {"id": CONNECTION, "status": self.status}
            case "GET", "/connectionInfo/bankFeedAccounts":
                return list(self.accounts.values())
            case "POST", "/connectionInfo/bankFeedAccounts":
                body = {name: float(value) if isinstance(value, Decimal) else value for name, value in body.items()}
                self.accounts[body["id"]] = body | {"status": "pending"}
                return self.accounts[body["id"]]
            case "GET", "/bankFeedAccounts/mapping":
                shown = [
                    {"sourceAccountId": id, "status": "pending"} | self.mappings.get(id, {}) for id in self.accounts
                ]
                for mapping in self.mappings.values():
                    if mapping["status"] == "connecting":
                        mapping |= {"status": "connected", "targetAccountId": "x-new", "targetAccountName": "Current"}
                return shown
            case "POST", "/bankFeedAccounts/mapping":
                target = body.get("targetAccountId")
                status = "connected" if target else "connecting"
                self.mappings[body["sourceAccountId"]] = {"status": status, "targetAccountId": target}
                return body | {"status": status, "targetAccountId": target}
            case "PATCH", _:
                self.mappings[body["id"]] = {"status": body["status"]}
                return self.accounts[body["id"]] | body
        raise AssertionError((method, path))


def test_an_account_is_created_and_mapped_and_appears_on_the_next_operation() -> None:
    codat = Codat()
    feeds = bank_feeds(codat)
    made = feeds.create_feed_connection(ACCESS, new())
    assert made == FeedConnection(id=PLACE, account_token=TOKEN, active=False)
    assert codat.accounts[ACCOUNT] == {
        "id": ACCOUNT, "accountName": "Current", "accountType": "checking", "accountNumber": "20011234",
        "currency": "GBP", "balance": 250.1, "sortCode": "040004", "routingInfo": GIVEN["routingInfo"],
        "status": "pending",
    }  # fmt: skip
    first, second = (feeds.feed_connection(ACCESS, PLACE) for _ in range(2))
    assert first is not None
    assert not first.active
    assert second == made.but(active=True, account_id="x-new", account_name="Current")
    assert feeds.feed_connections(ACCESS) == [second]


def test_an_existing_target_is_named_and_connected_at_once() -> None:
    codat = Codat()
    made = bank_feeds(codat).create_feed_connection(ACCESS, new("x-1"))
    assert made == FeedConnection(id=PLACE, account_token=TOKEN, account_id="x-1", active=True)


def test_what_a_crash_left_behind_is_adopted() -> None:
    codat = Codat()
    feeds = bank_feeds(codat)
    feeds.offer_accounts(ACCESS, [SOURCE])
    feeds.offer_accounts(ACCESS, [SOURCE])
    assert feeds.feed_connections(ACCESS) == [], "an account that is not mapped is no feed connection"
    feeds.create_feed_connection(ACCESS, new())
    feeds.create_feed_connection(ACCESS, new())
    posts = [path.rpartition("/")[2] for method, path in codat.asked if method == "POST"]
    assert posts == ["bankFeedAccounts", "mapping"]


@pytest.mark.parametrize("code", [400, 409])
def test_an_account_that_another_call_has_just_created_is_adopted(code: int) -> None:
    codat = Codat()
    codat.accounts[ACCOUNT] = {"id": ACCOUNT, "status": "pending"}
    codat.answers["GET", "/bankFeedAccounts"] = [(200, [])]
    codat.answers["POST", "/connectionInfo/bankFeedAccounts"] = [
        (code, envelope(code, "A bank account already exists with the same Id"))
    ]
    if code == 409:
        with pytest.raises(Unavailable):
            bank_feeds(codat).create_feed_connection(ACCESS, new())
    assert bank_feeds(codat).create_feed_connection(ACCESS, new("x-1")).active


@pytest.mark.parametrize(
    ("answer", "type"),
    [
        ((200, {"status": "Failed", "error": "A feed connection already exists to this account"}),
         "feed-already-connected-in-current-organisation"),
        ((400, envelope(400, "A feed connection already exists to this account")),
         "feed-already-connected-in-current-organisation"),
        ((400, envelope(400, "invalid-organisation-multi-currency")), "invalid-organisation-multi-currency"),
        ((200, {"status": "Failed"}), "codat-refused"),
        ((403, envelope(403, "The organisation does not support automated bank feeds.")),
         "invalid-organisation-bank-feeds"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_refused_says_why(answer: tuple[int, Any], type: str) -> None:
    codat = Codat()
    codat.answers["POST", "/mapping"] = [answer]
    with pytest.raises(Refused) as refused:
        bank_feeds(codat).create_feed_connection(ACCESS, new("x-1"))
    assert refused.value.problem.type == type
    assert refused.value.problem.answer


@pytest.mark.parametrize("status", ["Unlinked", "Deauthorized", "PendingAuth"])
def test_a_connection_that_is_not_linked_needs_its_customer(status: str) -> None:
    codat = Codat()
    codat.status = status
    codat.answers["POST", "/mapping"] = [(400, envelope(400, "The connection is not linked"))]
    with pytest.raises(ReconnectionNeeded):
        bank_feeds(codat).create_feed_connection(ACCESS, new("x-1"))


@pytest.mark.parametrize(
    ("item", "is_there", "is_active", "is_rejected"),
    [
        (None, False, False, False),
        ({"status": "disconnected"}, False, False, False),
        ({"status": "pending"}, True, False, False),
        ({"status": "connecting", "targetAccountId": None}, True, False, False),
        ({"status": "connected", "targetAccountId": "x-1"}, True, True, False),
        ({"status": "Connected", "targetAccountId": "x-1"}, True, True, False),
        ({"status": "Failed", "error": "account-not-valid"}, True, False, True),
    ],
)
def test_what_a_mapping_says(item: dict[str, Any] | None, is_there: bool, is_active: bool, is_rejected: bool) -> None:
    shown = [{"sourceAccountId": "another", "status": "connected"}]
    if item is not None:
        shown.append({"sourceAccountId": ACCOUNT} | item)
    accounts = [{"id": ACCOUNT, "status": "pending"}]
    routes = {("GET", "/mapping"): shown, ("GET", "/connectionInfo/bankFeedAccounts"): accounts}
    found = bank_feeds(routed(routes)).feed_connection(ACCESS, PLACE)
    assert (found is not None) == is_there
    if found is not None:
        assert (found.active, found.rejection is not None) == (is_active, is_rejected)


@pytest.mark.parametrize("accounts", [[], [{"id": ACCOUNT, "status": "disconnected"}]])
def test_an_account_that_is_pending_again_has_been_ended(accounts: list[dict[str, str]]) -> None:
    mappings = [{"sourceAccountId": ACCOUNT, "status": "pending"}]
    routes = {("GET", "/mapping"): mappings, ("GET", "/connectionInfo/bankFeedAccounts"): accounts}
    assert bank_feeds(routed(routes)).feed_connection(ACCESS, PLACE) is None


def test_targets_have_the_kind_and_currency_of_the_accounts_that_codat_offers_them_for() -> None:
    accounts = [
        {"id": "a", "accountType": "creditCard"}, {"id": "b", "accountType": "Debit"}, {"id": "c", "accountType": "?"}
    ]  # fmt: skip
    option = {"id": "x-1", "name": "Card", "accountNumber": "4471"}
    mappings = [
        {"sourceAccountId": "a", "sourceCurrency": "EUR", "targetAccountOptions": [option]},
        {"sourceAccountId": "b", "sourceCurrency": "GBP", "targetAccountOptions": [{"id": "x-2", "name": "Bank"}]},
        {"sourceAccountId": "c", "sourceCurrency": "GBP", "targetAccountOptions": [{"id": "x-3"}, "odd"]},
        {"sourceAccountId": "b", "sourceCurrency": "GBP", "targetAccountOptions": None},
    ]
    found = bank_feeds(routed({("GET", "/connectionInfo/bankFeedAccounts"): accounts, ("GET", "/mapping"): mappings}))
    assert found.target_accounts(ACCESS) == [
        TargetAccount(id="x-1", name="Card", number="4471", currency="EUR", kind=AccountKind.CREDIT_CARD),
        TargetAccount(id="x-2", name="Bank", currency="GBP", kind=AccountKind.BANK),
    ]


def test_a_feed_is_ended_and_its_account_stays_to_be_mapped_again() -> None:
    codat = Codat()
    feeds = bank_feeds(codat)
    feeds.create_feed_connection(ACCESS, new("x-1"))
    feeds.delete_feed_connection(ACCESS, PLACE)
    assert feeds.feed_connection(ACCESS, PLACE) is None
    assert feeds.feed_connections(ACCESS) == []
    feeds.create_feed_connection(ACCESS, new("x-2"))
    assert feeds.feed_connections(ACCESS)[0].account_id == "x-2"


@pytest.mark.parametrize("code", [400, 404])
def test_a_feed_that_is_gone_already_is_no_error(code: int) -> None:
    codat = Codat()
    codat.answers["PATCH", ACCOUNT] = [(code, envelope(code, "No"))]
    bank_feeds(codat).delete_feed_connection(ACCESS, PLACE)
    codat.accounts[ACCOUNT] = {"id": ACCOUNT}
    codat.mappings[ACCOUNT] = {"status": "connected", "targetAccountId": "x-1"}
    codat.answers["PATCH", ACCOUNT] = [(code, envelope(code, "No"))]
    with pytest.raises((Refused, ReconnectionNeeded)):
        bank_feeds(codat).delete_feed_connection(ACCESS, PLACE)


def test_a_connection_is_unlinked_once() -> None:
    codat = Codat()
    bank_feeds(codat).disconnect(COMPANY, CONNECTION)
    assert codat.status == "Unlinked"
    for code in (400, 404):
        codat.answers["PATCH", CONNECTION] = [(code, envelope(code, "No"))]
        bank_feeds(codat).disconnect(COMPANY, CONNECTION)
    codat.status = "Linked"
    codat.answers["PATCH", CONNECTION] = [(400, envelope(400, "No"))]
    with pytest.raises(Refused):
        bank_feeds(codat).disconnect(COMPANY, CONNECTION)
