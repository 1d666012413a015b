"""Mappings that come and go at Codat itself: adopted here as they are there, or ended with their connection."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import AppKeysRejected, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import Upstream
from feedlane.ids import account_token
from feedlane.mapping import ended, mapping
from feedlane.ports import Ports
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed


def replaced(store: Store, connection: Connection) -> list[SourceAccount]:
    """The accounts mapped at a connection that was deleted at Codat, while the customer has linked another one here."""
    tenant = connection.tenant
    if connection.is_direct or not connection.is_linked or tenant is None:
        return []
    # The id of a feed connection begins with that of the connection there (`codat_upstream/push_json.py`).
    prefix = f"{tenant.xero_connection_id}/"
    accounts = company_items.source_accounts(store, connection.id)
    ids = [(one, one.mapping.feed_connection_id if one.mapping else "") for one in accounts]
    return [one for one, id in ids if id and not id.startswith(prefix)]


def end_replaced(ports: Ports, now: datetime, connection: Connection) -> None:
    """Ends these mappings: they went with that connection, and nothing can be pushed to them.

    Each account has to be mapped again. May be repeated.
    """
    for account in replaced(ports.store, connection):
        ended.record_ended(ports, connection, account, now)


def adopt_mapped(ports: Ports, upstream: Upstream, now: datetime, connection: Connection) -> int:
    """Maps each account that the upstream feeds already, to the same target. Returns how many.

    Nobody waits for it: what cannot be adopted now is adopted by the next call, or mapped by hand.
    """
    if connection.is_direct or not connection.is_linked:
        return 0
    accounts = [one for one in company_items.source_accounts(ports.store, connection.id) if one.mapping is None]
    adopted = 0
    # One that was disconnected here has to be mapped by hand: the upstream may only be behind.
    waiting = [one for one in accounts if one.mapped_on is None and one.wanted is None]
    if not waiting:
        return 0
    with suppress(Refused, ReconnectionNeeded, Unavailable, AppKeysRejected, Invalid):
        listed = {one.account_token: one for one in upstream.feed_connections(mapping.access_to(connection))}
        for account in waiting:
            there = listed.get(account_token(connection.id, account.id))
            if there is None or there.rejection is not None:
                continue
            with suppress(ConditionFailed, Invalid):
                mapping.map_account(ports, upstream, now, connection, account, there.account_id)
                adopted += 1
    return adopted
