"""Companies and connections at Codat, and its hosted Link: made once for each of our connections, or adopted.

One company of Codat's has one organisation. So each of our connections has a company of its own there, with two tags:
of our company, and of our connection. Who has used Codat before tags the company there with `feedlane` and the id of
its company here: the next connection that is opened adopts it, and with it its connection, its accounts and mappings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from feedlane.codat_upstream import accounts
from feedlane.codat_upstream.answers import Item
from feedlane.codat_upstream.asking import ask, object_of, text_in
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.connection_state import LINKED
from feedlane.codat_upstream.push_json import connection_path, quoted
from feedlane.companies.company import Company
from feedlane.companies.connection import CODAT_ACCESS, PLATFORM_KEY, Connection, HostedPlace, Tenant
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.upstream import TenantAccess
from feedlane.web_address import is_safe_address

COMPANY_TAG, CONNECTION_TAG = "feedlane", "feedlane-connection"
NAME_LENGTH_MAX = 255
_PAGE_SIZE = "100"
# Of a company's connections at Codat, the one to use: the customer can restore the others too.
_BEST_FIRST = (LINKED, "PendingAuth", "Deauthorized", "Unlinked")


class CodatHostedLink:
    """Implements `HostedLink`."""

    def __init__(self, client: CodatClient) -> None:
        self._client = client

    def prepare(self, company: Company, connection: Connection, is_free: Callable[[str], bool]) -> HostedPlace:
        if connection.hosted is not None and self._find(connection.hosted) is not None:
            return connection.hosted
        codat_company = self._company_of(company, connection, is_free)
        return HostedPlace(company_id=codat_company, connection_id=self._connection_of(codat_company))

    def offer(self, place: HostedPlace, accounts_: Iterable[SourceAccount]) -> None:
        for account in accounts_:
            accounts.ensure_account(self._client, _access(place), account)

    def start_url(self, place: HostedPlace) -> str:
        url = text_in(self._connection(place), "linkUrl")
        if not is_safe_address(url):
            raise Unavailable("Codat's link is not one that a customer may be sent to")
        return url

    def linked_tenant(self, place: HostedPlace) -> Tenant | None:
        found = self._find(place)
        if found is None or text_in(found, "status") != LINKED:
            return None
        return _tenant(place, self._information(place))

    def disconnect(self, place: HostedPlace) -> None:
        accounts.disconnect(self._client, place.company_id, place.connection_id)

    def _connection(self, place: HostedPlace) -> Item:
        return object_of(self._ask(place.company_id, "GET", connection_path(place.company_id, place.connection_id)))

    def _find(self, place: HostedPlace) -> Item | None:
        """None if Codat has it no more."""
        try:
            found = self._connection(place)
        except ReconnectionNeeded:
            return None
        if text_in(found, "id").lower() != place.connection_id.lower():
            raise _unreadable()
        return found

    def _information(self, place: HostedPlace) -> Item:
        """What Codat says of the organisation; nothing if it does not: the link does not depend on it."""
        path = f"{connection_path(place.company_id, place.connection_id)}/bankFeeds/info"
        try:
            return object_of(self._ask(place.company_id, "GET", path))
        except (Refused, ReconnectionNeeded):
            return {}

    def _company_of(self, company: Company, connection: Connection, is_free: Callable[[str], bool]) -> str:
        """The tags alone do not say whose a company is: of two that adopt it at once, the later one overwrites them."""
        for own in self._companies_tagged(CONNECTION_TAG, connection.id):
            if is_free(text_in(own, "id")):
                return text_in(own, "id")
        tags = {COMPANY_TAG: company.id, CONNECTION_TAG: connection.id}
        for offered in self._companies_tagged(COMPANY_TAG, company.id):
            given, id = offered.get("tags"), text_in(offered, "id")
            if isinstance(given, dict) and CONNECTION_TAG not in given and is_free(id):
                self._ask(id, "PATCH", f"/companies/{quoted(id)}", {"tags": given | tags})
                return id
        body = {"name": company.name[:NAME_LENGTH_MAX], "tags": tags}
        return _id_in(object_of(self._ask("", "POST", "/companies", body)))

    def _companies_tagged(self, tag: str, value: str) -> list[Item]:
        """Those with exactly this tag, whatever else Codat lists: the first page has them."""
        params = {"page": "1", "pageSize": _PAGE_SIZE, "tags": f"{tag}={value}"}
        listed = _results(self._ask("", "GET", "/companies", params=params))
        return [one for one in listed if (one.get("tags") or {}).get(tag) == value and text_in(one, "id")]

    def _connection_of(self, company_id: str) -> str:
        path = f"/companies/{quoted(company_id)}/connections"
        listed = _results(self._ask(company_id, "GET", path, params={"page": "1", "pageSize": _PAGE_SIZE}))
        ours = [one for one in listed if one.get("integrationKey") in (None, PLATFORM_KEY) and text_in(one, "id")]
        for status in _BEST_FIRST:
            for one in ours:
                if text_in(one, "status") == status:
                    return text_in(one, "id")
        return _id_in(object_of(self._ask(company_id, "POST", path, {"platformKey": PLATFORM_KEY})))

    def _ask(
        self,
        company_id: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        access = TenantAccess(tenant_id=company_id, token_set_id=CODAT_ACCESS)
        return ask(self._client, access, method, path, body, params=params)


def _access(place: HostedPlace) -> TenantAccess:
    return TenantAccess(tenant_id=place.company_id, token_set_id=CODAT_ACCESS, tenant_connection_id=place.connection_id)


def _tenant(place: HostedPlace, information: Item) -> Tenant:
    listed = information.get("currencies")
    base, plan = text_in(information, "baseCurrency"), text_in(information, "planType")
    currencies = [one for one in listed if isinstance(one, str) and one != base] if isinstance(listed, list) else []
    multicurrency = information.get("multicurrencyEnabled")
    return Tenant(
        id=place.company_id,
        name=text_in(information, "companyName")[:NAME_LENGTH_MAX],
        xero_connection_id=place.connection_id,
        base_currency=base,
        plan=plan,
        demo=plan == "DEMO",
        currencies=(base, *currencies) if base else (),
        multicurrency=multicurrency if isinstance(multicurrency, bool) else None,
    )


def _results(answer: httpx.Response) -> list[Item]:
    results = object_of(answer).get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise _unreadable()
    return results


def _id_in(item: Item) -> str:
    id = text_in(item, "id")
    if not id:
        raise _unreadable()
    return id


def _unreadable() -> Unavailable:
    return Unavailable("Codat's answer could not be read")
