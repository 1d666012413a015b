"""The vault as all functions use it: whoever learns that Xero does not know the app's keys holds the app at once.

Otherwise each push would find that out for itself, and a consent or the daily round would know it and tell nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Grant, Vault
from feedlane.errors import APP_KEYS_REJECTED, AppKeysRejected
from feedlane.feeds.upstream import Refusal
from feedlane.holds import placement
from feedlane.ports import Ports
from feedlane.scope import Scope

# Of the identity server's refusals, the one that is about the app and nothing else.
INVALID_CLIENT = "invalid_client"
T = TypeVar("T")


class WatchedVault:
    """Implements `Vault`. `ports` are made when they are needed."""

    def __init__(self, vault: Vault, ports: Callable[[], Ports]) -> None:
        self._vault = vault
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        """What needs no watching: webhooks' secrets, and changes of the keys, which answer Xero's verdict."""
        return getattr(self._vault, name)

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        return self._watch(lambda: self._vault.exchange_code(code, redirect_uri, code_verifier, state))

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return self._watch(lambda: self._vault.access_token(token_set_id, rejected))

    def app_token(self) -> AccessToken:
        return self._watch(self._vault.app_token)

    def revoke(self, token_set_id: str) -> None:
        return self._watch(lambda: self._vault.revoke(token_set_id))

    def _watch(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except AppKeysRejected as error:
            if error.problem.type == INVALID_CLIENT:
                refusal = Refusal(scope=Scope.APP, reason=APP_KEYS_REJECTED, problem=error.problem)
                ports = self._ports()
                placement.hold_app(ports, refusal, ports.clock())
            raise
