"""The organisations of a consent: those just authorised, their details, and their removal."""

from __future__ import annotations

from collections.abc import Iterable

from feedlane.companies.connection import Tenant
from feedlane.companies.organisations import Organisation
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Grant
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import TenantAccess
from feedlane.xero.accounting import Accounting
from feedlane.xero.connections import XeroConnections
from feedlane.xero.tokens import TokenCache


class XeroOrganisations:
    """Implements `Organisations`, the port in `companies/organisations.py`."""

    def __init__(self, connections: XeroConnections, accounting: Accounting, tokens: TokenCache) -> None:
        self._connections = connections
        self._accounting = accounting
        self._tokens = tokens

    def authorised_in(self, grant: Grant) -> list[Organisation]:
        """Without an event id (Xero puts it in the access token), all organisations: the customer then chooses one."""
        token = AccessToken(value=grant.access_token, expires_at=grant.expires_at)
        self._tokens.remember(grant.token_set_id, token)
        event = grant.authentication_event_id or None
        return [
            Organisation(
                tenant_id=item.tenant_id,
                name=item.tenant_name,
                xero_connection_id=item.id,
                is_organisation=item.is_organisation,
            )
            for item in self._connections.list_connections(grant.access_token, event)
        ]

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant:
        access = TenantAccess(tenant_id=organisation.tenant_id, token_set_id=token_set_id)
        details = self._accounting.organisation(access)
        tenant = details.as_tenant(organisation.tenant_id, organisation.xero_connection_id)
        try:
            added = self._accounting.currencies(access)
            multicurrency = self._accounting.allows_multicurrency(access)
        except (Refused, ReconnectionNeeded):
            return tenant  # without them: nothing depends on them
        currencies = tuple(dict.fromkeys((tenant.base_currency, *added)))
        return tenant.but(currencies=currencies, multicurrency=multicurrency or len(currencies) > 1)

    def remove(self, token_set_id: str, authentication_event_id: str, organisations: Iterable[Organisation]) -> None:
        """Removes nothing without an event id: it is not known to which consent the connections belong."""
        if not authentication_event_id:
            raise Unavailable("Xero's access token names no consent")
        token = self._tokens.token(token_set_id)
        existing = {item.id for item in self._connections.list_connections(token, authentication_event_id)}
        for organisation in organisations:
            if organisation.xero_connection_id in existing:
                self._connections.delete(token, organisation.xero_connection_id)
