"""The adapter and the Codat simulator agree: mapping, pushes, lost answers, and Xero's refusals in every form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.companies.source_account import AccountKind
from feedlane.errors import ReconnectionNeeded
from feedlane.feeds.refusals import refusal_of
from feedlane.feeds.upstream import (
    Accepted,
    NewFeedConnection,
    Refusal,
    SearchPlace,
    StatementStatus,
    TenantAccess,
    TryLater,
)
from feedlane.ids import account_token
from feedlane.problem import Problem
from feedlane.scope import Scope
from local.codat_simulator.server import RunningCodat, serve_in_thread
from local.codat_simulator.state import DEFAULT_API_KEY, Codat
from local.simulator.clock import Clock
from tests import builders
from tests.contract.codat_simulator.driver import BAKERY, CURRENT_ACCOUNT, JOINERY, NOON, Driver, Ids
from tests.unit.codat_upstream.codat_server import line, statement

SOURCE = "src-001"
NO_FEEDS = Problem(
    type="invalid-organisation-bank-feeds", title="Invalid Organisation", status=403,
    detail="The organisation does not support automated bank feeds.",
)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[RunningCodat]:
    with serve_in_thread(Codat(Clock(lambda: NOON))) as running:
        yield running


@pytest.fixture
def codat(running: RunningCodat) -> Iterator[Driver]:
    with httpx.Client(base_url=running.url, trust_env=False, follow_redirects=False) as http:
        driver = Driver(running.url, running.state, http)
        driver.control("POST", "reset")
        yield driver


@pytest.fixture
def feeds(codat: Driver) -> CodatBankFeeds:
    return CodatBankFeeds(CodatClient(codat.url, lambda _: DEFAULT_API_KEY, lambda: NOON, read_seconds=2))


def access(ids: Ids) -> TenantAccess:
    return TenantAccess(
        tenant_id=ids["company_id"],
        token_set_id="codat",
        connection_id="ours",
        tenant_connection_id=ids["connection_id"],
    )


def request_of(feeds: CodatBankFeeds, ids: Ids, *numbers: int) -> bytes:
    lines = [line(f"tx-{n}", "10.10", str(Decimal("10.10") * n), description="Sale") for n in numbers]
    opening = str(Decimal("10.10") * (numbers[0] - 1))
    whole = statement(*lines, start=opening)
    return feeds.request_bytes(access(ids), replace(whole, feed_connection_id=f"{ids['connection_id']}/{SOURCE}"))


def taken(answer: Any) -> Accepted:
    assert isinstance(answer, Accepted), answer
    return answer


def new(target: str | None) -> NewFeedConnection:
    source = builders.source_account(id=SOURCE, sort_code="040004")
    return NewFeedConnection(
        account_token=account_token("ours", SOURCE), account_id=target, account_number="04000420011234",
        account_name=source.account_name, kind=AccountKind.BANK, currency="GBP", source=source,
    )  # fmt: skip


@pytest.mark.parametrize("appears", ["nextOperation", "operationAfterNext", "atOnce"])
@pytest.mark.parametrize("existing", ["connected", "connecting"])
@pytest.mark.parametrize("target", [None, CURRENT_ACCOUNT])
def test_a_mapping_is_followed_until_it_appears(
    codat: Driver, feeds: CodatBankFeeds, appears: str, existing: str, target: str | None
) -> None:
    codat.switch("appears", appears)
    codat.switch("existingTarget", existing)
    ids = codat.company()
    feeds.offer_accounts(access(ids), [builders.source_account(id=SOURCE, sort_code="040004")])
    codat.link(ids)
    assert CURRENT_ACCOUNT in {option.id for option in feeds.target_accounts(access(ids))}
    made = feeds.create_feed_connection(access(ids), new(target))
    found = [feeds.feed_connection(access(ids), made.id) for _ in range(3)][-1]
    assert found is not None
    assert found.active
    assert found.account_id
    assert target in (None, found.account_id)
    assert feeds.feed_connections(access(ids)) == [found]
    feeds.delete_feed_connection(access(ids), made.id)
    assert feeds.feed_connections(access(ids)) == []
    assert feeds.feed_connection(access(ids), made.id) is None


def test_pushes_arrive_once_and_in_order(codat: Driver, feeds: CodatBankFeeds) -> None:
    ids = codat.ready()
    for number, numbers in enumerate(((1, 2, 3), (4, 5))):
        pushed = taken(feeds.post_statement(access(ids), request_of(feeds, ids, *numbers), f"key-{number}"))
        assert taken(feeds.statement_status(access(ids), pushed.statement_id)).status is StatementStatus.PENDING
        codat.advance(2)
        assert taken(feeds.statement_status(access(ids), pushed.statement_id)).status is StatementStatus.DELIVERED
    assert codat.arrived() == [f"tx-{n}" for n in range(1, 6)]


def test_a_lost_answer_is_found_in_the_list_and_by_the_key(codat: Driver, feeds: CodatBankFeeds) -> None:
    ids = codat.ready()
    request = request_of(feeds, ids, 1, 2)
    pushed = taken(feeds.post_statement(access(ids), request, "key"))
    since = NOON - timedelta(minutes=1)
    place = SearchPlace(began=NOON, since=since, alone=True)
    assert taken(feeds.find_statement(access(ids), request, (), place)).statement_id == pushed.statement_id
    assert feeds.find_statement(access(ids), request, {pushed.statement_id}, place) is None
    assert taken(feeds.post_statement(access(ids), request, "key")).statement_id == pushed.statement_id
    other = feeds.post_statement(access(ids), request_of(feeds, ids, 1, 2, 3), "key")
    assert isinstance(other, Refusal)
    assert other.reason == "codat-key-reused"


@pytest.mark.parametrize("downstream", ["json", "text", "validation"])
@pytest.mark.parametrize("code", ["upstream", "400"])
def test_xeros_403_behind_codat_is_xeros_403(codat: Driver, feeds: CodatBankFeeds, downstream: str, code: str) -> None:
    codat.switch("downstream", downstream)
    codat.switch("failedStatusCode", code)
    ids = codat.ready(JOINERY, None)
    for _ in range(2):
        feeds.feed_connection(access(ids), f"{ids['connection_id']}/{SOURCE}")
    pushed = taken(feeds.post_statement(access(ids), request_of(feeds, ids, 1), "key"))
    codat.advance(2)
    ended = taken(feeds.statement_status(access(ids), pushed.statement_id))
    assert ended.status is StatementStatus.REJECTED
    refusal = feeds.refusal_for_rejection(access(ids), ended.problems)
    assert refusal.but(problem=refusal.problem.but(answer="")) == refusal_of(NO_FEEDS)


def test_lines_that_xero_knows_are_known_already(codat: Driver, feeds: CodatBankFeeds) -> None:
    ids = codat.ready()
    for key in ("key-1", "key-2"):
        pushed = taken(feeds.post_statement(access(ids), request_of(feeds, ids, 1), key))
        codat.advance(2)
    ended = taken(feeds.statement_status(access(ids), pushed.statement_id))
    assert ended.is_known_already, ended
    assert codat.arrived() == ["tx-1"]


def _unlinked(codat: Driver, ids: Ids) -> None:
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Deauthorized", "tenantId": BAKERY})


def _ended(codat: Driver, ids: Ids) -> None:
    codat.call("PATCH", f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
               f"/connectionInfo/bankFeedAccounts/{SOURCE}", {"id": SOURCE, "status": "disconnected"})  # fmt: skip


@pytest.mark.parametrize("code", [400, 403, 404, 409])
@pytest.mark.parametrize(
    ("ends", "scope", "reason"),
    [
        (_unlinked, Scope.CONNECTION, "reconnection-needed"),
        (_ended, Scope.FEED, "feed-connection-gone"),
    ],
)
def test_a_push_without_its_connection_says_what_is_gone(
    codat: Driver, feeds: CodatBankFeeds, ends: Callable[[Driver, Ids], None], scope: Scope, reason: str, code: int
) -> None:
    codat.switch("notConnectedStatus", code)
    ids = codat.ready()
    ends(codat, ids)
    answer = feeds.post_statement(access(ids), request_of(feeds, ids, 1), "key")
    assert isinstance(answer, Refusal)
    assert (answer.scope, answer.reason) == (scope, reason)
    assert answer.in_doubt == (code == 409), "as for a key in progress: it stays in doubt"


def test_limits_keys_and_disconnection(codat: Driver, feeds: CodatBankFeeds) -> None:
    ids = codat.ready()
    codat.control("PUT", "limits", {"minute": 1})
    answers = [feeds.statement_status(access(ids), "op") for _ in range(3)]
    assert isinstance(answers[-1], TryLater)
    assert (answers[-1].scope, answers[-1].reason) == (Scope.APP, "rate-limit-codat")
    codat.control("PUT", "limits", {"minute": 1000})
    feeds.disconnect(ids["company_id"], ids["connection_id"])
    feeds.disconnect(ids["company_id"], ids["connection_id"])
    with pytest.raises(ReconnectionNeeded):
        feeds.create_feed_connection(access(ids), new(CURRENT_ACCOUNT))
    codat.control("PUT", "keys", {"keys": ["another-key-000000000000"]})
    refused = feeds.post_statement(access(ids), request_of(feeds, ids, 1), "key")
    assert isinstance(refused, Refusal)
    assert refused.reason == "codat-key-rejected"
