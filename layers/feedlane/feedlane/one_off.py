"""One-off access: it ends with the access token that the consent brought, and the connection with it."""

from __future__ import annotations

from datetime import datetime

from feedlane.connection import Connection
from feedlane.disconnecting import disconnection
from feedlane.follow_ups import OneOffAccessCheck
from feedlane.ids import NewId
from feedlane.queues import DELAY_SECONDS_MAX, Queues
from feedlane.reconnection import ONE_OFF_ENDED
from feedlane.store.store import Store


def watch(queues: Queues, connection: Connection, ends: datetime, now: datetime) -> None:
    """Has somebody look when the access ends; before that, or if it has become continuous, the look does nothing."""
    check = OneOffAccessCheck(company_id=connection.company_id, connection_id=connection.id)
    queues.follow_up(check, _delay(ends, now))


def look(store: Store, queues: Queues, now: datetime, new_id: NewId, check: OneOffAccessCheck) -> None:
    """Ends the connection if its access has ended. Raises `ConditionFailed` if it changed at this moment."""
    connection = store.find_connection(check.company_id, check.connection_id)
    if connection is None or not connection.is_linked or connection.access_ends is None:
        return
    if now < connection.access_ends:
        queues.follow_up(check, _delay(connection.access_ends, now))
        return
    company = store.company(connection.company_id)
    store.commit(*disconnection(store, connection, ONE_OFF_ENDED, company, now, new_id))


def _delay(ends: datetime, now: datetime) -> int:
    """A second more: then it is over for certain."""
    return max(1, min(DELAY_SECONDS_MAX, int((ends - now).total_seconds()) + 1))
