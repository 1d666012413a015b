"""Starts of Link that Xero never answered: reported once, when they expire, with what is known.

There is no callback from the page that Xero shows at the app's connection limit, nor after a closed window.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from feedlane.companies import connection_limit
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionFault
from feedlane.errors import NotFound
from feedlane.events.outbox import put_event
from feedlane.follow_ups import LinkStartCheck
from feedlane.link import state_items as link_state_items
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.ports import Ports
from feedlane.queues import Queues
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store.due import NOTHING_LEFT, Look
from feedlane.store.table import Item, Write

REASON = "start-unanswered"
CUSTOMER_MESSAGE = "Authorization not completed"
# One second longer than a state is valid, so that it has certainly expired.
CHECK_DELAY_SECONDS = int(LINK_STATE_LIFETIME.total_seconds()) + 1


def schedule_check(queues: Queues, state: LinkState) -> None:
    """Schedules a check for when the state expires."""
    queues.follow_up(LinkStartCheck(link_state=state.fingerprint), CHECK_DELAY_SECONDS)


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Reports the start whose check was lost. Raises `ConditionFailed` if something has just changed."""
    state = LinkState.model_validate(item)
    if state.used or state.reported:
        return NOTHING_LEFT
    with suppress(NotFound):  # the company was deleted
        check(ports, now, LinkStartCheck(link_state=state.fingerprint))
    return Look(rung=True)


def check(ports: Ports, now: datetime, check: LinkStartCheck) -> None:
    """Reports the start if it has expired without an answer. Raises `ConditionFailed` if something has just changed."""
    state = link_state_items.find_state_by_fingerprint(ports.store, check.link_state)
    if state is None or state.used or state.reported:
        return
    if now < state.expires:
        ports.queues.follow_up(check, max(1, int((state.expires - now).total_seconds()) + 1))
        return
    connection = company_items.find_connection(ports.store, state.company_id, state.connection_id)
    started = state.expires - LINK_STATE_LIFETIME
    if connection is None or (connection.linked_on is not None and connection.linked_on >= started):
        return  # deleted, or the customer came back by another start
    company, settings = company_items.company(ports.store, state.company_id), settings_items.settings(ports.store)
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
    linked_count, limit = connection_limit.linked_count(ports.store), limit_of(settings)
    event = company_events.authorization_unanswered(ports, connection, company, started, linked_count, limit, now)
    ports.store.commit(link_state_items.mark_state_reported(state), *writes, put_event(event))
