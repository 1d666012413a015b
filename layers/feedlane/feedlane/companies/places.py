"""Places at Xero that no linked connection here accounts for: Xero counts an organisation until its connection is gone.

Such are an ended connection, the organisations of a choice that is still open, and what could not be removed after a
consent that came to nothing. Of demo companies there is no record: they do not count.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from feedlane.companies.connection import Connection
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Delete, Index, Put


class Place(Record):
    """`look`: when to remove it at Xero, unless it is linked by then. None: while its connection here waits for that.

    `token_set_id` is of the user whose connection it is.
    """

    tenant_id: str
    xero_connection_id: str
    token_set_id: str
    since: datetime
    look: datetime | None = None


def put_place(place: Place) -> Put:
    due = due_keys(Kind.PLACE, place.tenant_id, place.look)
    key = keys.place(place.tenant_id)
    return Put(item_of(key, place, gsi1pk=keys.PLACES, gsi1sk=place.tenant_id, **due))


def left_by(connection: Connection, now: datetime, look: datetime | None = None) -> list[Put]:
    """The write that keeps the place of a connection that has ended here and, as far as is known, not at Xero."""
    tenant = connection.tenant
    if tenant is None or tenant.demo or not connection.is_direct:
        return []
    place = Place(
        tenant_id=tenant.id,
        xero_connection_id=tenant.xero_connection_id,
        token_set_id=connection.token_set_id or "",
        since=now,
        look=look,
    )
    return [put_place(place)]


def free_place(tenant_id: str) -> Delete:
    """The organisation is linked here, or its connection at Xero is gone."""
    return Delete(keys.place(tenant_id))


def find_place(store: Store, tenant_id: str) -> Place | None:
    return record_in(Place, store.table.get(keys.place(tenant_id)))


def count_places(store: Store, besides: str = "", most: int | None = None) -> int:
    """How many there are besides that organisation's own, at most `most`. The list is slightly behind the table."""
    items = store.table.query(keys.PLACES, index=Index.LISTS)
    return sum(1 for _ in islice((item for item in items if item["tenant_id"] != besides), most))
