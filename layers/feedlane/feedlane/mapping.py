"""Mapping: a source account gets its feed connection at Xero, and with it a feed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from feedlane import event_payloads, going_on, holding, releasing
from feedlane.connection import Connection
from feedlane.errors import Invalid, ReconnectionNeeded, Unavailable
from feedlane.feed import Feed, feed_id
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.ids import NewId, fingerprint
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.reconnection import WITHOUT_BANK_FEEDS
from feedlane.source_account import Mapping, SourceAccount, SourceAccountStatus
from feedlane.store import ledger, mappings
from feedlane.store.mappings import fed_accounts as fed_accounts
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Put, Write
from feedlane.transaction import is_date
from feedlane.upstream import FeedConnection, NewFeedConnection, TargetAccount, TenantAccess, Upstream

FIRST_LOOK = 1
DELETION_TAKES = 5
DISCONNECTED = "source-account-disconnected"
REJECTED = "feed-connection-rejected"
# Holds of a feed that end when it gets a new feed connection.
MENDED_BY_MAPPING = frozenset({DISCONNECTED, REJECTED, "feed-connection-gone", "feed-connection-elsewhere"})


def access_to(connection: Connection) -> TenantAccess:
    """Raises `Invalid` unless the connection is linked, `ReconnectionNeeded` if it may not touch bank feeds."""
    if not connection.is_linked or connection.tenant is None or connection.token_set_id is None:
        raise Invalid(f"The connection is not linked to a Xero organisation (it is {connection.status}).")
    if connection.lacks_bank_feeds:
        raise ReconnectionNeeded(WITHOUT_BANK_FEEDS)
    return TenantAccess(tenant_id=connection.tenant.id, token_set_id=connection.token_set_id)


def target_options(
    targets: Iterable[TargetAccount], account: SourceAccount, fed: dict[str, str]
) -> list[TargetAccount]:
    """The accounts that can be fed from this one: of its kind and currency, and fed by no other.

    `fed` has the feed that each fed account belongs to (`fed_accounts`).
    """
    own = feed_id(account.connection_id, account.id)
    return [
        target
        for target in targets
        if target.kind is account.kind and target.currency == account.currency and fed.get(target.id, own) == own
    ]


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
    if account.mapping is not None:
        if target_account_id in (None, account.mapping.target_account_id):
            _look_soon(queues, account)
            go_on(store, queues, now, new_id, feed_id(connection.id, account.id))
            return account
        raise Invalid.field("sourceAccountId", _IS_MAPPED, "AlreadyMapped")
    access = access_to(connection)
    if target_account_id is not None:
        _check_free(store, access.tenant_id, target_account_id, account)
    made = _feed_connection(upstream, access, account, target_account_id)
    mapping = Mapping(
        feed_connection_id=made.id,
        account_token=made.account_token,
        target_account_id=made.account_id or target_account_id,
        target_account_name=made.account_name,
        feed_start_date=feed_start_date,
    )
    status = SourceAccountStatus.CONNECTED if made.active else SourceAccountStatus.CONNECTING
    mapped = account.but(status=status, mapping=mapping, problem=None, modified=now)
    # For the case that we crash before somebody looks, or before what waits goes on.
    queues.follow_up(FeedConnectionCheck(feed_id=feed_id(connection.id, account.id)), SAFETY_DELAY_SECONDS)
    try:
        mappings.record(store, now, connection, mapped, *_told_if_connected(store, mapped, now, new_id))
    except mappings.AlreadyClaimed:
        raise _taken("another source account") from None
    mapped = mapped.but(version=account.version + 1)
    _look_soon(queues, mapped)
    go_on(store, queues, now, new_id, feed_id(connection.id, account.id))
    return mapped


def feed_connection_active(
    store: Store, feed_id: str, connection: FeedConnection, now: datetime, new_id: NewId
) -> SourceAccount | None:
    """Xero has set the feed connection up: the account is connected. None if it is mapped otherwise by now."""
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
    # Unconditional: which account its feed connection feeds is Xero's to say.
    claims = [Put(claim.item) for claim in mappings.claim(feed.tenant_id, mapping, connected)]
    told = _told_if_connected(store, connected, now, new_id)
    store.commit(store.put_source_account(connected), *claims, *told)
    return connected.but(version=account.version + 1)


def go_on(store: Store, queues: Queues, now: datetime, new_id: NewId, id: str) -> None:
    """What waited for a feed connection is sent, under new push operations where a hold had ended the old ones.

    Not before Xero has set it up: until then it refuses statements. May be done again.
    """
    feed = ledger.find_feed(store, id)
    account = store.find_source_account(feed.connection_id, feed.account_id) if feed else None
    if feed is None or account is None or account.status is not SourceAccountStatus.CONNECTED:
        return
    for hold in holding.holds_of_feed(store, id):
        if hold.reason in MENDED_BY_MAPPING and hold.since <= account.modified:
            releasing.release(store, queues, now, new_id, hold)
    if feed.waiting:
        going_on.tell_of_what_waits(store, now, new_id, feed)
        queues.wake(id)


def is_connecting(store: Store, feed: Feed) -> bool:
    """Whether Xero still has to set the feed connection up."""
    account = store.find_source_account(feed.connection_id, feed.account_id)
    return account is not None and account.status is SourceAccountStatus.CONNECTING


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
    claim = mappings.claim_on(store, tenant_id, target_account_id)
    if claim is None or (claim["connection_id"], claim["account_id"]) == (account.connection_id, account.id):
        return
    raise _taken("another source account" if claim["company_id"] == account.company_id else "another company")


def _taken(whose: str) -> Invalid:
    message = (
        f"The Xero account is fed by {whose} already. Disconnect that source account first, "
        "choose another Xero account, or leave targetAccountId out to create a new one."
    )
    return Invalid.field("targetAccountId", message, "AlreadyConnected")


def _feed_connection(
    upstream: Upstream, access: TenantAccess, account: SourceAccount, target_account_id: str | None
) -> FeedConnection:
    """The feed connection with our token: one that a crash left behind, or a new one."""
    token = account_token(account.connection_id, account.id)
    for there in upstream.feed_connections(access):
        if there.account_token != token:
            continue
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


def _look_soon(queues: Queues, account: SourceAccount) -> None:
    """While Xero still works on the feed connection, somebody has to look when it is done."""
    if account.status is SourceAccountStatus.CONNECTING:
        check = FeedConnectionCheck(feed_id=feed_id(account.connection_id, account.id))
        queues.follow_up(check, FIRST_LOOK)


def _told_if_connected(store: Store, account: SourceAccount, now: datetime, new_id: NewId) -> list[Write]:
    if account.status is not SourceAccountStatus.CONNECTED:
        return []
    company = store.company(account.company_id)
    return [emitted(event_payloads.source_account_connected(new_id(), account, company, now))]
