"""`/connections`: lists the organisations that a user has connected to the app, and removes one of them."""

from __future__ import annotations

from typing import Any

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.companies.organisations import NAME_LENGTH_MAX, ListedOrganisation
from feedlane.errors import NotSent, Unanswered, Unavailable
from feedlane.feeds.call_limits import NO_LIMITS, CallLimits
from feedlane.http import Http
from feedlane.json_object import json_value
from feedlane.xero.outcomes import obstacle_in, obstacle_of, raise_obstacle, share_wait
from feedlane.xero.problems import is_page

ORGANISATION = "ORGANISATION"


class XeroConnection(ListedOrganisation):
    """`tenant_type` is an open set (ORGANISATION, PRACTICE, …); only an ORGANISATION has bank feeds."""

    tenant_type: str = ""
    authentication_event_id: str = ""

    @property
    def is_organisation(self) -> bool:
        return self.tenant_type.upper() == ORGANISATION


class XeroConnections:
    """Implements `ListedOrganisations`: calls without a tenant, with a given token.

    They raise `ReconnectionNeeded`, `Refused`, `Unavailable`.
    """

    def __init__(self, http: Http, clock: Clock = system_clock, limits: CallLimits = NO_LIMITS) -> None:
        self._http = http
        self._clock = clock
        self._limits = limits

    def list_connections(self, access_token: str, authentication_event_id: str | None = None) -> list[XeroConnection]:
        """All connections of the user that still exist; with an event id, those of one consent.

        An empty list for a valid token means that every organisation was disconnected at Xero.
        """
        params = {"authEventId": authentication_event_id} if authentication_event_id else None
        answer = self._send("GET", "/connections", access_token, params)
        items = json_value(answer.content)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            # Never treat this as an empty list: that would disconnect customers.
            raise Unavailable("Xero's list of connections could not be read")
        return [_connection(item) for item in items]

    def delete(self, access_token: str, xero_connection_id: str) -> None:
        """Removes this one connection, by its own id and not the tenant's. One that no longer exists is no error.

        Xero answers 204 without a body, and 404, usually without one, for a connection that it does not know.
        """
        answer = self._send("DELETE", f"/connections/{xero_connection_id}", access_token, is_gone_fine=True)
        if answer.is_success and (answer.status_code != 204 or answer.content):
            raise Unavailable("Xero's answer to the removal of a connection could not be read")

    def _send(
        self,
        method: str,
        path: str,
        access_token: str,
        params: dict[str, str] | None = None,
        is_gone_fine: bool = False,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        try:
            with self._limits.call(None):
                answer = self._http.send(method, path, headers=headers, params=params)
        except (NotSent, Unanswered) as error:
            raise_obstacle(obstacle_of(error))
        share_wait(self._limits, None, answer, self._clock())
        if is_gone_fine and answer.status_code == 404 and not (answer.content and is_page(404, answer.content)):
            return answer
        obstacle = obstacle_in(answer, self._clock())
        if obstacle is not None:
            raise_obstacle(obstacle)
        return answer


def _connection(item: dict[str, Any]) -> XeroConnection:
    return XeroConnection(
        id=str(item.get("id") or ""),
        tenant_id=str(item.get("tenantId") or ""),
        tenant_name=str(item.get("tenantName") or "")[:NAME_LENGTH_MAX],
        tenant_type=str(item.get("tenantType") or ""),
        authentication_event_id=str(item.get("authEventId") or ""),
    )
