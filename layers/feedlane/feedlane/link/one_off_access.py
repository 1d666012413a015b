"""One-off access: it ends when the consent's access token expires, and the connection ends with it."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.follow_ups import OneOffAccessCheck
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX, Queues


def schedule_check(queues: Queues, connection: Connection, ends: datetime, now: datetime) -> None:
    """Schedules a check for when the access ends. It does nothing if the access has become continuous."""
    check = OneOffAccessCheck(company_id=connection.company_id, connection_id=connection.id)
    queues.follow_up(check, _delay_seconds(ends, now))


def check(ports: Ports, now: datetime, check: OneOffAccessCheck) -> None:
    """Ends the connection if its access has ended. Raises `ConditionFailed` if it has just changed."""
    connection = company_items.find_connection(ports.store, check.company_id, check.connection_id)
    if connection is None or not connection.is_linked or connection.access_ends is None:
        return
    if now < connection.access_ends:
        ports.queues.follow_up(check, _delay_seconds(connection.access_ends, now))
        return
    company = company_items.company(ports.store, connection.company_id)
    ports.store.commit(*disconnection_writes(ports, connection, ONE_OFF_ENDED, company, now))


def _delay_seconds(ends: datetime, now: datetime) -> int:
    """One second longer, so that the access has certainly ended."""
    return max(1, min(DELAY_SECONDS_MAX, int((ends - now).total_seconds()) + 1))
