"""Mapping: a source account gets a feed connection at Xero, and with it a feed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from feedlane.clock import is_date, local_date, years_before
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import FeedConnection, TenantAccess, Upstream
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds import release_operations
from feedlane.holds.hold import Hold
from feedlane.ids import account_token, feed_id
from feedlane.mapping import creation, ended, refused
from feedlane.mapping import items as mapping_items
from feedlane.mapping.items import DATE_LENGTH
from feedlane.mapping.refused import REASONS_LIFTED_BY_MAPPING
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store import keys
from feedlane.store.attempts import commit_among_others
from feedlane.store.due import LATE_AFTER, NOTHING_LEFT, Look, next_look, next_ring
from feedlane.store.store import Store
from feedlane.store.table import Item, Put, Write

FIRST_CHECK_SECONDS = 1
_ALREADY_STARTED = "cannot be changed while the account is connected; set its status to disconnected first"
_ALREADY_MAPPED = "is already connected to another Xero account; set its status to disconnected first"
_STOPPING = "The upstream of the connection is being changed: map the account once the customer has linked it there."
_CHANGED = "The account was changed at the same time; try again."


def access_to(connection: Connection) -> TenantAccess:
    """Raises `Invalid` unless the connection is linked, `ReconnectionNeeded` if it lacks access to bank feeds."""
    if not connection.is_linked or connection.tenant is None or connection.token_set_id is None:
        raise Invalid(connection.not_linked_message)
    if connection.lacks_bank_feeds:
        raise ReconnectionNeeded(BANK_FEEDS_SCOPE_MISSING)
    return TenantAccess(
        tenant_id=connection.tenant.id,
        token_set_id=connection.token_set_id,
        connection_id=connection.id,
        tenant_connection_id=connection.tenant.xero_connection_id,
    )


def map_account(
    ports: Ports,
    upstream: Upstream,
    now: datetime,
    connection: Connection,
    account: SourceAccount,
    target_account_id: str | None = None,
    feed_start_date: str | None = None,
) -> SourceAccount:
    """Connects the account to a Xero bank account, or to a new one with its name.

    A repeat of the same mapping succeeds. After a crash, a repeat adopts the feed connection that Xero already has.
    While Xero still deletes an earlier one, the account is connecting without any. Raises `Invalid`, `Refused` with
    Xero's problem, `ReconnectionNeeded`, `Unavailable`.
    """
    mapped = account.mapping
    if mapped is not None:
        is_suspected = ended.is_suspected(ports.store, feed_id(connection.id, account.id))
        if is_suspected and ended.has_ended(upstream, access_to(connection), account):
            account = ended.record_ended(ports, connection, account, now)
        elif feed_start_date is not None and not _is_same_day(feed_start_date, mapped.feed_start_date or ""):
            raise Invalid.field("feedStartDate", _ALREADY_STARTED, "AlreadyMapped")
        elif target_account_id in (None, mapped.target_account_id):
            _schedule_check(ports.queues, account)
            resume_feed(ports, now, feed_id(connection.id, account.id))
            return account
        else:
            raise Invalid.field("sourceAccountId", _ALREADY_MAPPED, "AlreadyMapped")
    _check_start_date(feed_start_date, today_of(connection, now))
    wanted = AccountMapping(
        feed_connection_id="",
        account_token=account_token(connection.id, account.id),
        target_account_id=target_account_id,
        feed_start_date=feed_start_date,
    )
    try:
        made = make_connection(ports, upstream, now, connection, account, wanted)
    except refused.AccountChanged:
        raise Unavailable(_CHANGED, 1) from None
    return record_mapped(ports, now, connection, account, wanted, made)


def make_connection(
    ports: Ports,
    upstream: Upstream,
    now: datetime,
    connection: Connection,
    account: SourceAccount,
    wanted: AccountMapping,
) -> FeedConnection | None:
    """The feed connection that is wanted; None while Xero still deletes an earlier one. A refusal is recorded, if
    another Xero account would not help. Raises what `map_account` raises, and `AccountChanged`."""
    access = access_to(connection)
    if connection.is_stopping:
        raise Invalid(_STOPPING)
    if wanted.target_account_id is not None:
        _check_free(ports.store, access.tenant_id, wanted.target_account_id, account)
    feed = feed_items.find_feed(ports.store, feed_id(connection.id, account.id))
    known = creation.known_feed_connections(ports.store, connection.id, feed)
    at = connection.tenant.country if connection.tenant else ""
    try:
        return creation.adopt_or_create(upstream, access, account, wanted.target_account_id, wanted.country, known, at)
    except (Refused, ReconnectionNeeded) as error:
        refusal = refused.refusal_in(upstream, access, error)
        if refusal is not None:
            refused.record_refused(ports, refusal, connection, account, wanted, now)
        raise


def record_mapped(
    ports: Ports,
    now: datetime,
    connection: Connection,
    account: SourceAccount,
    wanted: AccountMapping,
    made: FeedConnection | None,
) -> SourceAccount:
    """Records the mapping with the feed connection that was made for it, or without any yet. Raises `Invalid`."""
    mapping = wanted
    if made is not None:
        mapping = wanted.but(
            feed_connection_id=made.id,
            account_token=made.account_token,
            target_account_id=made.account_id or wanted.target_account_id,
            target_account_name=made.account_name,
        )
    is_active = made is not None and made.active
    status = SourceAccountStatus.CONNECTED if is_active else SourceAccountStatus.CONNECTING
    changes = {"status": status, "mapping": mapping, "wanted": None, "problem": None}
    mapped = account.but(**changes, mapped_on=now, modified=now, look=next_look(now))
    # In case we crash before the check is scheduled, or before the feed is resumed.
    ports.queues.follow_up(FeedConnectionCheck(feed_id=feed_id(connection.id, account.id)), SAFETY_DELAY_SECONDS)
    try:
        events = _connected_event_writes(ports, mapped, now)
        mapping_items.record_mapping(ports.store, now, connection, account, mapped, *events)
    except mapping_items.AlreadyClaimed:
        raise _already_fed("another source account") from None
    mapped = mapped.but(version=account.version + 1)
    _schedule_check(ports.queues, mapped)
    resume_feed(ports, now, feed_id(connection.id, account.id))
    return mapped


def record_feed_connection_active(
    ports: Ports, id: str, feed_connection: FeedConnection, now: datetime
) -> SourceAccount | None:
    """Marks the account of the feed as connected, once Xero has set up its feed connection.

    None if the account no longer waits for this feed connection.
    """
    feed = feed_items.find_feed(ports.store, id)
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id) if feed else None
    if feed is None or account is None or account.mapping is None:
        return None
    if account.status is not SourceAccountStatus.CONNECTING or account.mapping.feed_connection_id != feed_connection.id:
        return None
    mapping = account.mapping.but(
        target_account_id=feed_connection.account_id or account.mapping.target_account_id,
        target_account_name=feed_connection.account_name or account.mapping.target_account_name,
    )
    changes = {"status": SourceAccountStatus.CONNECTED, "mapping": mapping}
    connected = account.but(**changes, mapped_on=now, modified=now, look=next_look(now))
    # Unconditional: Xero decides which account its feed connection feeds.
    claims = [Put(claim.item) for claim in mapping_items.claim_writes(feed.tenant_id, mapping, connected)]
    events = _connected_event_writes(ports, connected, now)
    after = feed.sent_to(mapping_items.destination_of(mapping, feed.upstream))
    also = [feed_items.put_feed(after)] if after != feed else []
    commit_among_others(ports.store, *company_items.change_source_account(account, connected), *claims, *events, *also)
    return connected.but(version=account.version + 1)


def resume_feed(ports: Ports, now: datetime, id: str) -> None:
    """Sends the lines that waited for the feed connection, under new push operations if a hold has failed the old ones.

    Does nothing before Xero has set the feed connection up: until then Xero refuses statements. Safe to repeat.
    """
    feed = feed_items.find_feed(ports.store, id)
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id) if feed else None
    if feed is None or account is None or account.status is not SourceAccountStatus.CONNECTED:
        return
    for hold in _lifted_by_mapping(ports.store, account, feed):
        hold_release.release(ports, now, hold)
    if feed.waiting:
        release_operations.ensure_operation(ports, now, feed)
        ports.queues.wake(id)


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Has a feed connection made or polled that an account waits for, and a feed resumed that still waits for it."""
    account = SourceAccount.model_validate(item)
    id = feed_id(account.connection_id, account.id)
    feed = feed_items.find_feed(ports.store, id)
    if account.wanted is not None and refused.is_stopped(ports.store, account, feed):
        return Look(again=now + refused.LOOK_INTERVAL)
    if not _is_awaited(ports.store, account, feed):
        return NOTHING_LEFT
    late = _waits_until(ports.store, id) + LATE_AFTER
    if now < late and account.status is not SourceAccountStatus.CONNECTED:
        return Look(again=late)
    ports.queues.follow_up(FeedConnectionCheck(feed_id=id, once=True), 0)
    return Look(rung=True, again=next_look(now) if account.wanted is None else next_ring(item, now))


def _waits_until(store: Store, id: str) -> datetime:
    """Until when Xero's limits let nobody ask for the feed connection; long ago if they do."""
    feed = feed_items.find_feed(store, id)
    app = feed.app_subject if feed is not None else APP_SUBJECT
    waits = [keys.not_before(Scope.APP, app), keys.slot(id, "LOOKS")]
    if feed is not None:
        waits.append(keys.not_before(Scope.TENANT, feed.tenant_id))
    items = store.table.get_many(waits).values()
    return max((datetime.fromisoformat(item["until"]) for item in items), default=datetime.min.replace(tzinfo=UTC))


def _is_awaited(store: Store, account: SourceAccount, feed: Feed | None) -> bool:
    if account.wanted is not None or account.status is SourceAccountStatus.CONNECTING:
        return True
    if account.status is not SourceAccountStatus.CONNECTED or feed is None:
        return False
    return bool(_lifted_by_mapping(store, account, feed)) or release_operations.lacks_operation(store, feed)


def _lifted_by_mapping(store: Store, account: SourceAccount, feed: Feed) -> list[Hold]:
    """The holds that the account's mapping lifts: of its feed, and those that a refused mapping has placed."""
    return [
        hold
        for hold in hold_items.holds_on(store, feed.hold_subjects)
        if hold.by_mapping or (hold.scope is Scope.FEED and hold.reason in REASONS_LIFTED_BY_MAPPING)
        if account.mapped_on is not None and hold.since <= account.mapped_on
    ]


def is_connecting(store: Store, feed: Feed) -> bool:
    """Whether Xero is still setting up the feed connection."""
    account = company_items.find_source_account(store, feed.connection_id, feed.account_id)
    return account is not None and account.status is SourceAccountStatus.CONNECTING


def _is_same_day(one: str, other: str) -> bool:
    return one[:DATE_LENGTH] == other[:DATE_LENGTH]


def today_of(connection: Connection, now: datetime) -> date:
    """The date in the connection's organisation."""
    return local_date(now, connection.tenant.time_zone if connection.tenant else "UTC")


def _check_start_date(feed_start_date: str | None, today: date) -> None:
    if feed_start_date is None:
        return
    if not re.match(r"\d{4}-\d{2}-\d{2}(T|$)", feed_start_date) or not is_date(feed_start_date[:DATE_LENGTH]):
        raise Invalid.field("feedStartDate", "must be a date such as 2026-05-01 or 2026-05-01T00:00:00", "Date")
    earliest = years_before(today).isoformat()
    if not earliest <= feed_start_date[:DATE_LENGTH] <= today.isoformat():
        raise Invalid.field(
            "feedStartDate", f"must be from {earliest} (a year ago) to {today.isoformat()} (today)", "Range"
        )


def _check_free(store: Store, tenant_id: str, target_account_id: str, account: SourceAccount) -> None:
    claim = mapping_items.find_claim(store, tenant_id, target_account_id)
    if claim is None or (claim["connection_id"], claim["account_id"]) == (account.connection_id, account.id):
        return
    raise _already_fed("another source account" if claim["company_id"] == account.company_id else "another company")


def _already_fed(owner: str) -> Invalid:
    message = (
        f"The Xero account is already fed by {owner}. Disconnect that source account first, "
        "choose another Xero account, or leave targetAccountId out to create a new one."
    )
    return Invalid.field("targetAccountId", message, "AlreadyConnected")


def _schedule_check(queues: Queues, account: SourceAccount) -> None:
    """Schedules the first check of a feed connection that Xero is still setting up."""
    if account.status is SourceAccountStatus.CONNECTING:
        check = FeedConnectionCheck(feed_id=feed_id(account.connection_id, account.id))
        queues.follow_up(check, FIRST_CHECK_SECONDS)


def _connected_event_writes(ports: Ports, account: SourceAccount, now: datetime) -> list[Write]:
    if account.status is not SourceAccountStatus.CONNECTED:
        return []
    company = company_items.company(ports.store, account.company_id)
    return [put_event(company_events.source_account_connected(ports, account, company, now))]
