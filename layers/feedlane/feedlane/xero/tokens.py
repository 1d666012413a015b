"""Access tokens in a function's memory, so that the vault is asked once per token and not once per call."""

from __future__ import annotations

from feedlane.clock import Clock, system_clock
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Vault
from feedlane.ids import fingerprint


class TokenCache:
    """One for the whole function. With threads, at worst the vault is asked twice for the same token."""

    def __init__(self, vault: Vault, clock: Clock = system_clock) -> None:
        self._vault = vault
        self._clock = clock
        self._tokens: dict[str, AccessToken] = {}

    def token(self, token_set_id: str) -> str:
        """Raises what `Vault.access_token` raises."""
        held = self._tokens.get(token_set_id)
        if held is None or not held.is_fresh(self._clock()):
            held = self._tokens[token_set_id] = self._vault.access_token(token_set_id)
        return held.value

    def replacement_token(self, token_set_id: str, rejected: str) -> str:
        """A token instead of one that got a 401; the vault decides whether that takes a refresh."""
        held = self._tokens.get(token_set_id)
        if held is None or held.value == rejected:
            held = self._vault.access_token(token_set_id, rejected=fingerprint(rejected))
            self._tokens[token_set_id] = held
        return held.value

    def scopes(self, token_set_id: str) -> tuple[str, ...]:
        """What the token in memory is good for; empty if that is not known."""
        held = self._tokens.get(token_set_id)
        return held.scopes if held else ()

    def remember(self, token_set_id: str, token: AccessToken) -> None:
        """A token that just came with an exchanged code."""
        self._tokens[token_set_id] = token

    def forget(self, token_set_id: str) -> None:
        self._tokens.pop(token_set_id, None)
