"""Several upstreams behind the one port: each call goes to the one that its access is for.

Whoever sends, follows or maps has this object and does not know which upstream a feed has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from feedlane.companies.connection import UpstreamName
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import (
    FeedConnection,
    NewFeedConnection,
    PostAnswer,
    Refusal,
    SearchAnswer,
    SearchPlace,
    Statement,
    StatusAnswer,
    TargetAccount,
    TenantAccess,
    Upstream,
)
from feedlane.problem import Problem


class Upstreams:
    """Implements `Upstream`. `codat` makes Codat's when the first feed is met that goes through it."""

    def __init__(self, xero: Upstream, codat: Callable[[], Upstream]) -> None:
        self._xero = xero
        self._codat = codat

    def _of(self, access: TenantAccess) -> Upstream:
        return self._codat() if access.upstream is UpstreamName.CODAT else self._xero

    def key_memory(self, access: TenantAccess) -> timedelta | None:
        return self._of(access).key_memory(access)

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        return self._of(access).line_bytes(access, line)

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        return self._of(access).request_bytes(access, statement)

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        return self._of(access).post_statement(access, request, idempotency_key)

    def find_statement(
        self, access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace
    ) -> SearchAnswer:
        return self._of(access).find_statement(access, request, others, place)

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer:
        return self._of(access).statement_status(access, statement_id)

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        return self._of(access).refusal_for_rejection(access, problems)

    def explained(self, access: TenantAccess, refusal: Refusal, feed_connection_id: str) -> Refusal:
        return self._of(access).explained(access, refusal, feed_connection_id)

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        return self._of(access).target_accounts(access)

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]:
        return self._of(access).feed_connections(access)

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        return self._of(access).create_feed_connection(access, new)

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        return self._of(access).feed_connection(access, feed_connection_id)

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None:
        self._of(access).delete_feed_connection(access, feed_connection_id)
