"""The connection limit: how many organisations are linked, counted in the commits that link and unlink them.

Demo companies do not count. The count is exact: it changes in the same commit as the connection's status.
A limit of None is no limit.
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
from feedlane.store.table import Add, ConditionFailed, When, Write


def is_reached(store: Store, limit: int | None) -> bool:
    """Whether no further organisation may be linked. Counts anew before it says so."""
    return limit is not None and linked_count(store) >= limit and recount(store) >= limit


def linked_count(store: Store) -> int:
    item = store.table.get(keys.LINKED_COUNT)
    return int(item["count"]) if item else 0


def link_count_writes(limit: int | None, before: Connection, demo: bool) -> list[Write]:
    """The write that counts a connection which is linked now; fails if the limit is reached."""
    if before.is_linked or demo:
        return []
    return [Add(keys.LINKED_COUNT, "count", 1, set=_change_mark("+", before), below=limit)]


def unlink_count_writes(before: Connection) -> list[Write]:
    """The write that counts a connection no longer, for the commit that ends its being linked."""
    if not before.is_linked or before.tenant is None or before.tenant.demo:
        return []
    return [Add(keys.LINKED_COUNT, "count", -1, set=_change_mark("-", before))]


def recount(store: Store) -> int:
    """Counts the linked connections and corrects the count. Somebody linking meanwhile wins: their count stays."""
    there = store.table.get(keys.LINKED_COUNT)
    listed = store.table.query(keys.CONNECTIONS, index=True)
    # The list is behind the table by a moment: what it names is read again, for certain.
    found = store.table.get_many((item["pk"], item["sk"]) for item in listed)
    connections = [Connection.model_validate(item) for item in found.values()]
    truth = sum(one.is_linked and one.tenant is not None and not one.tenant.demo for one in connections)
    before = int(there["count"]) if there else 0
    if truth == before:
        return truth
    unchanged = When(absent=True) if there is None else When(equal={"mark": there["mark"], "count": before})
    mark = f"={before}>{truth}#{there['mark'] if there else ''}"[:200]
    changed = {"mark": mark, "reported": 0}
    try:
        store.commit(Add(keys.LINKED_COUNT, "count", truth - before, set=changed, when=unchanged))
    except ConditionFailed:
        return linked_count(store)
    return truth


def report_reached(ports: Ports, limit: int | None, now: datetime) -> None:
    """One event for each time that the limit is reached, however many customers meet it."""
    there = ports.store.table.get(keys.LINKED_COUNT)
    if limit is None or there is None or there["reported"] == limit:
        return
    event = company_events.connection_limit_reached(ports, limit, int(there["count"]), now)
    unchanged = When(equal={"mark": there["mark"], "reported": there["reported"]})
    # Otherwise somebody else has reported it, or the count has changed: then whoever meets the limit next does.
    with suppress(ConditionFailed):
        ports.store.commit(
            Add(keys.LINKED_COUNT, "count", 0, set={"reported": limit}, when=unchanged), put_event(event)
        )


def _change_mark(sign: str, connection: Connection) -> dict[str, Any]:
    """Another one with every change of the count, so that a recount and a report know whether they are still true."""
    return {"mark": f"{sign}{connection.id}#{connection.version}", "reported": 0}
