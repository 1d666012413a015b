"""Starts of Link that Xero never answered: found when their time is over, reported once, worded as what is known.

Xero's own page at the app's connection limit calls nobody back; a customer who closes the window does not either.
"""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import connection_limit
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionFault
from feedlane.events.outbox import put_event
from feedlane.follow_ups import LinkStartCheck
from feedlane.link import state_items as link_state_items
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.ports import Ports
from feedlane.queues import Queues
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.store.table import Write

REASON = "start-unanswered"
CUSTOMER_MESSAGE = "Authorization not completed"
# A second more than a state lives: then it is over for certain.
CHECK_DELAY_SECONDS = int(LINK_STATE_LIFETIME.total_seconds()) + 1


def schedule_check(queues: Queues, state: LinkState) -> None:
    """Has somebody look when the state's time is over."""
    queues.follow_up(LinkStartCheck(link_state=state.fingerprint), CHECK_DELAY_SECONDS)


def check(ports: Ports, now: datetime, check: LinkStartCheck) -> None:
    """Reports the start if it is over and nobody came back. Raises `ConditionFailed` if something changed just now."""
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
        error = ConnectionFault(
            status_code="408",
            status_text=company_events.UNANSWERED_MESSAGE,
            error_message=CUSTOMER_MESSAGE,
            errored_on=now,
            reason=REASON,
        )
        connection = connection.with_fault(error)
        writes.append(company_items.put_connection(connection))
    event = company_events.authorization_unanswered(
        ports,
        connection,
        company,
        started,
        connection_limit.linked_count(ports.store),
        limit_of(settings),
        now,
    )
    ports.store.commit(link_state_items.mark_state_reported(state), *writes, put_event(event))
