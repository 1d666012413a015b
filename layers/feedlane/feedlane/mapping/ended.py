"""A feed connection that has ended at Xero without us: the customer has ended it there."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.events.outbox import put_event
from feedlane.feeds.upstream import TenantAccess, Upstream
from feedlane.follow_ups import Wake
from feedlane.holds import items as hold_items
from feedlane.holds.hold import CONNECTION_ENDED_REASONS
from feedlane.ids import feed_id
from feedlane.mapping import items as mapping_items
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.store.store import Store
from feedlane.store.table import Write


def is_suspected(store: Store, id: str) -> bool:
    """Whether Xero has refused a statement because the feed's connection has ended."""
    return any(hold.reason in CONNECTION_ENDED_REASONS for hold in hold_items.holds_of_feed(store, id))


def has_ended(upstream: Upstream, access: TenantAccess, account: SourceAccount) -> bool:
    """Asks Xero whether the account's feed connection has ended."""
    id = account.mapping.feed_connection_id if account.mapping else ""
    return bool(id) and upstream.feed_connection(access, id) is None


def record_ended(ports: Ports, connection: Connection, account: SourceAccount, now: datetime) -> SourceAccount:
    """Disconnects the account, so that it can be mapped again. A hold that stands stays; otherwise the wake-up of the
    feed holds what waits."""
    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    company = company_items.company(ports.store, account.company_id)
    writes = [
        *company_items.change_source_account(account, ended),
        *disconnected_event_writes(ports, account, ended, company, now),
    ]
    gone = account.mapping.feed_connection_id if account.mapping else ""
    mapping_items.record_unmapping(ports.store, connection, account, lambda _: writes, gone)
    return ended.but(version=account.version + 1)


def disconnected_event_writes(
    ports: Ports, account: SourceAccount, ended: SourceAccount, company: Company, now: datetime
) -> list[Write]:
    """The event that `account`, as it was, is not fed any more; none if it was not to be fed."""
    if account.mapping is None and account.wanted is None:
        return []
    return [put_event(company_events.source_account_disconnected(ports, ended, company, now))]
