"""Starts of Link that Xero never answered: reported once per window, when all of them have expired.

There is no callback from the page that Xero shows at the app's connection limit, nor after a closed browser window.
"""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import connection_limit
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionFault
from feedlane.errors import NotFound
from feedlane.events.outbox import put_event
from feedlane.link.start_window import StartWindow, close_reported
from feedlane.ports import Ports
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store.due import NOTHING_LEFT, Look
from feedlane.store.table import Item, Write

REASON = "start-unanswered"
CUSTOMER_MESSAGE = "Authorization not completed"


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Reports the window if none of its starts was answered. Raises `ConditionFailed` if it has just been closed.

    No message was lost: the watch is who comes back for starts, so that opening a link puts nothing on any queue.
    """
    window = StartWindow.model_validate(item)
    connection = company_items.find_connection(ports.store, window.company_id, window.connection_id)
    if connection is None or (connection.linked_on is not None and connection.linked_on >= window.began):
        return NOTHING_LEFT  # deleted, or the customer came back by the start of another window
    try:
        company = company_items.company(ports.store, window.company_id)
    except NotFound:
        return NOTHING_LEFT
    writes: list[Write] = []
    if not connection.is_linked:
        fault = ConnectionFault(
            status_code="408",
            status_text=company_events.UNANSWERED_MESSAGE,
            error_message=CUSTOMER_MESSAGE,
            errored_on=now,
            reason=REASON,
        )
        connection = connection.with_fault(fault)
        writes.append(company_items.put_connection(connection))
    taken, limit = connection_limit.taken_places(ports.store), limit_of(settings_items.settings(ports.store))
    event = company_events.authorization_unanswered(ports, connection, company, window.began, taken, limit, now)
    ports.store.commit(close_reported(window), *writes, put_event(event))
    return NOTHING_LEFT
