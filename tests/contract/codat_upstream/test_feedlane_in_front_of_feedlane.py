"""Feedlane in front of another Feedlane: the adapter to Codat calls the product's own API, which is Codat's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountKind, SourceAccountStatus
from feedlane.errors import Refused
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.feeds.refusals import refusal_of
from feedlane.feeds.upstream import (
    Accepted,
    Ambiguous,
    NewFeedConnection,
    NoAnswer,
    Refusal,
    SearchPlace,
    StatementStatus,
    TargetAccount,
    TenantAccess,
)
from feedlane.holds import items as hold_items
from feedlane.ids import account_token
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests import builders
from tests.builders import ACCOUNT
from tests.contract.sdk.api_server import CONTEXT, handler, http_event
from tests.unit.codat_upstream.codat_server import line, statement
from tests.worlds.api import KEY, World, installed
from tests.worlds.feeds import World as OuterWorld
from tests.worlds.feeds import transactions

NO_FEEDS = Problem(
    type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403,
    detail="The organisation does not support automated bank feeds.",
)  # fmt: skip
SOURCE = "GB/12-34"


class Behind:
    """The Feedlane behind: its API in this process, a company with a linked connection, and the adapter to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lost_answers = 0
        self.key = KEY
        self.client = CodatClient(
            "https://behind.test", lambda _: self.key, lambda: world.now, transport=httpx.MockTransport(self.answer)
        )
        self.feeds = CodatBankFeeds(self.client)
        company = self.ask("POST", "/companies", b'{"name": "Harbour Bakery"}')
        connection = self.ask("POST", f"/companies/{company['id']}/connections", b'{"platformKey": "gbol"}')
        world.link(company["id"], connection["id"])
        self.company, self.connection = company["id"], connection["id"]
        self.access = TenantAccess(
            tenant_id=self.company, token_set_id="codat", connection_id="ours", tenant_connection_id=self.connection
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        url = urlsplit(str(request.url))
        event = http_event(request.method, url.path, url.query, dict(request.headers), request.content)
        answer = handler(event, CONTEXT)
        if request.method == "POST" and self.lost_answers and "/push/" in url.path:
            self.lost_answers -= 1
            raise httpx.ReadTimeout("lost")
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=answer["body"].encode())

    def ask(self, method: str, path: str, body: bytes) -> Any:
        answer = self.client.call("", method, path, content=body)
        assert answer.is_success, answer.text
        return answer.json()

    def new(self, target: str | None = None, id: str = SOURCE) -> NewFeedConnection:
        source = builders.source_account(id=id, sort_code="040004")
        return NewFeedConnection(
            account_token=account_token("ours", id), account_id=target, account_number=source.account_number,
            account_name=source.account_name, kind=AccountKind.BANK, currency="GBP", source=source,
        )  # fmt: skip

    def operations(self) -> list[PushOperation]:
        return list(push_operation_items.operations_of_company(self.world.store, self.company))

    def end(self, **failure: Any) -> None:
        """Ends all pushes that are pending, as the feed behind does."""
        for operation in self.operations():
            if operation.status is PushStatus.PENDING:
                ended = operation.failed(self.world.now, **failure) if failure else operation.succeeded(self.world.now)
                self.world.store.commit(push_operation_items.put_operation(ended))


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    with installed(monkeypatch) as world:
        yield Behind(world)


def request_for(behind: Behind, *ids: str) -> bytes:
    balance, lines = Decimal("100"), []
    for id in ids:
        balance += Decimal("10.10")
        lines.append(line(id, balance=str(balance))._replace(date="2026-05-01"))
    place = f"{behind.connection}/{SOURCE}"
    return behind.feeds.request_bytes(behind.access, replace(statement(*lines), feed_connection_id=place))


def place(behind: Behind, **fields: Any) -> SearchPlace:
    return SearchPlace(began=behind.world.now, since=behind.world.now - timedelta(minutes=1), **fields)


def test_accounts_are_offered_mapped_followed_and_ended(behind: Behind) -> None:
    feeds, access = behind.feeds, behind.access
    feeds.offer_accounts(access, [builders.source_account(id=SOURCE, sort_code="040004")])
    assert feeds.target_accounts(access) == [
        TargetAccount(id="xero-1", name="Business", number="20011234", currency="GBP", kind=AccountKind.BANK)
    ]
    behind.world.upstream.active = False
    made = feeds.create_feed_connection(access, behind.new("xero-1"))
    assert (made.id, made.active) == (f"{behind.connection}/{SOURCE}", False)
    found = feeds.feed_connection(access, made.id)
    assert found is not None
    assert not found.active
    account = company_items.source_account(behind.world.store, behind.connection, SOURCE)
    connected = account.but(status=SourceAccountStatus.CONNECTED)
    behind.world.store.commit(company_items.put_source_account(connected))
    found = feeds.feed_connection(access, made.id)
    assert found is not None
    assert (found.active, found.account_id, found.account_token) == (True, "xero-1", account_token("ours", SOURCE))
    assert feeds.create_feed_connection(access, behind.new("xero-1")) == found, "a repeat adopts it"
    feeds.delete_feed_connection(access, made.id)
    assert feeds.feed_connections(access) == []


def test_a_push_is_taken_once_polled_and_found_again(behind: Behind) -> None:
    feeds, access = behind.feeds, behind.access
    feeds.create_feed_connection(access, behind.new("xero-1"))
    request = request_for(behind, "t1", "t2")
    behind.lost_answers = 1
    assert isinstance(feeds.post_statement(access, request, "key-1"), NoAnswer)
    [operation] = behind.operations()
    there = Accepted(statement_id=operation.key, status=StatementStatus.PENDING)
    assert feeds.find_statement(access, request, (), place(behind, alone=True)) == there
    assert feeds.find_statement(access, request, (), place(behind)) == Ambiguous()
    assert feeds.find_statement(access, request, {operation.key}, place(behind, alone=True)) is None
    assert feeds.post_statement(access, request, "key-1") == there, "the key is known"
    assert len(behind.operations()) == 1
    assert feeds.statement_status(access, operation.key) == there
    behind.end()
    assert feeds.statement_status(access, operation.key) == there.but(status=StatementStatus.DELIVERED)


def test_xeros_403_behind_is_xeros_403_in_front(behind: Behind) -> None:
    feeds, access = behind.feeds, behind.access
    feeds.create_feed_connection(access, behind.new("xero-1"))
    taken = feeds.post_statement(access, request_for(behind, "t1"), "key-1")
    assert isinstance(taken, Accepted)
    behind.end(message=NO_FEEDS.sentence, status_code=403, problem=NO_FEEDS)
    ended = feeds.statement_status(access, taken.statement_id)
    assert isinstance(ended, Accepted)
    assert ended.status is StatementStatus.REJECTED
    refusal = feeds.refusal_for_rejection(access, ended.problems)
    assert refusal.but(problem=refusal.problem.but(answer="")) == refusal_of(NO_FEEDS)
    assert taken.statement_id in refusal.problem.answer


@pytest.mark.parametrize("is_stated", [True, False])
def test_lines_that_xero_knows_already_are_known(behind: Behind, is_stated: bool) -> None:
    duplicate = Problem(type="duplicate-statement", title="Duplicate Statement Received", status=409)
    behind.feeds.create_feed_connection(behind.access, behind.new("xero-1"))
    taken = behind.feeds.post_statement(behind.access, request_for(behind, "t1"), "key-1")
    assert isinstance(taken, Accepted)
    behind.end(message=duplicate.sentence, status_code=409, problem=duplicate if is_stated else None)
    ended = behind.feeds.statement_status(behind.access, taken.statement_id)
    assert isinstance(ended, Accepted)
    assert ended.is_known_already


def test_its_refusals_stop_what_they_are_about(behind: Behind) -> None:
    feeds, access = behind.feeds, behind.access
    feeds.create_feed_connection(access, behind.new("xero-1"))
    request = request_for(behind, "t1")

    def answer() -> Any:
        refused = feeds.post_statement(access, request, "key-9")
        assert isinstance(refused, Refusal)
        return refused.scope, refused.reason

    connection = company_items.connection(behind.world.store, behind.company, behind.connection)
    behind.key = "another"
    assert answer() == (Scope.APP, "codat-key-rejected")
    with pytest.raises(Refused):
        feeds.feed_connections(access)
    behind.key = KEY
    feeds.delete_feed_connection(access, f"{behind.connection}/{SOURCE}")
    assert answer() == (Scope.FEED, "feed-connection-gone")
    feeds.disconnect(behind.company, behind.connection)
    assert behind.world.upstream.disconnected == [connection.tenant.xero_connection_id if connection.tenant else ""]
    assert answer() == (Scope.CONNECTION, "reconnection-needed")


@pytest.mark.parametrize("lost", [0, 1])
def test_lines_go_through_both_once_and_a_403_behind_holds_in_front(behind: Behind, lost: int) -> None:
    """The ledger in front with its sender and followers, as with Xero."""
    behind.feeds.create_feed_connection(behind.access, behind.new("xero-1", ACCOUNT))
    front = OuterWorld(upstream=behind.feeds)
    feed = front.feed()
    there = feed.but(
        tenant_id=behind.company, token_set_id="codat", feed_connection_id=f"{behind.connection}/{ACCOUNT}"
    )
    front.store.commit(feed_items.put_feed(there))
    behind.world.now = front.now
    behind.lost_answers = lost
    first = front.push(transactions(3))
    step_until_taken(front)
    assert len(behind.operations()) == 1
    behind.end()
    front.run()
    assert front.operation(first.key).status is PushStatus.SUCCESS
    second = front.push(transactions(2, start=4, opening=30))
    step_until_taken(front)
    behind.end(message=NO_FEEDS.sentence, status_code=403, problem=NO_FEEDS)
    front.run()
    failed = front.operation(second.key)
    assert (failed.status, failed.status_code) == (PushStatus.FAILED, 403)
    [hold] = hold_items.holds_on(front.store, front.feed().hold_subjects)
    assert (hold.scope, hold.reason) == (Scope.TENANT, "organisation-without-bank-feeds")
    assert hold.problem.but(answer="") == NO_FEEDS
    assert front.feed().delivered_through == 3


def step_until_taken(front: OuterWorld) -> None:
    """Until the statement in flight is known to be taken."""
    for _ in range(50):
        flight = front.feed().flight
        if flight is not None and flight.status is FlightStatus.PENDING:
            return
        assert front.step()
    raise AssertionError("nothing was taken")
