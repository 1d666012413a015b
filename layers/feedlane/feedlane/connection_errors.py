"""What stops a connection now: what is written on it, and what stands elsewhere, as a hold or in the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedlane.connection import MISSING_SCOPE, Connection, ConnectionError
from feedlane.hold import APP, Hold, Scope
from feedlane.reconnection import WITHOUT_BANK_FEEDS, error_of, reason_of
from feedlane.settings import Settings
from feedlane.store.store import Store

# Above this many connections it is cheaper to read the list of all holds than those on each connection.
FEW = 50
Subject = tuple[Scope, str]


def standing_errors(
    store: Store, settings: Settings, connections: Sequence[Connection]
) -> dict[str, list[ConnectionError]]:
    """By connection: the errors that stand beside those written on it."""
    if len(connections) <= FEW:
        wanted = dict.fromkeys(subject for one in connections for subject in _subjects(one))
        holds: Iterable[Hold] = store.holds_on(wanted)
    else:
        holds = store.holds()
    by_subject = {(hold.scope, hold.subject): hold for hold in holds}
    return {one.id: standing(settings, one, by_subject) for one in connections}


def standing(settings: Settings, connection: Connection, holds: dict[Subject, Hold]) -> list[ConnectionError]:
    """Nothing of it concerns a connection that is not linked, or is said on it already."""
    if not connection.is_linked and connection.need is None:
        return []
    said = {error.reason for error in connection.errors if error.resolved_on is None}
    found = []
    for subject in _subjects(connection):
        hold = holds.get(subject)
        if hold is None:
            continue
        reason = reason_of(hold.problem) if hold.scope is Scope.CONNECTION else hold.reason
        if reason not in said:
            found.append(error_of(hold.problem, hold.since).but(reason=reason, error_message=hold.problem.title))
            said.add(reason)
    if settings.bank_feeds and connection.is_linked and connection.lacks_bank_feeds and MISSING_SCOPE not in said:
        found.append(error_of(WITHOUT_BANK_FEEDS, connection.linked_on or connection.created))
    return found


def _subjects(connection: Connection) -> list[Subject]:
    """What can hold all of its feeds."""
    tenant = [(Scope.TENANT, connection.tenant.id)] if connection.tenant else []
    return [(Scope.APP, APP), *tenant, (Scope.CONNECTION, connection.id)]
