"""Xero's Bank Feeds API as the upstream: statements by 1.0, feed connections by the version that was chosen."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx

from feedlane.errors import AppKeysRejected, NotSent, ReconnectionNeeded, Unanswered, Unavailable
from feedlane.feeds.line import Line
from feedlane.feeds.obstacles import Obstacle
from feedlane.feeds.refusals import ACCOUNT_NOT_VALID, INTERNAL_ERROR, INVALID_END_DATE, item_problems, refusal_of
from feedlane.feeds.upstream import (
    DUPLICATE_STATEMENT,
    Accepted,
    AlreadyReceived,
    FeedConnection,
    NewFeedConnection,
    NoAnswer,
    PostAnswer,
    Refusal,
    SearchAnswer,
    SearchPlace,
    Statement,
    StatementStatus,
    StatusAnswer,
    TargetAccount,
    TenantAccess,
    TryLater,
)
from feedlane.ids import new_id
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.xero import account_state, paging, statement_json, statement_search
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi, object_in, only_item
from feedlane.xero.feed_connection_versions import FeedConnections
from feedlane.xero.outcomes import is_outcome_unknown, obstacle_in, obstacle_of
from feedlane.xero.problems import problems_in

STATEMENTS_PATH = "/bankfeeds.xro/1.0/Statements"


class XeroBankFeeds:
    """Implements `Upstream`. Calls about statements return data; calls that a person waits for raise errors.

    `feed_connections_version` is that of new feed connections (1 or 2), asked at every call.
    """

    def __init__(
        self,
        api: XeroApi,
        new_id: Callable[[], str] = new_id,
        feed_connections_version: Callable[[], int] = lambda: 1,
    ) -> None:
        self._api = api
        self._feed_connections = FeedConnections(api, new_id, feed_connections_version)

    # statements

    def key_memory(self, access: TenantAccess) -> timedelta | None:
        return None

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        return statement_json.line_bytes(line)

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        return statement_json.statement_request(statement)

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        response = self._call(access, "POST", STATEMENTS_PATH, request, idempotency_key)
        if not isinstance(response, httpx.Response):
            return response
        answer = self._post_answer(response)
        is_date_refused = isinstance(answer, Refusal) and answer.problem.type == INVALID_END_DATE
        if is_date_refused and _end_date_is_not_over(request, self._api.clock()):
            return _END_DATE_NOT_REACHED
        if isinstance(answer, Refusal) and answer.problem.type == ACCOUNT_NOT_VALID:
            return self.explained(access, answer, _feed_connection_of(request))
        return answer

    def find_statement(
        self, access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace
    ) -> SearchAnswer:
        """Xero lists statements without lines: ours is identified by feed connection, dates, balances and length.

        Reads one page.
        """
        response = self._call(access, "GET", STATEMENTS_PATH, params=paging.page_query(place.page))
        obstacle = obstacle_in(response, self._api.clock()) if isinstance(response, httpx.Response) else response
        if obstacle is not None or not isinstance(response, httpx.Response):
            # A refusal of the search is not a refusal of the statement itself.
            is_search_refused = isinstance(obstacle, Refusal) and obstacle.scope is Scope.FEED
            return NoAnswer(reason="search refused") if is_search_refused or obstacle is None else obstacle
        try:
            page = statement_search.parse_page(response.content)
        except paging.Unreadable:
            return _UNREADABLE
        return statement_search.search(request, others, page, place, parse_accepted)

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer:
        response = self._call(access, "GET", f"{STATEMENTS_PATH}/{statement_id}")
        if not isinstance(response, httpx.Response):
            return response
        item = only_item(object_in(response))
        return obstacle_in(response, self._api.clock()) or parse_accepted(item) or _UNREADABLE

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        return refusal_of(problems[0] if problems else _NO_REASON)

    def explained(self, access: TenantAccess, refusal: Refusal, feed_connection_id: str) -> Refusal:
        return account_state.explained(self._api, self._feed_connections, access, refusal, feed_connection_id)

    def _call(
        self,
        access: TenantAccess,
        method: str,
        path: str,
        content: bytes | None = None,
        key: str | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response | Obstacle:
        try:
            return self._api.call(access, method, path, params=params, content=content, idempotency_key=key)
        except (NotSent, Unanswered, ReconnectionNeeded, AppKeysRejected, Unavailable) as error:
            return obstacle_of(error)

    def _post_answer(self, response: httpx.Response) -> PostAnswer:
        """One statement was sent, so the first problem is its problem, at any status and in any shape."""
        if is_outcome_unknown(response):
            return _UNREADABLE
        item = only_item(object_in(response))
        problems = problems_in(response.status_code, response.content)
        if any(problem.type == DUPLICATE_STATEMENT for problem in problems):
            return AlreadyReceived(statement_id=item.get("id"))
        obstacle = obstacle_in(response, self._api.clock())
        if obstacle is not None:
            return obstacle
        if problems and problems[0].type != INTERNAL_ERROR:
            return refusal_of(problems[0])
        return parse_accepted(item) or _UNREADABLE

    # accounts and feed connections

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        return Accounting(self._api).bank_accounts(access)

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]:
        return self._feed_connections.list_all(access)

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        return self._feed_connections.create(access, new)

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        return self._feed_connections.find(access, feed_connection_id)

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None:
        self._feed_connections.delete(access, feed_connection_id)


def _feed_connection_of(request: bytes) -> str:
    return str(json.loads(request)["items"][0].get("feedConnectionId") or "")


def _end_date_is_not_over(request: bytes, now: datetime) -> bool:
    """Whether the statement's last day is not over everywhere. Xero does not document which time zone it uses."""
    end_date = date.fromisoformat(json.loads(request)["items"][0]["endDate"])
    return now < datetime.combine(end_date, time(), UTC) + _DAY_ON_EARTH


# From midnight UTC until a day is over in the last time zone.
_DAY_ON_EARTH = timedelta(hours=36)
_END_DATE_NOT_REACHED = TryLater(scope=Scope.FEED, seconds=3600, reason="end-date-not-reached")
_NO_REASON = Problem(type="rejected", title="Statement rejected", status=422, detail="Xero gave no reason.")
# An answer that is not Xero's leaves the outcome unknown: the same bytes with the same key will show it.
_UNREADABLE = NoAnswer(reason="unreadable")


def parse_accepted(item: dict[str, Any]) -> Accepted | None:
    id, status = item.get("id"), str(item.get("status", "")).upper()
    if not isinstance(id, str):
        return None
    # An unknown status is not an end: keep polling.
    known_status = StatementStatus.__members__.get(status, StatementStatus.PENDING)
    lines = statement_search.line_count(item)
    return Accepted(statement_id=id, status=known_status, problems=item_problems(item, 422), lines=lines)
