"""Token sets whose last refresh has no known outcome (yet). The vault keeps this list, with their leases."""

from __future__ import annotations

from datetime import datetime

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Index


def in_doubt_since(store: Store, moment: datetime, limit: int) -> list[str]:
    """The ids of token sets in doubt since `moment` or longer, the oldest first."""
    items = store.table.query(keys.REFRESHES, end=iso(moment), limit=limit, index=Index.LISTS)
    return [item["gsi1sk"].partition("#")[2] for item in items]


def unrenewed(store: Store, now: datetime, limit: int) -> list[str]:
    """The ids of token sets whose last refresh has failed, or is without a known outcome, and that nobody refreshes at
    this moment; the longest untried first, of the first `limit` that are listed."""
    items = store.table.query(keys.REFRESHES, limit=limit, index=Index.LISTS)
    return [item["gsi1sk"].partition("#")[2] for item in items if item.get("until", 0) <= now.timestamp() * 1000]


def is_in_doubt(store: Store, token_set_id: str) -> bool:
    return "gsi1pk" in (store.table.get(keys.lease(token_set_id)) or {})
