"""What the daily round finds out about connections through Codat: it asks Codat for each of them."""

from __future__ import annotations

from collections.abc import Callable

from feedlane.companies.connection import Connection
from feedlane.companies.hosted_link import HostedLink
from feedlane.companies.organisations import ListedOrganisation
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.link.recovery import TokenSetAccess
from feedlane.problem import Problem


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
