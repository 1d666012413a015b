"""Marks a connection that ended at Xero, or that needs its customer, with the reason and one event."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.company import Company
from feedlane.companies.connection import ACCESS_REFUSED, MISSING_SCOPE, Connection, ConnectionStatus
from feedlane.companies.connection_limit import unlink_count_writes
from feedlane.companies.reconnection import CONNECTION_REMOVED, fault_of, reason_of
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store.table import Write


def disconnection_writes(
    ports: Ports, connection: Connection | None, problem: Problem, company: Company, now: datetime
) -> list[Write]:
    """The writes that mark a linked connection as ended, with its event; none if it is not linked.

    A connection that only lacks a scope, or is refused without a reason, stays linked: as far as is known, its
    organisation is still connected at Xero, and counts towards the limit. So does that of one that has ended, unless
    Xero has removed it.
    """
    if connection is None or connection.status is not ConnectionStatus.LINKED:
        return []
    if reason_of(problem) in {MISSING_SCOPE, ACCESS_REFUSED}:
        return reconnection_needed_writes(ports, connection, problem, company, now)
    ended = connection.with_fault(fault_of(problem, now)).but(status=ConnectionStatus.DEAUTHORIZED)
    event = company_events.connection_disconnected(ports, ended, company, now)
    is_gone = problem.type == CONNECTION_REMOVED.type
    kept = [] if is_gone else places.left_by(connection, now)
    return [company_items.put_connection(ended), *unlink_count_writes(connection), *kept, put_event(event)]


def reconnection_needed_writes(
    ports: Ports, connection: Connection, problem: Problem, company: Company, now: datetime
) -> list[Write]:
    """The writes that add the fault to a linked connection, with its event; none if it needs its customer already."""
    if connection.reconnection_fault is not None:
        return []
    faulty = connection.with_fault(fault_of(problem, now))
    event = company_events.connection_needs_reconnection(ports, faulty, company, now)
    return [company_items.put_connection(faulty), put_event(event)]
