"""The connection limit: how many organisations are linked, counted in the commits that link and unlink them.

Demo companies do not count. The count is exact: it changes in the same commit as the connection's status.
A limit of None means no limit.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from feedlane.companies import events as company_events
from feedlane.companies.connection import Connection
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add, ConditionFailed, Index, When, Write


def is_reached(store: Store, limit: int | None) -> bool:
    """Whether no further organisation may be linked. Recounts before it answers True."""
    return limit is not None and linked_count(store) >= limit and recount(store) >= limit


def linked_count(store: Store) -> int:
    item = store.table.get(keys.LINKED_COUNT)
    return int(item["count"]) if item else 0


def link_count_writes(limit: int | None, before: Connection, demo: bool) -> list[Write]:
    """The write that counts a connection when it is linked. It fails if the limit is reached."""
    if before.is_linked or demo:
        return []
    return [Add(keys.LINKED_COUNT, "count", 1, set=_change_mark("+", before), below=limit)]


def unlink_count_writes(before: Connection) -> list[Write]:
    """The write that stops counting a connection, for the commit that unlinks it."""
    if not _counts(before):
        return []
    return [Add(keys.LINKED_COUNT, "count", -1, set=_change_mark("-", before))]


def recount(store: Store) -> int:
    """Counts the linked connections and corrects the count. A count that changes at the same time stays as it is."""
    stored = store.table.get(keys.LINKED_COUNT)
    # The index lags behind the table, so each connection that it lists is read from the table.
    listed = store.table.query(keys.CONNECTIONS, index=Index.LISTS)
    items = store.table.get_many((item["pk"], item["sk"]) for item in listed)
    connections = [Connection.model_validate(item) for item in items.values()]
    before, after = int(stored["count"]) if stored else 0, sum(_counts(connection) for connection in connections)
    if after == before:
        return after
    # Every change of the count leaves another mark (`_change_mark`). So does this one: it adds both counts to the last.
    unchanged = When(absent=True) if stored is None else When(equal={"mark": stored["mark"], "count": before})
    mark = f"={before}>{after}#{stored['mark'] if stored else ''}"[:200]
    corrected = {"mark": mark, "reported": 0}
    try:
        store.commit(Add(keys.LINKED_COUNT, "count", after - before, set=corrected, when=unchanged))
    except ConditionFailed:
        return linked_count(store)
    return after


def report_reached(ports: Ports, limit: int | None, now: datetime) -> None:
    """Writes one event each time the limit is reached, however many customers meet it."""
    stored = ports.store.table.get(keys.LINKED_COUNT)
    if limit is None or stored is None or stored["reported"] == limit:
        return
    event = company_events.connection_limit_reached(ports, limit, int(stored["count"]), now)
    unchanged = When(equal={"mark": stored["mark"], "reported": stored["reported"]})
    # If this fails, it has been reported already, or the count has changed: the next customer at the limit reports it.
    with suppress(ConditionFailed):
        ports.store.commit(
            Add(keys.LINKED_COUNT, "count", 0, set={"reported": limit}, when=unchanged), put_event(event)
        )


def _counts(connection: Connection) -> bool:
    """Whether a connection counts towards the limit."""
    return connection.is_linked and connection.tenant is not None and not connection.tenant.demo


def _change_mark(sign: str, connection: Connection) -> dict[str, Any]:
    """The count's mark differs after every change, so that a recount or a report based on an older count fails."""
    return {"mark": f"{sign}{connection.id}#{connection.version}", "reported": 0}
