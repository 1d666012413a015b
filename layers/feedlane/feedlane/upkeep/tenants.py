"""What Xero says of an organisation, kept fresh: its name, its plan, its currencies, and the time zone of its days."""

from __future__ import annotations

from collections.abc import Callable

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, Tenant
from feedlane.companies.organisations import ListedOrganisation, Organisation
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.follow_ups import RecoveryCheck
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.store.due import next_look
from feedlane.store.table import ConditionFailed

# `Organisations.details`: by the id of a token set.
Details = Callable[[str, Organisation], Tenant]


def refresh_tenant(ports: Ports, details: Details, connection: Connection, listed: ListedOrganisation) -> bool:
    """Stores what Xero says of a linked connection's organisation. False if that has to be asked again.

    Without an answer, at least its name and Xero's id of the connection are fresh: they are in the list.
    """
    before = connection.tenant
    if before is None or not connection.is_linked:
        return True
    is_known, fresh = True, before
    organisation = Organisation(tenant_id=before.id, name=listed.tenant_name, xero_connection_id=listed.id)
    try:
        fresh = details(connection.token_set_id or "", organisation)
    except Unavailable:
        is_known = False
    except (Refused, ReconnectionNeeded, AppKeysRejected):
        pass  # whoever sends a statement finds out, and holds it
    return _store(ports, connection, _merge(before, fresh, listed)) and is_known


def _merge(before: Tenant, fresh: Tenant, listed: ListedOrganisation) -> Tenant:
    """`demo` stays: the connection is counted by it. So do currencies that Xero does not tell this time."""
    name = listed.tenant_name if fresh is before else fresh.name
    known = {} if fresh.currencies else {"currencies": before.currencies, "multicurrency": before.multicurrency}
    return fresh.but(name=name or before.name, xero_connection_id=listed.id, demo=before.demo, **known)


def _store(ports: Ports, connection: Connection, tenant: Tenant) -> bool:
    """False if the connection has just changed."""
    before = connection.tenant
    if tenant == before:
        return True
    changed = connection.but(tenant=tenant)
    if before is None or tenant.time_zone != before.time_zone:
        # Its feeds count days in it too: they are updated as after a reconnection.
        changed = changed.but(look=next_look(ports.clock()))
        check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
        ports.queues.follow_up(check, SAFETY_DELAY_SECONDS)
    try:
        ports.store.commit(company_items.put_connection(changed))
    except ConditionFailed:
        return False
    return True
