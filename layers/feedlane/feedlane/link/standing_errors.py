"""Errors that stop a connection now but are not recorded on it: holds, and a missing scope."""

from __future__ import annotations

from collections.abc import Sequence

from feedlane.companies.connection import MISSING_SCOPE, Connection, ConnectionFault
from feedlane.companies.reconnection import BANK_FEEDS_SCOPE_MISSING, fault_of, reason_of
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.settings.settings import Settings
from feedlane.store.store import Store

Subject = tuple[Scope, str]


def standing_errors(
    store: Store, settings: Settings, connections: Sequence[Connection]
) -> dict[str, list[ConnectionFault]]:
    """By connection id: the errors that stand besides those recorded on the connection."""
    subjects = dict.fromkeys(subject for connection in connections for subject in _hold_subjects(connection))
    holds = hold_items.holds_on(store, subjects)
    by_subject = {(hold.scope, hold.subject): hold for hold in holds}
    return {connection.id: standing_errors_of(settings, connection, by_subject) for connection in connections}


def standing_errors_of(settings: Settings, connection: Connection, holds: dict[Subject, Hold]) -> list[ConnectionFault]:
    """None for a connection that is not linked; no reason that the connection already has."""
    if not connection.is_linked and connection.reconnection_fault is None:
        return []
    reasons = {error.reason for error in connection.errors if error.resolved_on is None}
    standing = []
    for subject in _hold_subjects(connection):
        hold = holds.get(subject)
        if hold is None:
            continue
        reason = reason_of(hold.problem) if hold.scope is Scope.CONNECTION else hold.reason
        if reason not in reasons:
            standing.append(fault_of(hold.problem, hold.since).but(reason=reason, error_message=hold.problem.title))
            reasons.add(reason)
    if settings.bank_feeds and connection.is_linked and connection.lacks_bank_feeds and MISSING_SCOPE not in reasons:
        standing.append(fault_of(BANK_FEEDS_SCOPE_MISSING, connection.linked_on or connection.created))
    return standing


def _hold_subjects(connection: Connection) -> list[Subject]:
    """The subjects of holds that stop all of its feeds."""
    tenant = [(Scope.TENANT, connection.tenant.id)] if connection.tenant else []
    return [(Scope.APP, connection.app_subject), *tenant, (Scope.CONNECTION, connection.id)]
