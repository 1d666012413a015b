"""One-off access: it ends with the access token that the consent brought, and the connection with it."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.follow_ups import OneOffAccessCheck
from feedlane.ids import NewId
from feedlane.queues import DELAY_SECONDS_MAX, Queues
from feedlane.store.store import Store


def schedule_check(queues: Queues, connection: Connection, ends: datetime, now: datetime) -> None:
    """Has somebody look when the access ends; before that, or if it has become continuous, the look does nothing."""
    check = OneOffAccessCheck(company_id=connection.company_id, connection_id=connection.id)
    queues.follow_up(check, _delay_seconds(ends, now))


def check(store: Store, queues: Queues, now: datetime, new_id: NewId, check: OneOffAccessCheck) -> None:
    """Ends the connection if its access has ended. Raises `ConditionFailed` if it changed at this moment."""
    connection = company_items.find_connection(store, check.company_id, check.connection_id)
    if connection is None or not connection.is_linked or connection.access_ends is None:
        return
    if now < connection.access_ends:
        queues.follow_up(check, _delay_seconds(connection.access_ends, now))
        return
    company = company_items.company(store, connection.company_id)
    store.commit(*disconnection_writes(store, connection, ONE_OFF_ENDED, company, now, new_id))


def _delay_seconds(ends: datetime, now: datetime) -> int:
    """A second more: then it is over for certain."""
    return max(1, min(DELAY_SECONDS_MAX, int((ends - now).total_seconds()) + 1))
