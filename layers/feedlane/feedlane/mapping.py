"""Mapping: a source account gets its feed connection at Xero, and with it a feed. And the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from feedlane import event_payloads, releasing
from feedlane.connection import Connection
from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feed import Feed, feed_id
from feedlane.hold import Scope
from feedlane.ids import NewId, fingerprint
from feedlane.problem import Problem
from feedlane.queues import Check, Queues
from feedlane.source_account import Mapping, SourceAccount, SourceAccountStatus
from feedlane.store import keys, ledger
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Delete, Put, When, Write
from feedlane.transaction import is_date
from feedlane.upstream import FeedConnection, NewFeedConnection, TargetAccount, TenantAccess, Upstream

FIRST_LOOK = 1
DELETION_TAKES = 5
_TRIES = 5
# Holds of a feed that end when it gets a new feed connection.
MENDED_BY_MAPPING = frozenset({"feed-connection-gone", "feed-connection-of-another-organisation"})


def access_to(connection: Connection) -> TenantAccess:
    """Raises `Invalid` unless the connection is linked, `ReconnectionNeeded` if it may not touch bank feeds."""
    if not connection.is_linked or connection.tenant is None or connection.token_set_id is None:
        raise Invalid(f"The connection is not linked to a Xero organisation (it is {connection.status}).")
    if connection.scopes and "bankfeeds" not in connection.scopes:
        detail = "The connection was authorised without access to bank feeds; the customer has to reconnect."
        raise ReconnectionNeeded(Problem(type="missing-scope", title="Missing scope", status=403, detail=detail))
    return TenantAccess(tenant_id=connection.tenant.id, token_set_id=connection.token_set_id)


def target_options(
    targets: Iterable[TargetAccount], account: SourceAccount, fed: dict[str, str]
) -> list[TargetAccount]:
    """The accounts that can be fed from this one: of its kind and currency, and fed by no other.

    `fed` has the feed that each fed account belongs to.
    """
    own = feed_id(account.connection_id, account.id)
    return [
        target
        for target in targets
        if target.kind is account.kind and target.currency == account.currency and fed.get(target.id, own) == own
    ]


def fed_accounts(store: Store, tenant_id: str) -> dict[str, str]:
    """Which accounts of the organisation are fed, and by which feed, over all companies."""
    items = store.table.query(keys.tenant(tenant_id), prefix="TARGET#")
    return {item["sk"].removeprefix("TARGET#"): feed_id(item["connection_id"], item["account_id"]) for item in items}


def map_account(
    store: Store,
    upstream: Upstream,
    queues: Queues,
    now: datetime,
    new_id: NewId,
    connection: Connection,
    account: SourceAccount,
    target_account_id: str | None = None,
    feed_start_date: str | None = None,
) -> SourceAccount:
    """Connects the account to a Xero bank account, or to a new one that is named after it.

    The same mapping again succeeds. After a crash on the way, mapping again adopts what Xero has already.
    Raises `Invalid`, `Refused` with Xero's problem, `ReconnectionNeeded`, `Unavailable`.
    """
    _check_start(feed_start_date)
    mapping = account.mapping
    if mapping is not None:
        if target_account_id in (None, mapping.target_account_id):
            return account
        raise Invalid.field("sourceAccountId", _IS_MAPPED, "AlreadyMapped")
    access = access_to(connection)
    if target_account_id is not None:
        _check_free(store, access.tenant_id, target_account_id, account)
    made = _feed_connection(upstream, access, account, target_account_id)
    mapped = account.but(
        status=SourceAccountStatus.CONNECTED if made.active else SourceAccountStatus.CONNECTING,
        modified=now,
        mapping=Mapping(
            feed_connection_id=made.id,
            account_token=made.account_token,
            target_account_id=made.account_id or target_account_id,
            target_account_name=made.account_name,
            feed_start_date=feed_start_date,
        ),
    )
    _commit_mapping(store, now, new_id, connection, mapped)
    if not made.active:
        check = Check(kind="feedConnection", feed_id=feed_id(connection.id, account.id))
        queues.check(check, FIRST_LOOK)
    _release_mended(store, queues, now, new_id, feed_id(connection.id, account.id))
    return mapped.but(version=account.version + 1)


def feed_connection_active(
    store: Store, feed_id: str, connection: FeedConnection, now: datetime, new_id: NewId
) -> SourceAccount | None:
    """Xero has set the feed connection up: the account is connected. The account, or None if it is mapped otherwise."""
    feed = ledger.find_feed(store, feed_id)
    account = store.find_source_account(feed.connection_id, feed.account_id) if feed else None
    if feed is None or account is None or account.mapping is None:
        return None
    if account.mapping.feed_connection_id != connection.id or account.status is not SourceAccountStatus.CONNECTING:
        return None
    mapping = account.mapping.but(
        target_account_id=connection.account_id or account.mapping.target_account_id,
        target_account_name=connection.account_name or account.mapping.target_account_name,
    )
    connected = account.but(status=SourceAccountStatus.CONNECTED, mapping=mapping, modified=now)
    company = store.company(account.company_id)
    event = event_payloads.source_account_connected(new_id(), connected, company, now)
    # Unconditional: which account its feed connection feeds is Xero's to say.
    claims = [Put(claim.item) for claim in _claim(feed.tenant_id, connected)]
    store.commit(store.put_source_account(connected), emitted(event), *claims)
    return connected.but(version=account.version + 1)


def unmap(
    store: Store, upstream: Upstream, now: datetime, new_id: NewId, connection: Connection, account: SourceAccount
) -> SourceAccount:
    """Ends the feed connection; the Xero account and the ledger stay. `account` may carry other changes."""
    _end_feed_connection(upstream, connection, account)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    writes: list[Write] = [store.put_source_account(ended)]
    if account.mapping is not None:
        company = store.company(account.company_id)
        writes.append(emitted(event_payloads.source_account_disconnected(new_id(), ended, company, now)))
    _commit_end(store, connection, account, writes)
    return ended.but(version=account.version + 1)


def remove_account(
    store: Store, upstream: Upstream, now: datetime, new_id: NewId, connection: Connection, account: SourceAccount
) -> None:
    """Deletes the account with its mapping and its feed connection, never the Xero account."""
    _end_feed_connection(upstream, connection, account)
    writes: list[Write] = [store.remove_source_account(account)]
    if account.mapping is not None:
        ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
        company = store.company(account.company_id)
        writes.append(emitted(event_payloads.source_account_disconnected(new_id(), ended, company, now)))
    _commit_end(store, connection, account, writes)


def account_token(connection_id: str, account_id: str) -> str:
    """Our name for the account at Xero (at most 50 characters): the same each time, so that a crash is found out."""
    return fingerprint(feed_id(connection_id, account_id))[:40]


_IS_MAPPED = "is connected to another Xero account; set its status to disconnected first, then map it anew"


def _check_start(feed_start_date: str | None) -> None:
    if feed_start_date is None:
        return
    if not re.match(r"\d{4}-\d{2}-\d{2}(T|$)", feed_start_date) or not is_date(feed_start_date[:10]):
        raise Invalid.field("feedStartDate", "must be a date such as 2026-05-01 or 2026-05-01T00:00:00", "Date")


def _check_free(store: Store, tenant_id: str, target_account_id: str, account: SourceAccount) -> None:
    item = store.table.get(keys.target(tenant_id, target_account_id))
    if item is not None and (item["connection_id"], item["account_id"]) != (account.connection_id, account.id):
        raise _taken(item["company_id"] == account.company_id)


def _taken(same_company: bool) -> Invalid:
    where = "another source account" if same_company else "another company"
    message = (
        f"The Xero account is fed by {where} already. Disconnect that source account first, "
        "choose another Xero account, or leave targetAccountId out to create a new one."
    )
    return Invalid.field("targetAccountId", message, "AlreadyConnected")


def _feed_connection(
    upstream: Upstream, access: TenantAccess, account: SourceAccount, target_account_id: str | None
) -> FeedConnection:
    """The feed connection with our token: one that a crash left behind, or a new one."""
    token = account_token(account.connection_id, account.id)
    for there in upstream.feed_connections(access):
        if there.account_token == token:
            if target_account_id is None or there.account_id in (None, target_account_id):
                return there
            upstream.delete_feed_connection(access, there.id)
            message = "An earlier feed connection of this account is being removed at Xero; please try again soon."
            raise Unavailable(message, DELETION_TAKES)
    new = NewFeedConnection(
        account_token=token,
        account_id=target_account_id,
        account_number=account.account_number,
        account_name=account.account_name,
        kind=account.kind,
        currency=account.currency,
    )
    return upstream.create_feed_connection(access, new)


def _end_feed_connection(upstream: Upstream, connection: Connection, account: SourceAccount) -> None:
    """At Xero, while we are let in; what Xero no longer lets us touch has ended for us."""
    if account.mapping is None or not connection.is_linked:
        return
    with suppress(ReconnectionNeeded, Refused):
        upstream.delete_feed_connection(access_to(connection), account.mapping.feed_connection_id)


def _release_mended(store: Store, queues: Queues, now: datetime, new_id: NewId, id: str) -> None:
    for hold in store.holds_on([(Scope.FEED, id)]):
        if hold.reason in MENDED_BY_MAPPING:
            releasing.release(store, queues, now, new_id, hold)
