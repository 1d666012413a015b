"""A connection that ended on the other side, or lacks what its customer must give: shown why, and told of once."""

from __future__ import annotations

from datetime import datetime

from feedlane import event_payloads
from feedlane.company import Company
from feedlane.connection import ACCESS_REFUSED, MISSING_SCOPE, Connection, ConnectionStatus
from feedlane.connection_limit import give_back
from feedlane.ids import NewId
from feedlane.problem import Problem
from feedlane.reconnection import error_of, reason_of
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Write


def deauthorized(connection: Connection, problem: Problem, now: datetime) -> Connection:
    return connection.failed(error_of(problem, now)).but(status=ConnectionStatus.DEAUTHORIZED)


def disconnection(
    store: Store, connection: Connection | None, problem: Problem, company: Company, now: datetime, new_id: NewId
) -> list[Write]:
    """The writes that mark a linked connection as ended, with its event; none if it is not linked.

    One that only lacks a scope, or that is refused without a reason, stays linked: its organisation is still connected
    at Xero as far as anybody knows, and counts.
    """
    if connection is None or connection.status is not ConnectionStatus.LINKED:
        return []
    if reason_of(problem) in {MISSING_SCOPE, ACCESS_REFUSED}:
        return reconnection_needed(store, connection, problem, company, now, new_id)
    ended = deauthorized(connection, problem, now)
    told = event_payloads.connection_disconnected(new_id(), ended, company, now)
    return [store.put_connection(ended), *give_back(connection), emitted(told)]


def reconnection_needed(
    store: Store, connection: Connection, problem: Problem, company: Company, now: datetime, new_id: NewId
) -> list[Write]:
    """The writes that show it on a connection that stays linked, with its event; none if it is shown already."""
    if connection.need is not None:
        return []
    needy = connection.failed(error_of(problem, now))
    told = event_payloads.connection_needs_reconnection(new_id(), needy, company, now)
    return [store.put_connection(needy), emitted(told)]
