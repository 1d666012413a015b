"""A connection that ended on the other side: shown as Deauthorized with the reason, and told of once."""

from __future__ import annotations

from datetime import datetime

from feedlane import event_payloads
from feedlane.company import Company
from feedlane.connection import Connection, ConnectionError, ConnectionStatus
from feedlane.connection_limit import give_back
from feedlane.ids import NewId
from feedlane.problem import Problem
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Write

TOLD_TO_CUSTOMERS = "The integration de-authorized access to the connection."


def deauthorized(connection: Connection, problem: Problem, now: datetime) -> Connection:
    error = ConnectionError(
        status_code=str(problem.status),
        status_text=problem.detail or problem.title,
        error_message=TOLD_TO_CUSTOMERS,
        errored_on=now,
    )
    return connection.failed(error).but(status=ConnectionStatus.DEAUTHORIZED)


def disconnection(
    store: Store, connection: Connection | None, problem: Problem, company: Company, now: datetime, new_id: NewId
) -> list[Write]:
    """The writes that mark a linked connection as ended, with its event; none if it is not linked."""
    if connection is None or connection.status is not ConnectionStatus.LINKED:
        return []
    ended = deauthorized(connection, problem, now)
    told = event_payloads.connection_disconnected(new_id(), ended, company, now)
    return [store.put_connection(ended), *give_back(connection), emitted(told)]
