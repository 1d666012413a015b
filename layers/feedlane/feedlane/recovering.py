"""What Xero's list tells of a connection: that it is well again, or that it has lost bank feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane import connection_limit, event_payloads, releasing
from feedlane.connection import ACCESS_REFUSED, Connection, ConnectionStatus
from feedlane.disconnecting import reconnection_needed
from feedlane.follow_ups import RecoveryCheck
from feedlane.ids import NewId
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.reconnection import ONE_OFF_ENDED, WITHOUT_BANK_FEEDS
from feedlane.settings import limit_of
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Write

# Xero keeps an unused refresh token as long: after that only the customer can bring a connection back.
LOOKED_AFTER = timedelta(days=60)
# Xero may list an organisation and refuse it all the same: that is not taken for a recovery every day anew.
REFUSED_AGAIN = timedelta(days=7)


@dataclass(frozen=True)
class Reach:
    """What a token set reaches: tenants, and with which scopes (none: not known)."""

    tenants: frozenset[str]
    scopes: tuple[str, ...] = ()


def is_worth_a_look(connection: Connection, now: datetime) -> bool:
    """Whether Xero's list can tell something about it: linked, or ended a while ago at most."""
    if connection.is_linked:
        return True
    need = connection.need
    if connection.status is not ConnectionStatus.DEAUTHORIZED or need is None or connection.token_set_id is None:
        return False
    if need.reason == ONE_OFF_ENDED.type or now - need.errored_on > LOOKED_AFTER:
        return False
    return not _would_be_refused_again(connection, now)


def listed(
    store: Store, queues: Queues, now: datetime, new_id: NewId, connection: Connection, scopes: tuple[str, ...]
) -> bool:
    """Xero lists the connection's organisation for its token set, which has these scopes. Whether that changed it."""
    seen = connection.but(scopes=scopes or connection.scopes)
    if not connection.needs_reconnection and not seen.lacks_bank_feeds and set(seen.scopes) == set(connection.scopes):
        return False
    lacks = store.settings().bank_feeds and seen.lacks_bank_feeds
    writes: list[Write] = []
    if connection.needs_reconnection and not lacks and not _would_be_refused_again(connection, now):
        queues.follow_up(
            RecoveryCheck(company_id=connection.company_id, connection_id=connection.id), SAFETY_DELAY_SECONDS
        )
        writes = _recovered(store, now, new_id, connection, seen)
    elif lacks and connection.is_linked:
        company = store.company(connection.company_id)
        writes = reconnection_needed(store, seen, WITHOUT_BANK_FEEDS, company, now, new_id)
    if not writes and set(seen.scopes) != set(connection.scopes):
        writes = [store.put_connection(seen)]
    try:
        store.commit(*writes)
    except ConditionFailed:
        return False  # changed at this moment, or no place is free under the limit: the next round looks again
    return bool(writes)


def look(store: Store, queues: Queues, now: datetime, new_id: NewId, check: RecoveryCheck) -> None:
    """What waited for a connection that is well again goes on. May be done again."""
    connection = store.find_connection(check.company_id, check.connection_id)
    if connection is not None and connection.is_linked and not connection.needs_reconnection:
        releasing.connection_is_back(store, queues, now, new_id, connection)


def _recovered(store: Store, now: datetime, new_id: NewId, before: Connection, seen: Connection) -> list[Write]:
    well = seen.resolved(now).but(status=ConnectionStatus.LINKED)
    company = store.company(before.company_id)
    event = event_payloads.connection_recovered(new_id(), before, well, company, "xero", now)
    demo = before.tenant is not None and before.tenant.demo
    limit = limit_of(store.settings())
    return [store.put_connection(well), *connection_limit.take(limit, before, demo), emitted(event)]


def _would_be_refused_again(connection: Connection, now: datetime) -> bool:
    """Xero lists it and refuses it all the same, and did so lately: one try a week is enough."""
    need = connection.need
    return (
        need is not None
        and need.reason == ACCESS_REFUSED
        and any(
            error.reason == ACCESS_REFUSED and error.resolved_on is not None and now - error.resolved_on < REFUSED_AGAIN
            for error in connection.errors
        )
    )
