"""Starts of Link that Xero never answered: found when their time is over, reported once, worded as what is known.

Xero's own page at the app's connection limit calls nobody back; a customer who closes the window does not either.
"""

from __future__ import annotations

from datetime import datetime

from feedlane import connection_limit, event_payloads
from feedlane.connection import ConnectionError
from feedlane.follow_ups import LinkStartCheck
from feedlane.ids import NewId
from feedlane.link_state import LIFETIME, LinkState
from feedlane.queues import Queues
from feedlane.settings import limit_of
from feedlane.store import link_states
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Write

REASON = "start-unanswered"
TOLD_TO_CUSTOMERS = "Authorization not completed"
# A second more than a state lives: then it is over for certain.
LOOK_AFTER = int(LIFETIME.total_seconds()) + 1


def watch(queues: Queues, state: LinkState) -> None:
    """Has somebody look when the state's time is over."""
    queues.follow_up(LinkStartCheck(link_state=state.fingerprint), LOOK_AFTER)


def look(store: Store, queues: Queues, now: datetime, new_id: NewId, check: LinkStartCheck) -> None:
    """Reports the start if it is over and nobody came back. Raises `ConditionFailed` if something changed just now."""
    state = link_states.state_of(store, check.link_state)
    if state is None or state.used or state.reported:
        return
    if now < state.expires:
        queues.follow_up(check, max(1, int((state.expires - now).total_seconds()) + 1))
        return
    connection = store.find_connection(state.company_id, state.connection_id)
    started = state.expires - LIFETIME
    if connection is None or (connection.linked_on is not None and connection.linked_on >= started):
        return  # deleted, or the customer came back by another start
    company, settings = store.company(state.company_id), store.settings()
    writes: list[Write] = []
    if not connection.is_linked:
        error = ConnectionError(
            status_code="408",
            status_text=event_payloads.UNANSWERED,
            error_message=TOLD_TO_CUSTOMERS,
            errored_on=now,
            reason=REASON,
        )
        connection = connection.failed(error)
        writes.append(store.put_connection(connection))
    event = event_payloads.authorization_unanswered(
        new_id(),
        connection,
        company,
        started,
        connection_limit.counted(store),
        limit_of(settings),
        now,
    )
    store.commit(link_states.report_state(state), *writes, emitted(event))
