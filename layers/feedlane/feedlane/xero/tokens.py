"""Access tokens in a function's memory: the vault is called once per token and not once per call."""

from __future__ import annotations

from feedlane.clock import Clock, system_clock
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Vault
from feedlane.ids import fingerprint


class TokenCache:
    """One for the whole function. With threads, at worst the vault is called twice for the same token."""

    def __init__(self, vault: Vault, clock: Clock = system_clock) -> None:
        self._vault = vault
        self._clock = clock
        self._tokens: dict[str, AccessToken] = {}

    def token(self, token_set_id: str) -> str:
        """Raises what `Vault.access_token` raises."""
        token = self._tokens.get(token_set_id)
        if token is None or not token.is_fresh(self._clock()):
            token = self._tokens[token_set_id] = self._vault.access_token(token_set_id)
        return token.value

    def replacement_token(self, token_set_id: str, rejected: str) -> str:
        """A token to replace one that got a 401. The vault decides whether that needs a refresh."""
        token = self._tokens.get(token_set_id)
        if token is None or token.value == rejected:
            token = self._vault.access_token(token_set_id, rejected=fingerprint(rejected))
            self._tokens[token_set_id] = token
        return token.value

    def newest_token(self, token_set_id: str) -> str:
        """The token that the vault has now: another consent may have brought one with more scopes."""
        self.forget(token_set_id)
        return self.token(token_set_id)

    def scopes(self, token_set_id: str) -> tuple[str, ...]:
        """The scopes of the token in memory; empty if they are not known."""
        token = self._tokens.get(token_set_id)
        return token.scopes if token else ()

    def remember(self, token_set_id: str, token: AccessToken) -> None:
        """Keeps a token that was just issued for a code."""
        self._tokens[token_set_id] = token

    def forget(self, token_set_id: str) -> None:
        self._tokens.pop(token_set_id, None)
