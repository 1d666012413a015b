"""What Xero's list tells of a connection: that it is well again, or that it has lost bank feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import connection_limit
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import ACCESS_REFUSED, Connection, ConnectionStatus
from feedlane.companies.connection_end import reconnection_needed_writes
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.events.outbox import put_event
from feedlane.follow_ups import RecoveryCheck
from feedlane.holds import release as hold_release
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store.table import ConditionFailed, Write

# Xero keeps an unused refresh token as long: after that only the customer can bring a connection back.
RECOVERY_PERIOD = timedelta(days=60)
# Xero may list an organisation and refuse it all the same: that is not taken for a recovery every day anew.
REFUSAL_RETRY_INTERVAL = timedelta(days=7)


@dataclass(frozen=True)
class TokenSetAccess:
    """What a token set reaches: tenants, and with which scopes (none: not known)."""

    tenants: frozenset[str]
    scopes: tuple[str, ...] = ()


def should_check(connection: Connection, now: datetime) -> bool:
    """Whether Xero's list can tell something about it: linked, or ended a while ago at most."""
    if connection.is_linked:
        return True
    need = connection.reconnection_fault
    if connection.status is not ConnectionStatus.DEAUTHORIZED or need is None or connection.token_set_id is None:
        return False
    if need.reason == ONE_OFF_ENDED.type or now - need.errored_on > RECOVERY_PERIOD:
        return False
    return not _would_be_refused_again(connection, now)


def apply_listing(ports: Ports, now: datetime, connection: Connection, scopes: tuple[str, ...]) -> bool:
    """Xero lists the connection's organisation for its token set, which has these scopes. Whether that changed it."""
    seen = connection.but(scopes=scopes or connection.scopes)
    if not connection.needs_reconnection and not seen.lacks_bank_feeds and set(seen.scopes) == set(connection.scopes):
        return False
    lacks = settings_items.settings(ports.store).bank_feeds and seen.lacks_bank_feeds
    writes: list[Write] = []
    if connection.needs_reconnection and not lacks and not _would_be_refused_again(connection, now):
        ports.queues.follow_up(
            RecoveryCheck(company_id=connection.company_id, connection_id=connection.id), SAFETY_DELAY_SECONDS
        )
        writes = _recovery_writes(ports, now, connection, seen)
    elif lacks and connection.is_linked:
        company = company_items.company(ports.store, connection.company_id)
        writes = reconnection_needed_writes(ports, seen, BANK_FEEDS_SCOPE_MISSING, company, now)
    if not writes and set(seen.scopes) != set(connection.scopes):
        writes = [company_items.put_connection(seen)]
    try:
        ports.store.commit(*writes)
    except ConditionFailed:
        return False  # changed at this moment, or no place is free under the limit: the next round looks again
    return bool(writes)


def check(ports: Ports, now: datetime, check: RecoveryCheck) -> None:
    """What waited for a connection that is well again goes on. May be done again."""
    connection = company_items.find_connection(ports.store, check.company_id, check.connection_id)
    if connection is not None and connection.is_linked and not connection.needs_reconnection:
        hold_release.resume_connection(ports, now, connection)


def _recovery_writes(ports: Ports, now: datetime, before: Connection, seen: Connection) -> list[Write]:
    well = seen.with_faults_resolved(now).but(status=ConnectionStatus.LINKED)
    company = company_items.company(ports.store, before.company_id)
    event = company_events.connection_recovered(ports, before, well, company, "xero", now)
    demo = before.tenant is not None and before.tenant.demo
    limit = limit_of(settings_items.settings(ports.store))
    return [
        company_items.put_connection(well),
        *connection_limit.link_count_writes(limit, before, demo),
        put_event(event),
    ]


def _would_be_refused_again(connection: Connection, now: datetime) -> bool:
    """Xero lists it and refuses it all the same, and did so lately: one try a week is enough."""
    need = connection.reconnection_fault
    return (
        need is not None
        and need.reason == ACCESS_REFUSED
        and any(
            error.reason == ACCESS_REFUSED
            and error.resolved_on is not None
            and now - error.resolved_on < REFUSAL_RETRY_INTERVAL
            for error in connection.errors
        )
    )
