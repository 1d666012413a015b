"""Ends one connection at Xero with its user's token, and believes that it has ended only on Xero's word."""

from __future__ import annotations

from collections.abc import Callable

from feedlane.companies.connection import Connection
from feedlane.companies.hosted_link import HostedLink
from feedlane.companies.organisations import ListedOrganisations
from feedlane.credentials.vault import Vault
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.ids import fingerprint

# The token that the vault has, a newer or refreshed one, and the one after it.
_TOKENS_MAX = 3
_RETRY_AFTER_SECONDS = 60


def disconnect(
    connection: Connection,
    vault: Callable[[], Vault],
    xero: Callable[[], ListedOrganisations],
    hosted: Callable[[], HostedLink],
) -> None:
    """Ends the connection at its upstream. The parts are made when they are needed. Raises what `end_connection` does,
    and `Refused`."""
    if not connection.is_direct:
        if connection.hosted is not None:
            hosted().disconnect(connection.hosted)
    elif connection.tenant is not None and connection.token_set_id is not None:
        end_connection(vault(), xero(), connection.token_set_id, connection.tenant.xero_connection_id)


def end_connection(vault: Vault, xero: ListedOrganisations, token_set_id: str, xero_connection_id: str) -> None:
    """Returns once Xero no longer has the connection. It leaves the user's other organisations connected.

    Raises `ReconnectionNeeded` if the grant has ended, so that nobody can say whether the connection has too,
    `Unavailable` while Xero keeps it, and `AppKeysRejected`.
    """
    rejected = None
    for _ in range(_TOKENS_MAX):
        token = vault.access_token(token_set_id, rejected)
        try:
            xero.delete(token.value, xero_connection_id)
            return
        except (ReconnectionNeeded, Refused) as error:
            if error.problem.status != 401:
                _require_gone(xero, token.value, xero_connection_id)
                return
        rejected = fingerprint(token.value)
    raise Unavailable("Xero refuses new access tokens", _RETRY_AFTER_SECONDS)


def _require_gone(xero: ListedOrganisations, access_token: str, xero_connection_id: str) -> None:
    """A refusal to end a connection may mean that another user has it now, or none."""
    try:
        listed = {organisation.id for organisation in xero.list_connections(access_token)}
    except (ReconnectionNeeded, Refused):
        raise Unavailable("Xero refuses to list its connections", _RETRY_AFTER_SECONDS) from None
    if xero_connection_id in listed:
        raise Unavailable("Xero refuses to end the connection", _RETRY_AFTER_SECONDS)
