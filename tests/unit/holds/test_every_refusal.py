"""Every refusal that Xero documents: what it holds, with which reason and event, and how it is lifted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from feedlane.codat_upstream.problems import CODAT_MEANINGS
from feedlane.companies import items as company_items
from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.errors import APP_KEYS_REJECTED, AppKeysRejected, ReconnectionNeeded, Refused
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.feeds.refusals import MEANING_BY_TYPE
from feedlane.feeds.upstream import Refusal
from feedlane.holds import items as hold_items
from feedlane.holds.release import resume_connection
from feedlane.mapping import refused
from feedlane.problem import Problem
from feedlane.pushes.holes import REASON_REFUSED
from feedlane.scope import Scope
from feedlane.statements.refusal import may_be_one_line
from tests import account_actions
from tests.builders import COMPANY, CONNECTION
from tests.hold_actions import lift
from tests.unit.xero.xero_server import ACCESS, TokenVault, always, bank_feeds
from tests.worlds.feeds import World, transactions

API_PAGE = Path(__file__).parents[3] / "docs" / "api.md"
# A day that is over in every time zone when the answer comes.
REQUEST = b'{"items":[{"endDate":"2026-05-20"}]}'
DETAIL = "Xero's explanation."


def release_hold(world: World) -> None:
    [hold] = hold_items.holds(world.store)
    lift(world, hold)


def reconnect(world: World) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    resume_connection(world.ports, world.now, connection)


def map_again(world: World) -> None:
    world.advance(minutes=1)
    account_actions.map_again(world)


class Row(NamedTuple):
    """`type` as Xero sends it. `way_out` lifts the hold; a person can release every one."""

    type: str
    status: int
    scope: Scope
    reason: str
    way_out: Callable[[World], None] = release_hold


TABLE = [
    Row("invalid-application", 403, Scope.APP, "app-not-enabled"),
    Row("suspended-or-terminated-application", 403, Scope.APP, "app-suspended"),
    Row("invalid-organisation-bank-feeds", 403, Scope.TENANT, "organisation-without-bank-feeds"),
    Row("invalid-user-role", 403, Scope.TENANT, "user-role-too-low"),
    Row("invalid-organisation-multi-currency", 403, Scope.FEED, "currency-not-supported"),
    Row("invalid-feed-connection", 403, Scope.FEED, "feed-connection-gone", map_again),
    Row("invalid-feed-connection-for-organisation", 403, Scope.FEED, "feed-connection-elsewhere", map_again),
    Row("feed-not-found-or-already-deleted", 404, Scope.FEED, "feed-connection-gone", map_again),
    Row("bank-feed-not-found", 404, Scope.FEED, "feed-connection-gone", map_again),
    Row("statement-not-found", 404, Scope.FEED, "statement-not-found"),
    Row("account-not-valid", 422, Scope.FEED, "account-not-valid"),
    Row("feed-already-connected-in-current-organisation", 409, Scope.FEED, "account-already-connected"),
    Row("feed-connected-in-different-organisation", 409, Scope.FEED, "account-connected-elsewhere"),
    Row("feed-already-connected-in-different-organisation", 409, Scope.FEED, "account-connected-elsewhere"),
    Row("invalid-country-specified", 400, Scope.FEED, "country-not-allowed"),
    Row("account-name-already-exists", 409, Scope.FEED, "account-name-taken"),
    Row("invalid-application-for-feed-connections-2", 403, Scope.FEED, "feed-connections-not-enabled"),
    Row("missing-feed-connections-scope", 403, Scope.FEED, "missing-feed-connections-scope"),
    Row("invalid-account-token", 400, Scope.FEED, "invalid-data"),
    Row("missing-identifying-fields", 400, Scope.FEED, "invalid-data"),
    Row("invalid-request", 400, Scope.FEED, "invalid-data"),
    Row("invalid-request", 413, Scope.FEED, "invalid-data"),
    Row("invalid-end-balance", 422, Scope.FEED, "invalid-balance"),
    Row("invalid-start-date", 422, Scope.FEED, "start-date-refused"),
    Row("invalid-end-date", 422, Scope.FEED, "end-date-refused"),
    Row("invalid-start-and-end-date", 422, Scope.FEED, "dates-reversed"),
    Row("a-type-of-next-year", 403, Scope.FEED, "refused"),
]


def problem_at_root(row: Row) -> dict[str, Any]:
    return {"type": row.type, "title": "Title", "status": row.status, "detail": DETAIL}


def problem_in_item(row: Row) -> dict[str, Any]:
    return {"items": [{"id": "s-1", "status": "REJECTED", "errors": [problem_at_root(row)]}]}


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("shape", [problem_at_root, problem_in_item], ids=["root", "item"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.type} {row.status}")
def test_a_refusal_holds_tells_refuses_the_next_and_has_a_way_out(world: World, row: Row, shape: Any) -> None:
    problem = Problem(type=row.type, title="Title", status=row.status, detail=DETAIL)
    http_status = row.status if shape is problem_at_root else 400
    answer = bank_feeds(always(http_status, shape(row))).post_statement(ACCESS, REQUEST, "key")
    assert answer == Refusal(scope=row.scope, reason=row.reason, problem=problem)
    _hold_and_resume(world, answer, row.way_out)


@pytest.mark.parametrize(
    ("error", "scope", "reason", "way_out"),
    [
        (ReconnectionNeeded, Scope.CONNECTION, RECONNECTION_NEEDED, reconnect),
        (AppKeysRejected, Scope.APP, APP_KEYS_REJECTED, release_hold),
    ],
    ids=["invalid_grant", "invalid_client"],
)
def test_a_token_that_is_refused_holds_and_has_a_way_out(
    world: World, error: Any, scope: Scope, reason: str, way_out: Any
) -> None:
    problem = Problem(type="token", title="No token", status=401, detail=DETAIL)
    vault = TokenVault(error(problem))
    answer = bank_feeds(always(202), vault).post_statement(ACCESS, REQUEST, "key")
    assert answer == Refusal(scope=scope, reason=reason, problem=problem)
    _hold_and_resume(world, answer, way_out)


def _hold_and_resume(world: World, refusal: Refusal, way_out: Callable[[World], None]) -> None:
    # What may be the fault of one line holds when that line is refused alone
    world.upstream.answers += [refusal] * (2 if may_be_one_line(refusal) else 1)
    operation = world.push(transactions(2))
    world.run()

    # Held once, with Xero's own words
    [hold] = hold_items.holds(world.store)
    assert (hold.scope, hold.reason, hold.problem) == (refusal.scope, refusal.reason, refusal.problem)
    [event] = world.events("bankFeeds.held")
    assert (event.payload["scope"], event.payload["reason"]) == (refusal.scope, refusal.reason)
    assert event.payload["problem"] == refusal.problem.model_dump()
    failed = world.operation(operation.key)
    assert (failed.status, failed.status_code) == (PushStatus.FAILED, refusal.problem.status)
    assert failed.problem == refusal.problem
    assert DETAIL in (failed.error_message or "")
    assert len(world.events("bankTransactions.write.unsuccessful")) == 1

    # The next push is refused at once, and none of it is kept
    with pytest.raises(Refused) as caught:
        world.push(transactions(1, start=3, opening=20.0))
    assert caught.value.problem == refusal.problem
    assert len(world.operations()) == 1

    # The way out: what waited is sent under a new operation
    way_out(world)
    world.run()
    assert hold_items.holds(world.store) == []
    assert len(world.events("bankFeeds.released")) == 1
    assert world.sent_ids() == ["t1", "t2"]
    [release_operation] = [operation for operation in world.operations() if operation.door is Door.RELEASE]
    assert release_operation.status is PushStatus.SUCCESS


def test_the_table_has_every_type_that_has_a_meaning() -> None:
    assert {row.type for row in TABLE} - {"a-type-of-next-year"} == set(MEANING_BY_TYPE)


def test_every_reason_is_explained_with_its_way_out() -> None:
    """docs/api.md has a row for each reason, and none for an unknown one."""
    section = API_PAGE.read_text().split("## Hold reasons")[1].split("\n## ")[0]
    explained = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    own_reasons = {
        "refused",
        "no-access",
        RECONNECTION_NEEDED,
        APP_KEYS_REJECTED,
        "account-archived",
        "account-deleted",
        REASON_REFUSED,
        refused.REASON_DISCONNECTED,
        refused.REASON_REJECTED,
    }
    upstreams = {meaning.reason for meaning in (MEANING_BY_TYPE | CODAT_MEANINGS).values()}
    assert sorted(explained) == sorted(upstreams | own_reasons)


def test_an_end_date_that_is_not_over_everywhere_is_sent_again_later_and_holds_nothing(world: World) -> None:
    """Xero does not document its time zone: today here may be the future there."""
    today = {"type": "invalid-end-date", "title": "Invalid End Date", "status": 422, "detail": DETAIL}
    request = json.dumps({"items": [{"endDate": "2026-06-15"}]}).encode()
    earlier_request = json.dumps({"items": [{"endDate": "2026-06-13"}]}).encode()
    try_later = bank_feeds(always(422, today)).post_statement(ACCESS, request, "key")
    assert isinstance(bank_feeds(always(422, today)).post_statement(ACCESS, earlier_request, "key"), Refusal)

    world.upstream.answers.append(try_later)
    operation = world.push(transactions(2, day="2026-05-20"))
    before = world.now
    world.run()
    assert (world.now - before).total_seconds() >= 3600
    assert hold_items.holds(world.store) == []
    [first, second] = [request for _, request in world.upstream.posts]
    assert first == second
    assert world.operation(operation.key).status is PushStatus.SUCCESS
