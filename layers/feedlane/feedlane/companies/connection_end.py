"""A connection that ended on the other side, or lacks what its customer must give: shown why, and told of once."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import ACCESS_REFUSED, MISSING_SCOPE, Connection, ConnectionStatus
from feedlane.companies.connection_limit import unlink_count_writes
from feedlane.companies.reconnection import fault_of, reason_of
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store.table import Write


def deauthorized(connection: Connection, problem: Problem, now: datetime) -> Connection:
    return connection.failed(fault_of(problem, now)).but(status=ConnectionStatus.DEAUTHORIZED)


def disconnection_writes(
    ports: Ports, connection: Connection | None, problem: Problem, company: Company, now: datetime
) -> list[Write]:
    """The writes that mark a linked connection as ended, with its event; none if it is not linked.

    One that only lacks a scope, or that is refused without a reason, stays linked: its organisation is still connected
    at Xero as far as anybody knows, and counts.
    """
    if connection is None or connection.status is not ConnectionStatus.LINKED:
        return []
    if reason_of(problem) in {MISSING_SCOPE, ACCESS_REFUSED}:
        return reconnection_needed_writes(ports, connection, problem, company, now)
    ended = deauthorized(connection, problem, now)
    told = company_events.connection_disconnected(ports, ended, company, now)
    return [company_items.put_connection(ended), *unlink_count_writes(connection), put_event(told)]


def reconnection_needed_writes(
    ports: Ports, connection: Connection, problem: Problem, company: Company, now: datetime
) -> list[Write]:
    """The writes that show it on a connection that stays linked, with its event; none if it is shown already."""
    if connection.reconnection_fault is not None:
        return []
    needy = connection.failed(fault_of(problem, now))
    told = company_events.connection_needs_reconnection(ports, needy, company, now)
    return [company_items.put_connection(needy), put_event(told)]
