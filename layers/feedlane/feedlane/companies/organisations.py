"""Xero organisations as ports: those of one consent, all that a user has connected, and how to disconnect them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from feedlane.companies.connection import Tenant
from feedlane.credentials.vault import Grant
from feedlane.record import Record

# Of an organisation's name as it is kept: Xero states no limit.
NAME_LENGTH_MAX = 255


class Organisation(Record):
    """One of the organisations that the customer has just authorised."""

    tenant_id: str
    name: str
    xero_connection_id: str
    is_organisation: bool = True
    """False for what cannot have bank feeds, such as an accountant's practice. It has a place at Xero all the same."""


class Organisations(Protocol):
    """The organisations of a consent at Xero, and how to undo it."""

    def authorised_in(self, grant: Grant) -> list[Organisation]:
        """All that this consent has connected, without what the user has connected before.

        Raises `ReconnectionNeeded`, `Refused`, `Unavailable`.
        """

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant:
        """What Xero says of the organisation now. Raises `Refused`, `Unavailable`, `ReconnectionNeeded`."""

    def remove(self, token_set_id: str, authentication_event_id: str, organisations: Iterable[Organisation]) -> None:
        """Disconnects these organisations at Xero, unless a later consent has renewed them.

        Raises `Unavailable` also if it is not known to which consent they belong.
        """


class ListedOrganisation(Record):
    """An organisation that a user has connected to the app. `id` is Xero's id of the connection, not the tenant's."""

    id: str
    tenant_id: str
    tenant_name: str = ""


class ListedOrganisations(Protocol):
    """All organisations that a user has connected, by the user's access token.

    Both methods raise `ReconnectionNeeded`, `Refused`, `Unavailable`.
    """

    def list_connections(self, access_token: str) -> Sequence[ListedOrganisation]:
        """Empty if the token works but everything was disconnected at Xero."""

    def delete(self, access_token: str, xero_connection_id: str) -> None:
        """Ends one connection at Xero. If it is gone already, that is no error."""
