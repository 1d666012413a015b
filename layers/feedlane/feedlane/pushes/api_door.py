"""The door of the API: a push is checked as far as possible, stored, and announced on the queue by its doorbell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from feedlane.clock import local_date
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.reconnection import reconnection_problem
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Conflict, Finding, Invalid, NotFound, ReconnectionNeeded, Refused
from feedlane.feeds import hole_items, push_operation_items, set_aside_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.ledger import RejectedPush, append
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id, is_uuid
from feedlane.ports import Ports
from feedlane.pushes import doorbell
from feedlane.pushes.content import PushContent, object_in, parse_content
from feedlane.pushes.holes import NO_SUCH_HOLE, REASON_REFUSED
from feedlane.settings.settings import Settings, rules_for
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Write

TIMEOUT_MINUTES_MAX = 60 * 24 * 7
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,128}")


def accept(
    ports: Ports,
    now: datetime,
    company_id: str,
    connection_id: str,
    account_id: str,
    body_text: str,
    timeout_in_minutes: int | None = None,
    idempotency_key: str | None = None,
    backfill: str = "",
) -> PushOperation:
    """The push operation of this push: a new one, or the one of an earlier push with the same content.

    `backfill` is the key of a refused push: this one has its missing transactions, which may be older than others.
    If the idempotency key already belongs to this push, its operation is returned as it is, even if it has failed.
    Raises `Invalid` with the errors of the transactions, `NotFound`, `Conflict` (not connected, switched off),
    `Refused` with the problem of the hold, `ReconnectionNeeded`.
    """
    if idempotency_key is not None and not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise Invalid.field("Idempotency-Key", "must be 1 to 128 ASCII characters without spaces", "IdempotencyKey")
    if timeout_in_minutes is not None and not 1 <= timeout_in_minutes <= TIMEOUT_MINUTES_MAX:
        raise Invalid.field("timeoutInMinutes", f"must be 1 to {TIMEOUT_MINUTES_MAX}", "Range")
    context = _read_context(ports.store, company_id, connection_id, account_id)
    earlier = _operation_for_key(ports.store, now, company_id, idempotency_key)
    if earlier is not None:
        content = _read_content(account_id, body_text, context.time_zone, now)
        _require_same_push(earlier, feed_id(connection_id, account_id), content)
        return doorbell.notify_and_schedule(ports.queues, earlier)
    feed = context.feed_for_pushing(bool(backfill))
    if backfill:
        _require_hole(ports.store, company_id, feed, backfill)
    content = _read_content(account_id, body_text, context.time_zone, now)
    if content.errors:
        raise Invalid("The push has errors; none of it was accepted.", list(content.errors))
    new = PushOperation(
        key=ports.new_id(),
        company_id=company_id,
        connection_id=connection_id,
        account_id=account_id,
        door=Door.API,
        requested_on=now,
        timeout_in_minutes=timeout_in_minutes,
        warnings=content.warnings,
        content=content.fingerprint,
        transactions=len(content.lines),
        backfill=backfill,
    )
    conflict = Conflict("The same push is already being processed; get its push operation.")
    for attempt in attempts(f"a push to feed {feed.id}", attempts_max=3, otherwise=conflict):
        earlier = _operation_for_key(ports.store, now, company_id, idempotency_key)
        if earlier is not None:
            _require_same_push(earlier, feed.id, content)
            return doorbell.notify_and_schedule(ports.queues, earlier)
        operation, writes = _new_or_same_operation(ports.store, new, content, context)
        if idempotency_key is not None:
            writes.append(push_operation_items.put_idempotency_key(operation, idempotency_key, now))
        with attempt:  # fails if the same content or key arrives at the same time: then its operation is the answer
            if writes:
                doorbell.schedule_check(ports.queues, operation)
                ports.store.commit(*writes)
    return doorbell.notify_and_schedule(ports.queues, operation, is_scheduled=bool(writes))


def validate(
    store: Store,
    now: datetime,
    company_id: str,
    connection_id: str,
    account_id: str,
    body_text: str,
    backfill: str = "",
) -> tuple[list[Finding], list[Finding]]:
    """The errors and warnings that the push would have if it were sent now. Nothing is stored."""
    context = _read_context(store, company_id, connection_id, account_id)
    feed = context.feed_for_pushing(bool(backfill))
    if backfill:
        _require_hole(store, company_id, feed, backfill)
    content = _read_content(account_id, body_text, context.time_zone, now)
    if content.errors:
        return list(content.errors), list(content.warnings)
    recorded = feed_items.recorded_ids(store, feed, {line.id for line in content.lines})
    recorded = set_aside_items.with_set_aside(store, feed, recorded)
    outcome = append(feed, content.lines, recorded, rules_for(context.settings, feed), bool(backfill))
    if isinstance(outcome, RejectedPush):
        return list(outcome.errors), list(content.warnings)
    return [], [*content.warnings, *outcome.warnings]


@dataclass(frozen=True)
class _PushContext:
    """What decides about a push, read in one request."""

    settings: Settings
    connection: Connection
    account: SourceAccount
    feed: Feed | None
    holds: list[Hold]

    @property
    def time_zone(self) -> str:
        """The organisation's, which the daily round keeps fresh."""
        return self.connection.time_zone

    def has_moved_since(self, time: datetime) -> bool:
        """Whether the account was mapped since then, and lines of its feed went to another Xero account before."""
        mapped_on, feed = self.account.mapped_on, self.feed
        return feed is not None and feed.has_lines_elsewhere and mapped_on is not None and time < mapped_on

    def feed_for_pushing(self, is_backfill: bool) -> Feed:
        """The feed. Raises `Conflict`, `Refused` or `ReconnectionNeeded` if it cannot be pushed to now.

        A hold because of a refused push does not stop the backfill that mends it. While the upstream changes, pushes
        wait for the next one.
        """
        if not self.settings.enabled:
            raise Conflict("The Xero integration is not enabled.")
        if not self.settings.bank_feeds:
            raise Conflict("Bank feeds are switched off in the settings of the Xero integration.")
        holds = [hold for hold in self.holds if not (is_backfill and hold.reason == REASON_REFUSED)]
        if holds:
            raise Refused(holds[0].problem)
        problem = reconnection_problem(self.connection)
        if problem is not None:
            raise ReconnectionNeeded(problem)
        if self.feed is not None and self.feed.changing and self.connection.waits_for_upstream:
            return self.feed
        if self.connection.status is not ConnectionStatus.LINKED:
            raise Conflict(self.connection.not_linked_message)
        if self.account.problem is not None:
            raise Refused(self.account.problem)
        if self.feed is None or self.account.status is not SourceAccountStatus.CONNECTED:
            raise Conflict(f"The bank account is not connected to a Xero bank account (it is {self.account.status}).")
        return self.feed


def _read_context(store: Store, company_id: str, connection_id: str, account_id: str) -> _PushContext:
    """Everything that decides about a push, in one read; the holds need a second one, if there is a feed."""
    id = feed_id(connection_id, account_id)
    company_key, connection_key = keys.company(company_id), keys.connection(company_id, connection_id)
    account_key, feed_key = keys.source_account(connection_id, account_id), keys.feed(id)
    items = store.table.get_many([keys.SETTINGS, company_key, connection_key, account_key, feed_key])
    connection = record_in(Connection, items.get(connection_key))
    account = record_in(SourceAccount, items.get(account_key))
    if company_key not in items:
        raise NotFound("company", company_id)
    if connection is None:
        raise NotFound("data connection", connection_id)
    if account is None:
        raise NotFound("bank account", account_id)
    feed = record_in(Feed, items.get(feed_key))
    holds = hold_items.holds_on(store, feed.hold_subjects) if feed else []
    settings = record_in(Settings, items.get(keys.SETTINGS)) or Settings()
    return _PushContext(settings, connection, account, feed, holds)


def _operation_for_key(
    store: Store, now: datetime, company_id: str, idempotency_key: str | None
) -> PushOperation | None:
    """The operation that the idempotency key belongs to, if any."""
    if idempotency_key is None:
        return None
    key = push_operation_items.operation_key_for_idempotency_key(store, company_id, idempotency_key, now)
    return push_operation_items.find_operation(store, company_id, key) if key else None


def _new_or_same_operation(
    store: Store, new: PushOperation, content: PushContent, context: _PushContext
) -> tuple[PushOperation, list[Write]]:
    """The new operation with its writes; or an earlier one with the same content that has not failed, without any.

    One from before the account was mapped to another Xero account says nothing about the present one: the new one names
    what went elsewhere.
    """
    id = feed_id(new.connection_id, new.account_id)
    earlier_key = push_operation_items.operation_key_for_content(store, id, new.content)
    earlier = push_operation_items.find_operation(store, new.company_id, earlier_key) if earlier_key else None
    if earlier is not None and not earlier.is_refused and not context.has_moved_since(earlier.requested_on):
        return earlier, []
    return new, [
        push_operation_items.put_operation(new),
        push_operation_items.put_content(new, replaces=earlier_key),
        *push_operation_items.add_pushed_lines(new, content.lines),
    ]


def _require_hole(store: Store, company_id: str, feed: Feed, operation_key: str) -> None:
    """Raises `Invalid` unless the push with this key was refused, and something of it is missing in the feed."""
    operation = (
        push_operation_items.find_operation(store, company_id, operation_key) if is_uuid(operation_key) else None
    )
    if operation is None or operation.feed_id != feed.id or hole_items.find_hole(store, operation) is None:
        raise Invalid.field("backfill", NO_SUCH_HOLE.message.format(operation_key[:64]), NO_SUCH_HOLE.validator)


def _require_same_push(earlier: PushOperation, id: str, content: PushContent) -> None:
    """Raises `Invalid` unless the operation is one of this feed, with this content."""
    if feed_id(earlier.connection_id, earlier.account_id) != id or earlier.content != content.fingerprint:
        rule = f"was already used for another push (operation {earlier.key}); use a new key for each push"
        raise Invalid.field("Idempotency-Key", rule, "IdempotencyKey")


def _read_content(account_id: str, body_text: str, time_zone: str, now: datetime) -> PushContent:
    sent = object_in(body_text)
    if sent.get("accountId") not in (None, account_id):
        raise Invalid.field("accountId", f"must be {account_id}, the account in the path", "Match")
    return parse_content(sent.get("transactions"), local_date(now, time_zone))
