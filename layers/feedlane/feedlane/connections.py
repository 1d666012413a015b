"""What a platform does with a company's connections: making one, unlinking and deleting it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from feedlane import connection_limit, event_payloads, unmapping
from feedlane.connection import PLATFORM_KEY, Connection, ConnectionStatus
from feedlane.errors import Invalid, ReconnectionNeeded, Refused
from feedlane.hold import Scope
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.store import keys
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Delete, Write
from feedlane.upstream import Upstream

# Ends one connection at Xero; other organisations of the same user are not touched.
# Raises `Unavailable`, `ReconnectionNeeded` (the token set is dead: there is nothing left to end).
Disconnect = Callable[[Connection], None]


def create(store: Store, now: datetime, new_id: NewId, company_id: str, platform_key: str) -> Connection:
    company = store.company(company_id)
    if platform_key != PLATFORM_KEY:
        raise Invalid.field("platformKey", f"must be {PLATFORM_KEY} (Xero): nothing else is served here", "Platform")
    connection = Connection(id=new_id(), company_id=company_id, created=now)
    event = event_payloads.connection_created(new_id(), connection, company, now)
    store.commit(store.add_connection(connection), emitted(event))
    return connection


def unlink(
    store: Store, disconnect: Disconnect, now: datetime, new_id: NewId, company_id: str, connection_id: str
) -> Connection:
    """Ends the connection at Xero, then here. Unlinked already: as it is. Raises `Invalid`, `Unavailable`."""
    company = store.company(company_id)
    connection = store.connection(company_id, connection_id)
    if connection.status is ConnectionStatus.UNLINKED:
        return connection
    if connection.status is not ConnectionStatus.LINKED:
        raise Invalid.field("status", f"only a Linked connection can be unlinked; this one is {connection.status}")
    _end(store, disconnect, connection)
    unlinked = connection.but(status=ConnectionStatus.UNLINKED)
    event = event_payloads.connection_disconnected(new_id(), unlinked, company, now)
    store.commit(store.put_connection(unlinked), emitted(event), *_no_longer_linked(connection))
    return unlinked


def delete(
    store: Store,
    upstream: Upstream,
    queues: Queues,
    disconnect: Disconnect,
    now: datetime,
    new_id: NewId,
    company_id: str,
    connection_id: str,
) -> None:
    """The connection with its source accounts, feeds first, then at Xero, then here: repeating it goes on."""
    company = store.company(company_id)
    connection = store.connection(company_id, connection_id)
    for account in store.source_accounts(connection_id):
        unmapping.remove_account(store, upstream, queues, now, new_id, connection, account)
    if connection.is_linked:
        _end(store, disconnect, connection)
    event = event_payloads.connection_deleted(new_id(), connection, company, now)
    lifted = [store.remove_hold(hold) for hold in store.holds_on([(Scope.CONNECTION, connection.id)])]
    writes = [store.remove_connection(connection), emitted(event), *_no_longer_linked(connection), *lifted]
    store.commit(*writes)


def _end(store: Store, disconnect: Disconnect, connection: Connection) -> None:
    """Xero has one connection for an organisation: it stays while another of ours uses it."""
    tenant = connection.tenant
    if tenant is None or _others(store, connection, tenant.id):
        return
    # Whoever Xero no longer lets in has no connection left to end.
    with suppress(ReconnectionNeeded, Refused):
        disconnect(connection)


def _others(store: Store, connection: Connection, tenant_id: str) -> bool:
    linked = store.table.query(keys.tenant(tenant_id), prefix="LINKED#")
    return any(item["sk"] != f"LINKED#{connection.id}" for item in linked)


def _no_longer_linked(connection: Connection) -> list[Write]:
    """It no longer counts, and no longer is one of its organisation's."""
    links = [Delete(keys.linked(connection.tenant.id, connection.id))] if connection.tenant else []
    return [*links, *connection_limit.give_back(connection)]
