"""Codat's API as the upstream: each statement is one push, and a feed connection is a mapped source account."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

import httpx

from feedlane.codat_upstream import accounts, connection_state, operations, push_json
from feedlane.codat_upstream.answers import Unreadable, object_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.outcomes import Conflict, obstacle_in, obstacle_of
from feedlane.codat_upstream.problems import NOT_FOUND, refusal_for
from feedlane.codat_upstream.push_json import FeedPlace, FrozenPush, quoted
from feedlane.companies.source_account import SourceAccount
from feedlane.feeds.line import Line
from feedlane.feeds.obstacles import CALL_ERRORS, Obstacle
from feedlane.feeds.upstream import (
    DUPLICATE_STATEMENT,
    AlreadyReceived,
    FeedConnection,
    NewFeedConnection,
    NoAnswer,
    PostAnswer,
    Refusal,
    SearchAnswer,
    SearchPlace,
    Statement,
    StatusAnswer,
    TargetAccount,
    TenantAccess,
)
from feedlane.ids import derived_id
from feedlane.problem import Problem
from feedlane.scope import Scope

# Codat keeps an answer for 90 minutes. A push that was written down an hour ago may have been sent just now.
KEY_MEMORY = timedelta(minutes=60)
_UNREADABLE = NoAnswer(reason="unreadable")
_NO_REASON = Problem(type="rejected", title="Push failed", status=400, detail="Codat gave no reason.")


class CodatBankFeeds:
    """Implements `Upstream`. Calls about statements return data; calls that a person waits for raise errors."""

    def __init__(self, client: CodatClient) -> None:
        self._client = client

    # statements

    def key_memory(self, access: TenantAccess) -> timedelta | None:
        return KEY_MEMORY

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        return push_json.line_bytes(line)

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        return push_json.statement_request(statement)

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        push = FrozenPush.of(request)
        key = derived_id("codat", idempotency_key)  # Codat takes a GUID only
        answer = self._call(access, "POST", push.path(access.tenant_id), content=push.body, key=key)
        if isinstance(answer, Refusal):
            if answer.problem.type == DUPLICATE_STATEMENT:
                return AlreadyReceived()
            return self.explained(access, answer, push.place.feed_connection_id)
        if isinstance(answer, Conflict):
            return self._of_conflict(access, answer, push.place)
        if not isinstance(answer, httpx.Response):
            return answer
        try:
            return operations.parse_operation(object_in(answer)) or _UNREADABLE
        except Unreadable:
            return _UNREADABLE

    def _of_conflict(self, access: TenantAccess, conflict: Conflict, place: FeedPlace) -> Refusal | NoAnswer:
        """Codat keeps the answer under the key. So it is asked at once whether the connection or the feed has ended.

        The push may be in progress all the same: that leaves it in doubt.
        """
        unclear = refusal_for(conflict.problem)
        told = connection_state.explained(self._client, access, unclear, place)
        return NoAnswer(reason=conflict.reason) if told == unclear else told.but(in_doubt=True)

    def find_statement(
        self, access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace
    ) -> SearchAnswer:
        """Reads one page of the company's push operations."""
        params = operations.list_query(place.page)
        answer = self._call(access, "GET", f"/companies/{quoted(access.tenant_id)}/push", params=params)
        if isinstance(answer, Refusal):
            # A refusal of the search is not a refusal of the statement itself.
            is_of_search = answer.scope is Scope.FEED
            return NoAnswer(reason="search refused") if is_of_search else self._of_the_key(answer)
        if not isinstance(answer, httpx.Response):
            return answer
        try:
            return operations.search(request, others, operations.parse_page(answer), place)
        except Unreadable:
            return _UNREADABLE

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer:
        path = f"/companies/{quoted(access.tenant_id)}/push/{quoted(statement_id)}"
        answer = self._call(access, "GET", path)
        if isinstance(answer, Refusal) and answer.problem.type == NOT_FOUND:
            # The operation, or the company: the next push shows which. The statement stays what it is.
            return answer.but(scope=Scope.FEED, reason="statement-not-found")
        if isinstance(answer, Refusal):
            return self._of_the_key(answer)
        if not isinstance(answer, httpx.Response):
            return answer
        try:
            status = operations.parse_operation(object_in(answer))
        except Unreadable:
            return _UNREADABLE
        return status if status is not None and status.statement_id == statement_id else _UNREADABLE

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        return refusal_for(problems[0] if problems else _NO_REASON)

    def explained(self, access: TenantAccess, refusal: Refusal, feed_connection_id: str) -> Refusal:
        place = FeedPlace.of(feed_connection_id)
        return self._of_the_key(connection_state.explained(self._client, access, refusal, place))

    def _of_the_key(self, refusal: Refusal) -> Refusal:
        return connection_state.of_the_key(self._client, refusal)

    def _call(
        self,
        access: TenantAccess,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
        key: str | None = None,
    ) -> httpx.Response | Obstacle:
        """A success, or why there is none."""
        try:
            answer = self._client.call(
                access.tenant_id, method, path, params=params, content=content, idempotency_key=key
            )
        except CALL_ERRORS as error:
            return obstacle_of(error)
        return obstacle_in(answer, self._client.now(), writes=content is not None) or answer

    # accounts and feed connections

    def offer_accounts(self, access: TenantAccess, source_accounts: Iterable[SourceAccount]) -> None:
        """Makes the accounts known to Codat, before the customer authorises and before there are targets for them."""
        for account in source_accounts:
            accounts.ensure_account(self._client, access, account)

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        return accounts.targets(self._client, access)

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]:
        return accounts.list_all(self._client, access)

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        return accounts.create(self._client, access, new)

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        return accounts.find(self._client, access, FeedPlace.of(feed_connection_id))

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None:
        accounts.delete(self._client, access, FeedPlace.of(feed_connection_id))

    def disconnect(self, company_id: str, connection_id: str) -> None:
        accounts.disconnect(self._client, company_id, connection_id)
