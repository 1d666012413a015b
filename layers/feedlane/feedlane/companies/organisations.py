"""Xero organisations as ports: what a consent brought, what a customer has connected, and the end of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from feedlane.companies.connection import Tenant
from feedlane.credentials.vault import Grant
from feedlane.record import Record


class Organisation(Record):
    """One of several organisations that the customer has just authorised."""

    tenant_id: str
    name: str
    xero_connection_id: str


class Organisations(Protocol):
    """What Xero tells of a consent, and the way to undo it."""

    def authorised(self, grant: Grant) -> list[Organisation]:
        """The organisations of this consent, and no others that the user ever connected."""

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant: ...

    def remove(self, token_set_id: str, authentication_event_id: str, gone: Iterable[Organisation]) -> None:
        """Ends these organisations' connections at Xero, unless another consent has renewed them since."""


class ListedOrganisation(Record):
    """One that a user has connected to the app. `id` is that of the connection at Xero, not the tenant's."""

    id: str
    tenant_id: str
    tenant_name: str = ""


class ListedOrganisations(Protocol):
    """All that a user has connected, asked with the user's token.

    Both raise `ReconnectionNeeded`, `Refused`, `Unavailable`.
    """

    def list_connections(self, access_token: str) -> Sequence[ListedOrganisation]:
        """An empty list with a token that works means that everything was disconnected at Xero."""

    def delete(self, access_token: str, xero_connection_id: str) -> None:
        """Ends this one connection at Xero. One that is gone is no error."""
