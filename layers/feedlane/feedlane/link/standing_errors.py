"""What stops a connection now: what is written on it, and what stands elsewhere, as a hold or in the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedlane.companies.connection import MISSING_SCOPE, Connection, ConnectionFault
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, fault_of, reason_of
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings.settings import Settings
from feedlane.store.store import Store

# Above this many connections it is cheaper to read the list of all holds than those on each connection.
CONNECTIONS_READ_SINGLY_MAX = 50
Subject = tuple[Scope, str]


def standing_errors(
    store: Store, settings: Settings, connections: Sequence[Connection]
) -> dict[str, list[ConnectionFault]]:
    """By connection: the errors that stand beside those written on it."""
    if len(connections) <= CONNECTIONS_READ_SINGLY_MAX:
        wanted = dict.fromkeys(subject for one in connections for subject in _hold_subjects(one))
        holds: Iterable[Hold] = hold_items.holds_on(store, wanted)
    else:
        holds = hold_items.holds(store)
    by_subject = {(hold.scope, hold.subject): hold for hold in holds}
    return {one.id: standing_errors_of(settings, one, by_subject) for one in connections}


def standing_errors_of(settings: Settings, connection: Connection, holds: dict[Subject, Hold]) -> list[ConnectionFault]:
    """Nothing of it concerns a connection that is not linked, or is said on it already."""
    if not connection.is_linked and connection.reconnection_fault is None:
        return []
    said = {error.reason for error in connection.errors if error.resolved_on is None}
    found = []
    for subject in _hold_subjects(connection):
        hold = holds.get(subject)
        if hold is None:
            continue
        reason = reason_of(hold.problem) if hold.scope is Scope.CONNECTION else hold.reason
        if reason not in said:
            found.append(fault_of(hold.problem, hold.since).but(reason=reason, error_message=hold.problem.title))
            said.add(reason)
    if settings.bank_feeds and connection.is_linked and connection.lacks_bank_feeds and MISSING_SCOPE not in said:
        found.append(fault_of(BANK_FEEDS_SCOPE_MISSING, connection.linked_on or connection.created))
    return found


def _hold_subjects(connection: Connection) -> list[Subject]:
    """What can hold all of its feeds."""
    tenant = [(Scope.TENANT, connection.tenant.id)] if connection.tenant else []
    return [(Scope.APP, APP_SUBJECT), *tenant, (Scope.CONNECTION, connection.id)]
