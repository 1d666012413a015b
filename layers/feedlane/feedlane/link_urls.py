"""Passwords for the link URLs that are handed out, where the settings want them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.connection import Connection
from feedlane.ids import NewId
from feedlane.link_password import issued
from feedlane.store import link_passwords
from feedlane.store.store import Store
from feedlane.store.table import MOST_WRITES


def connection_passwords(
    store: Store, now: datetime, new_secret: NewId, connections: Sequence[Connection]
) -> dict[str, str]:
    """A new password for each connection's link, by the connection's id."""
    clear = {one.id: new_secret() for one in connections}
    writes = [link_passwords.add_password(issued(clear[one.id], one.company_id, one.id, now)) for one in connections]
    for start in range(0, len(writes), MOST_WRITES):
        store.commit(*writes[start : start + MOST_WRITES])
    return clear


def company_password(store: Store, now: datetime, new_secret: NewId, company_id: str) -> str:
    """A new password for the company's own link, which leads to all its connections."""
    clear = new_secret()
    store.commit(link_passwords.add_password(issued(clear, company_id, "", now)))
    return clear
