"""The connection limit: how many organisations are linked, counted in the commits that link and unlink them.

Demo companies do not count. The count is exact: it changes in the same commit as the connection's status. Xero counts
what is connected there, so the places that no linked connection accounts for (`places`) lower the limit.
A limit of None means no limit.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from feedlane.clock import iso
from feedlane.companies import events as company_events
from feedlane.companies import places
from feedlane.companies.connection import Connection
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add, ConditionFailed, Index, Put, When, Write

# The count changes with the status in one commit, so a recount finds nothing, as a rule. It reads every connection,
# and anybody with a link can ask for one: so it comes no closer than this, and not with more connections.
RECOUNT_EVERY = timedelta(minutes=10)
RECOUNTED_MAX = 5_000


def is_reached(store: Store, limit: int | None, now: datetime, tenant_id: str = "") -> bool:
    """Whether this organisation (or any other) may not be linked. Recounts before it answers True.

    One that has a place at Xero already needs no other.
    """
    free = limit_here(store, limit, tenant_id)
    return free is not None and linked_count(store) >= free and _recount_again(store, now) >= free


def limit_here(store: Store, limit: int | None, tenant_id: str = "") -> int | None:
    """How many organisations may be linked here: Xero's limit, without the places of others that are not."""
    return None if limit is None else max(0, limit - places.count_places(store, tenant_id, limit))


def taken_places(store: Store) -> int:
    """How many organisations Xero counts, as far as is known."""
    return linked_count(store) + places.count_places(store)


def linked_count(store: Store) -> int:
    item = store.table.get(keys.LINKED_COUNT)
    return int(item["count"]) if item else 0


def link_count_writes(limit: int | None, before: Connection, demo: bool) -> list[Write]:
    """The write that counts a connection when it is linked. It fails if the limit (`limit_here`) is reached."""
    if before.is_linked or demo or not before.is_direct:
        return []
    return [Add(keys.LINKED_COUNT, "count", 1, set=_change_mark("+", before), below=limit)]


def unlink_count_writes(before: Connection) -> list[Write]:
    """The write that stops counting a connection, for the commit that unlinks it."""
    if not _counts(before):
        return []
    return [Add(keys.LINKED_COUNT, "count", -1, set=_change_mark("-", before))]


def recount(store: Store) -> int:
    """Counts the linked connections and corrects the count. A count that changes at the same time stays as it is.

    So does that of more than `RECOUNTED_MAX` connections.
    """
    stored = store.table.get(keys.LINKED_COUNT)
    # The index lags behind the table, so each connection that it lists is read from the table.
    listed = list(islice(store.table.query(keys.CONNECTIONS, index=Index.LISTS), RECOUNTED_MAX + 1))
    if len(listed) > RECOUNTED_MAX:
        return linked_count(store)
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
    event = company_events.connection_limit_reached(ports, limit, taken_places(ports.store), now)
    unchanged = When(equal={"mark": stored["mark"], "reported": stored["reported"]})
    # If this fails, it has been reported already, or the count has changed: the next customer at the limit reports it.
    with suppress(ConditionFailed):
        ports.store.commit(
            Add(keys.LINKED_COUNT, "count", 0, set={"reported": limit}, when=unchanged), put_event(event)
        )


def _recount_again(store: Store, now: datetime) -> int:
    """A recount, unless one was begun within the last minutes."""
    begun, stored = iso(now), store.table.get(keys.RECOUNT)
    if stored is not None and iso(now - RECOUNT_EVERY) < stored["begun"] <= begun:
        return linked_count(store)
    unchanged = When(absent=True) if stored is None else When(equal={"begun": stored["begun"]})
    try:
        store.commit(Put({"pk": keys.RECOUNT[0], "sk": keys.RECOUNT[1], "begun": begun}, unchanged))
    except ConditionFailed:
        return linked_count(store)
    return recount(store)


def _counts(connection: Connection) -> bool:
    """Whether a connection counts towards the limit."""
    is_counted = connection.is_direct and connection.is_linked
    return is_counted and connection.tenant is not None and not connection.tenant.demo


def _change_mark(sign: str, connection: Connection) -> dict[str, Any]:
    """The count's mark differs after every change, so that a recount or a report based on an older count fails."""
    return {"mark": f"{sign}{connection.id}#{connection.version}", "reported": 0}
