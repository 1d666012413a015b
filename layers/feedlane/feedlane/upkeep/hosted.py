"""What Codat says of a connection that goes through it: has it ended there, does it work again?

The daily round asks for each of them, and a webhook of Codat's has it asked at once.
"""

from __future__ import annotations

from collections.abc import Callable

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.hosted_link import HostedLink
from feedlane.companies.organisations import ListedOrganisation
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.link import recovery
from feedlane.link.recovery import TokenSetAccess
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store.table import ConditionFailed

# What Codat says of a connection; None if it does not say.
AtCodat = Callable[[Connection], TokenSetAccess | Problem | None]


def check(ports: Ports, at_codat: AtCodat, connection: Connection) -> tuple[bool, int]:
    """Whether Codat has said anything, and how many connections ended. Applies what it says."""
    access = at_codat(connection)
    if isinstance(access, Problem):
        return True, _end(ports, connection, access)
    if access is not None:
        recovery.apply_listing(ports, ports.clock(), connection, access.scopes)
    return access is not None, 0


def _end(ports: Ports, connection: Connection, problem: Problem) -> int:
    company = company_items.find_company(ports.store, connection.company_id)
    if company is None:
        return 0  # just deleted, with its connections
    writes = disconnection_writes(ports, connection, problem, company, ports.clock())
    try:
        if writes:
            ports.store.commit(*writes)
    except ConditionFailed:
        return 0  # it has just been reconnected or unlinked
    return 1 if writes else 0


def access_at_codat(link: Callable[[], HostedLink], connection: Connection) -> TokenSetAccess | Problem | None:
    """What the connection gives access to, or why it has ended; None if Codat does not say.

    A refusal of Codat's is about its key or its plan: it is no end of a connection.
    """
    if connection.hosted is None:
        return None
    try:
        tenant = link().linked_tenant(connection.hosted)
    except (AppKeysRejected, ReconnectionNeeded, Refused, Unavailable):
        return None
    if tenant is None:
        return CONNECTION_REMOVED
    listed = ListedOrganisation(id=tenant.xero_connection_id, tenant_id=tenant.id, tenant_name=tenant.name)
    return TokenSetAccess({tenant.id: listed})
