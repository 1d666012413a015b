"""Calls to Xero's API for a tenant, with its access token. A 401 is retried with the vault's next token.

A 401 ends nothing here: the gateway has moments in which it refuses good tokens. That a grant has ended is known from
Xero's token endpoint (the vault asks it), and that a connection has, from the list of connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.companies.connection import BANK_FEEDS_SCOPE, FEED_CONNECTIONS_2_SCOPE
from feedlane.companies.reconnection import (
    BANK_FEEDS_SCOPE_MISSING,
    CONNECTION_REMOVED,
    FEED_CONNECTIONS_SCOPE_MISSING,
)
from feedlane.errors import NotSent, ReconnectionNeeded, Refused, Unanswered, Unavailable
from feedlane.feeds.call_limits import NO_LIMITS, CallLimits
from feedlane.feeds.refusals import MEANING_BY_TYPE
from feedlane.feeds.upstream import TenantAccess
from feedlane.http import Http
from feedlane.json_object import json_object
from feedlane.xero.connections import XeroConnections
from feedlane.xero.outcomes import obstacle_in, obstacle_of, raise_obstacle, share_wait
from feedlane.xero.problems import is_access_refusal, is_page, is_scope_refusal, problems_in
from feedlane.xero.tokens import TokenCache

# The scope that a path needs, as far as it can be missing from a consent.
_SCOPE_BY_PATH = {"/bankfeeds.xro/2.0/": FEED_CONNECTIONS_2_SCOPE, "/bankfeeds.xro/": BANK_FEEDS_SCOPE}
# The vault may know a newer token than the one in memory, and refresh that one in turn. It refreshes none that is new.
_REPLACEMENTS_MAX = 2
_REFUSED_TOKEN_RETRY_SECONDS = 60


class XeroApi:
    def __init__(
        self, http: Http, tokens: TokenCache, clock: Clock = system_clock, limits: CallLimits = NO_LIMITS
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._limits = limits
        self.clock = clock

    def call(
        self,
        access: TenantAccess,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
    ) -> httpx.Response:
        """Returns any answer, errors included.

        Raises `NotSent`, `Unanswered`, `LimitReached` (nothing was sent), and what `Vault.access_token` raises.

        If Xero refuses without a reason, raises `ReconnectionNeeded` where the connection or a scope is missing (for
        feed connections 2.0 alone: `Refused`), and `Unavailable` if that could not be checked, or if Xero refuses new
        tokens too.
        """
        headers = {"Xero-Tenant-Id": access.tenant_id, "Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        token = self._tokens.token(access.token_set_id)
        answer = self._send(token, method, path, headers, params, content)
        if self._is_about_scope(access, path, answer):
            # Another token of this grant has the same scopes. Only another consent can have brought more since.
            newest = self._tokens.newest_token(access.token_set_id)
            if newest != token:
                token, answer = newest, self._send(newest, method, path, headers, params, content)
        for _ in range(_REPLACEMENTS_MAX):
            if not self._is_about_token(access, path, answer):
                break
            # The gateway answers 401 before anything is done: the same request may be sent again at once.
            token = self._tokens.replacement_token(access.token_set_id, token)
            answer = self._send(token, method, path, headers, params, content)
        if self._is_about_token(access, path, answer):
            raise Unavailable("Xero refuses new access tokens", _REFUSED_TOKEN_RETRY_SECONDS)
        if is_access_refusal(answer.status_code, answer.content):
            self._require_access(access, token, path, answer.status_code)
        return answer

    def _is_about_token(self, access: TenantAccess, path: str, answer: httpx.Response) -> bool:
        """Whether Xero refuses the token with a 401, for no other reason that is known."""
        if answer.status_code != 401 or is_page(401, answer.content):
            return False
        if problems_in(401, answer.content)[0].type in MEANING_BY_TYPE:
            return False
        return not self._is_about_scope(access, path, answer)

    def _is_about_scope(self, access: TenantAccess, path: str, answer: httpx.Response) -> bool:
        """Whether Xero refuses the token for its scopes: it says so with a 401, or with a 403 that has no reason.

        Not if Xero gave the token the scope: the token endpoint is believed before the gateway.
        """
        if not is_access_refusal(answer.status_code, answer.content):
            return False
        has_scope = _scope_for(path) in self._tokens.scopes(access.token_set_id)
        is_said = is_scope_refusal(answer.status_code, answer.content)
        return self._lacks_scope(access, path) or (is_said and not has_scope)

    def has_scope_for(self, access: TenantAccess, path: str, if_unknown: bool) -> bool:
        """Whether the tenant's token has the scope that the path needs. Raises what `Vault.access_token` raises."""
        self._tokens.token(access.token_set_id)
        if if_unknown and self._lacks_scope(access, path):
            self._tokens.newest_token(access.token_set_id)  # another consent may have brought it since
        scopes = self._tokens.scopes(access.token_set_id)
        return _scope_for(path) in scopes if scopes else if_unknown

    def _lacks_scope(self, access: TenantAccess, path: str) -> bool:
        scopes, scope = self._tokens.scopes(access.token_set_id), _scope_for(path)
        return bool(scope and scopes) and scope not in scopes

    def _require_access(self, access: TenantAccess, token: str, path: str, status: int) -> None:
        """Raises `ReconnectionNeeded` if the connection or a scope is missing. Otherwise the gateway's answer stands.

        Raises `Unavailable` if Xero could not be asked: the reason is not known yet.
        """
        is_about_2 = _scope_for(path) == FEED_CONNECTIONS_2_SCOPE
        if is_about_2 and (status == 401 or self._lacks_scope(access, path)):
            raise Refused(FEED_CONNECTIONS_SCOPE_MISSING)
        if self._lacks_scope(access, path):
            raise ReconnectionNeeded(BANK_FEEDS_SCOPE_MISSING)
        if status == 401:
            return  # for a scope, which the list of connections does not say
        try:
            connections = XeroConnections(self._http, self.clock, self._limits).list_connections(token)
        except (Refused, ReconnectionNeeded) as error:
            if error.problem.status == 401:
                raise Unavailable("Xero refuses the access token", _REFUSED_TOKEN_RETRY_SECONDS) from None
            return
        if access.tenant_id not in {connection.tenant_id for connection in connections}:
            raise ReconnectionNeeded(CONNECTION_REMOVED)
        if is_about_2 and not self._tokens.scopes(access.token_set_id):
            raise Refused(FEED_CONNECTIONS_SCOPE_MISSING)  # as far as can be known: statements may be sent

    def fetch(self, access: TenantAccess, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Returns the object that a successful GET answers. Raises as `ask` does, and `Unavailable` if it has none."""
        value = json_object(self.ask(access, "GET", path, params=params).content)
        if value is None:
            raise unreadable()
        return value

    def ask(
        self,
        access: TenantAccess,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
    ) -> httpx.Response:
        """Returns a successful answer only, for callers that cannot go on without one.

        Raises any other outcome: `Refused`, `Unavailable`, `ReconnectionNeeded`, `AppKeysRejected`.
        """
        try:
            answer = self.call(access, method, path, params=params, content=content, idempotency_key=idempotency_key)
        except (NotSent, Unanswered) as error:
            raise_obstacle(obstacle_of(error))
        obstacle = obstacle_in(answer, self.clock())
        if obstacle is not None:
            raise_obstacle(obstacle)
        return answer

    def _send(
        self,
        token: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None,
    ) -> httpx.Response:
        authorized = {**headers, "Authorization": f"Bearer {token}"}
        tenant_id = headers["Xero-Tenant-Id"]
        with self._limits.call(tenant_id):
            answer = self._http.send(method, path, headers=authorized, params=params, content=content)
        share_wait(self._limits, tenant_id, answer, self.clock())
        return answer


def _scope_for(path: str) -> str:
    return next((scope for begin, scope in _SCOPE_BY_PATH.items() if path.startswith(begin)), "")


def object_in(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; empty if there is none, so that the caller reports the field it misses."""
    return json_object(answer.content) or {}


def unreadable() -> Unavailable:
    """For a success without what Xero documents for it: it comes from something in front of Xero."""
    return Unavailable("Xero's answer could not be read")


def objects_in(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects with this name, empty only if Xero says so. Raises `Unavailable`."""
    items = answer.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable()
    return items


def only_item(value: dict[str, Any]) -> dict[str, Any]:
    """The one object in an answer: the first item of an envelope, or the bare object."""
    items = value.get("items")
    if not isinstance(items, list):
        return value
    return items[0] if items and isinstance(items[0], dict) else {}
