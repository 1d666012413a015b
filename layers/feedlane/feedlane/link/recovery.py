"""Applies what Xero lists for a connection: it has recovered, or it has lost bank feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import connection_limit, places
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import ACCESS_REFUSED, Connection, ConnectionStatus
from feedlane.companies.connection_end import reconnection_needed_writes
from feedlane.companies.organisations import ListedOrganisation
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.events.outbox import put_event
from feedlane.follow_ups import OneOffAccessCheck, RecoveryCheck, UpstreamChangeCheck
from feedlane.holds import release as hold_release
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store.due import LATE_AFTER, NOTHING_LEFT, Look, next_look, next_ring
from feedlane.store.table import ConditionFailed, Item, Write

# How long Xero keeps an unused refresh token: after that only the customer can restore a connection.
RECOVERY_PERIOD = timedelta(days=60)
# Xero may list an organisation and still refuse it: that must not count as a recovery every day.
REFUSAL_RETRY_INTERVAL = timedelta(days=7)


@dataclass(frozen=True)
class TokenSetAccess:
    """The organisations that a token set gives access to, by their tenant's id, and its scopes (empty: unknown)."""

    tenants: Mapping[str, ListedOrganisation]
    scopes: tuple[str, ...] = ()


def should_check(connection: Connection, now: datetime) -> bool:
    """Whether Xero's list matters for it: it is linked, or ended recently enough to recover."""
    if connection.is_linked:
        return True
    return may_recover(connection, now) and not _would_be_refused_again(connection, now)


def may_recover(connection: Connection, now: datetime) -> bool:
    """Whether its token set has a use: it is linked, or ended recently enough to recover."""
    if connection.is_linked:
        return True
    fault = connection.reconnection_fault
    if connection.status is not ConnectionStatus.DEAUTHORIZED or fault is None or connection.token_set_id is None:
        return False
    return fault.reason != ONE_OFF_ENDED.type and now - fault.errored_on <= RECOVERY_PERIOD


def apply_listing(ports: Ports, now: datetime, connection: Connection, scopes: tuple[str, ...]) -> bool:
    """Xero lists the connection's organisation for a token set with these scopes. Returns whether that changed it."""
    listed = connection.but(scopes=scopes or connection.scopes)
    has_new_scopes = set(listed.scopes) != set(connection.scopes)
    if not connection.needs_reconnection and not listed.lacks_bank_feeds and not has_new_scopes:
        return False
    lacks_bank_feeds = settings_items.settings(ports.store).bank_feeds and listed.lacks_bank_feeds
    writes: list[Write] = []
    if connection.needs_reconnection and not lacks_bank_feeds and not _would_be_refused_again(connection, now):
        check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        ports.queues.follow_up(check, SAFETY_DELAY_SECONDS)
        writes = _recovery_writes(ports, now, connection, listed)
    elif lacks_bank_feeds and connection.is_linked:
        company = company_items.company(ports.store, connection.company_id)
        writes = reconnection_needed_writes(ports, listed, BANK_FEEDS_SCOPE_MISSING, company, now)
    if not writes and has_new_scopes:
        # The user's consent for another company may have brought what a mapping of this one waits for.
        check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        ports.queues.follow_up(check, SAFETY_DELAY_SECONDS)
        writes = [company_items.put_connection(listed.but(look=next_look(now)))]
    if not writes:
        return False
    try:
        ports.store.commit(*writes)
    except ConditionFailed:
        return False  # just changed, or no place is free under the limit: the next round checks it again
    return True


def check(ports: Ports, now: datetime, check: RecoveryCheck) -> None:
    """Resumes sending for a connection that has recovered. May run twice: the watch has it run again and again."""
    connection = company_items.find_connection(ports.store, check.company_id, check.connection_id)
    if connection is not None and connection.is_linked and not connection.needs_reconnection:
        hold_release.resume_connection(ports, now, connection, once=True)


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Has a connection checked whose feeds do not send again although it works, or whose one-off access has ended."""
    connection = Connection.model_validate(item)
    if connection.is_stopping:
        check = UpstreamChangeCheck(company_id=connection.company_id, connection_id=connection.id)
        ports.queues.follow_up(check, 0)
        return Look(rung=True, again=next_ring(item, now))
    if not connection.is_linked or connection.needs_reconnection:
        return NOTHING_LEFT
    ids = {"company_id": connection.company_id, "connection_id": connection.id}
    if connection.access_ends is not None and connection.access_ends + LATE_AFTER <= now:
        ports.queues.follow_up(OneOffAccessCheck(**ids), 0)
        return Look(rung=True, again=next_ring(item, now))
    if hold_release.is_resumed(ports.store, connection):
        return Look(again=connection.access_ends and connection.access_ends + LATE_AFTER)
    ports.queues.follow_up(RecoveryCheck(**ids), 0)
    return Look(rung=True, again=next_ring(item, now))


def _recovery_writes(ports: Ports, now: datetime, before: Connection, listed: Connection) -> list[Write]:
    recovered = listed.with_faults_resolved(now).but(status=ConnectionStatus.LINKED, look=next_look(now))
    company = company_items.company(ports.store, before.company_id)
    event = company_events.connection_recovered(ports, before, recovered, company, "xero", now)
    is_demo = before.tenant is not None and before.tenant.demo
    tenant_id = before.tenant.id if before.tenant else ""
    limit = connection_limit.limit_here(ports.store, limit_of(settings_items.settings(ports.store)), tenant_id)
    return [
        company_items.put_connection(recovered),
        *connection_limit.link_count_writes(limit, before, is_demo),
        places.free_place(tenant_id),
        put_event(event),
    ]


def _would_be_refused_again(connection: Connection, now: datetime) -> bool:
    """Xero refuses it although it lists it, as it did less than a week ago: one try a week is enough."""
    fault = connection.reconnection_fault
    return (
        fault is not None
        and fault.reason == ACCESS_REFUSED
        and any(
            earlier.reason == ACCESS_REFUSED
            and earlier.resolved_on is not None
            and now - earlier.resolved_on < REFUSAL_RETRY_INTERVAL
            for earlier in connection.errors
        )
    )
