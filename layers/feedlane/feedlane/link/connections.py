"""What a platform does with a company's connections: creates, unlinks and deletes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from feedlane.companies import connection_limit, places
from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import CONNECTIONS_MAX
from feedlane.companies.connection import PLATFORM_KEY, Connection, ConnectionStatus
from feedlane.credentials import grants
from feedlane.errors import AppKeysRejected, Conflict, Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.feeds.upstream import Upstream
from feedlane.holds import items as hold_items
from feedlane.mapping import unmapping
from feedlane.ports import Ports
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import Delete, Write

# Ends one connection at Xero and leaves the user's other organisations connected. Raises `Unavailable`,
# `AppKeysRejected`, or `ReconnectionNeeded` (the token set is dead: whether Xero keeps the connection is not known).
Disconnect = Callable[[Connection], None]


def create(ports: Ports, now: datetime, company_id: str, platform_key: str) -> Connection:
    """Raises `Invalid` (another platform, or one connection too many), `NotFound`."""
    company_items.company(ports.store, company_id)
    if platform_key != PLATFORM_KEY:
        raise Invalid.field("platformKey", f"must be {PLATFORM_KEY} (Xero): no other platform is supported", "Platform")
    id, default = ports.new_id(), settings_items.settings(ports.store).upstream
    for attempt in attempts(f"company {company_id}"):
        company = company_items.company(ports.store, company_id)
        connection = Connection(id=id, company_id=company_id, upstream=company.upstream or default, created=now)
        if len(company.connection_ids) >= CONNECTIONS_MAX:
            raise Invalid(f"A company has at most {CONNECTIONS_MAX} connections: delete one that is not needed.")
        event = company_events.connection_created(ports, connection, company, now)
        with_it = company.but(connection_ids=(*company.connection_ids, connection.id))
        with attempt:  # another may be created at the same time
            ports.store.commit(
                company_items.add_connection(connection), company_items.put_company(with_it), put_event(event)
            )
    return connection


def unlink(ports: Ports, disconnect: Disconnect, now: datetime, company_id: str, connection_id: str) -> Connection:
    """Ends the connection at Xero, then here, unless it is already unlinked. Raises `Invalid`, `Unavailable`.

    One that has ended gives up its organisation, so that another company may link it.
    """
    company = company_items.company(ports.store, company_id)
    before = company_items.connection(ports.store, company_id, connection_id)
    if before.status is ConnectionStatus.UNLINKED:
        return before
    if before.status is ConnectionStatus.PENDING_AUTH and before.linked_on is None:
        raise Invalid.field("status", f"only a linked connection can be unlinked; this one is {before.status}")
    if before.is_stopping:
        raise Conflict("The upstream of the connection is being changed: unlink it after that, or cancel the change.")
    kept = end_access(ports.store, disconnect, before, now)
    for attempt in attempts(f"connection {connection_id}"):
        # Codat tells of the end at once: then the connection has ended here meanwhile, with its event.
        connection = _still_ended(ports.store, before)
        unlinked = connection.but(status=ConnectionStatus.UNLINKED, change=None)
        event = put_event(company_events.connection_disconnected(ports, unlinked, company, now))
        events = [event] if connection.status is before.status else []
        with attempt:
            ports.store.commit(company_items.put_connection(unlinked), *events, *unlink_writes(connection, now), *kept)
    return unlinked


def delete(
    ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime, company_id: str, connection_id: str
) -> None:
    """Deletes the source accounts with their feeds, then the connection at Xero, then here. A repeat continues."""
    company = company_items.company(ports.store, company_id)
    before = company_items.connection(ports.store, company_id, connection_id)
    for account in company_items.source_accounts(ports.store, connection_id):
        unmapping.remove_account(ports, upstream, now, before, account)
    kept = end_access(ports.store, disconnect, before, now)
    event = put_event(company_events.connection_deleted(ports, before, company, now))
    for attempt in attempts(f"company {company_id}"):
        company = company_items.company(ports.store, company_id)
        # Codat tells of the end at once: then the connection has changed meanwhile.
        connection = _still_ended(ports.store, before)
        others = tuple(id for id in company.connection_ids if id != connection_id)
        with attempt:
            ports.store.commit(
                company_items.remove_connection(connection),
                Delete(keys.account_count(connection_id)),
                Delete(keys.connected_count(connection_id)),
                company_items.put_company(company.but(connection_ids=others)),
                event,
                *unlink_writes(connection, now),
                *kept,
                *hold_items.remove_any_hold(ports.store, Scope.CONNECTION, connection.id),
                Delete(keys.held_feeds(connection_id)),
            )


def delete_company(ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime, company_id: str) -> None:
    """Deletes the company with all its connections; each ends at Xero first. Raises `Unavailable` if one cannot."""
    company_items.company(ports.store, company_id)
    for attempt in attempts(f"company {company_id}"):
        for connection in company_items.connections(ports.store, company_id):
            delete(ports, upstream, disconnect, now, company_id, connection.id)
        company = company_items.company(ports.store, company_id)
        event = company_events.company_deleted(ports, company, now)
        with attempt:  # fails if a connection is created: it is deleted too
            ports.store.commit(*company_items.remove_counted_company(company), put_event(event))


def _still_ended(store: Store, before: Connection) -> Connection:
    """The connection as it is now, after its access has ended. Raises `Conflict` if it has got another since."""
    connection = company_items.connection(store, before.company_id, before.id)
    if (connection.linked_on, connection.change) != (before.linked_on, before.change):
        raise Conflict("The connection has just been linked again, or its upstream is being changed; try again.")
    return connection


def linked_connection_ids(store: Store, tenant_id: str) -> list[str]:
    """The connections that are linked to the Xero organisation."""
    prefix = "LINKED#"
    return [item["sk"].removeprefix(prefix) for item in store.table.query(keys.tenant(tenant_id), prefix=prefix)]


def end_access(store: Store, disconnect: Disconnect, connection: Connection, now: datetime) -> list[Write]:
    """Ends it at Xero, or at Codat. The writes that say what became of its place at Xero.

    Xero has one connection per organisation: it stays while another of ours uses it. One that has ended here, or whose
    grant has, is not waited for: it keeps its place until it is removed.
    """
    tenant = connection.tenant
    if tenant is None or connection.status is ConnectionStatus.UNLINKED:
        return []
    if set(linked_connection_ids(store, tenant.id)) - {connection.id}:
        return []
    try:
        disconnect(connection)
    except (ReconnectionNeeded, Refused):
        return list(places.left_by(connection, now, look=now))
    except (Unavailable, AppKeysRejected):
        if connection.is_linked:
            raise
        return list(places.left_by(connection, now, look=now))
    return [places.free_place(tenant.id)]


def unlink_writes(connection: Connection, now: datetime) -> list[Write]:
    """Removes it from the linked count, from its organisation's connections and from the users of its token set."""
    writes: list[Write] = connection_limit.unlink_count_writes(connection)
    if connection.tenant is not None:
        writes.append(Delete(keys.tenant_connection(connection.tenant.id, connection.id)))
        if connection.token_set_id is not None and connection.is_direct:
            writes.append(grants.give_up(connection.tenant.id, connection.id, connection.token_set_id, now))
    return writes
