"""What a customer has mapped on a page of the upstream's own: the mapping is adopted here, as it is there."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.errors import AppKeysRejected, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import Upstream
from feedlane.ids import account_token
from feedlane.mapping import mapping
from feedlane.ports import Ports
from feedlane.store.table import ConditionFailed


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
