"""Token sets in the store: one per Xero user and app; the lease item names the valid version."""

from __future__ import annotations

from feedlane.credentials.token_set import TokenSet
from feedlane.ids import fingerprint
from feedlane.vault.leases import LeaseState
from feedlane.vault.secrets import Secrets, SecretVersion

_CACHE_SIZE_MAX = 500


def token_set_id(client_id: str, xero_user_id: str) -> str:
    """Xero's tokens belong to a user and an app, so another consent of the user replaces the same token set."""
    return fingerprint(f"{client_id}\x1f{xero_user_id}")[:32]


class TokenSets:
    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._cache: dict[str, tuple[str, TokenSet]] = {}

    def read(self, lease: LeaseState) -> TokenSet | None:
        """The valid token set. A version never changes, so the cache is as good as the store."""
        if not lease.version:
            return None
        version, tokens = self._cache.get(lease.subject, ("", None))
        if version == lease.version:
            return tokens
        name = _secret_name(lease.subject)
        secret = self._secrets.version(name, lease.version) or self._secrets.current(name)
        if secret is None:
            return None
        tokens = _parse(secret)
        self._remember(lease.subject, secret.id, tokens)
        return tokens

    def other_pairs(self, lease: LeaseState) -> list[TokenSet]:
        """The other stored pairs, newest first: one written before a crash, or the previous one."""
        name = _secret_name(lease.subject)
        versions = (self._secrets.current(name), self._secrets.previous(name))
        return [_parse(secret) for secret in versions if secret is not None and secret.id != lease.version]

    def write(self, id: str, tokens: TokenSet) -> str:
        """Stores the tokens and returns the new version's id. It becomes valid once the lease item names it."""
        version = self._secrets.write(_secret_name(id), tokens.model_dump_json())
        self._remember(id, version, tokens)
        return version

    def delete(self, id: str) -> None:
        self._cache.pop(id, None)
        self._secrets.delete(_secret_name(id))

    def _remember(self, id: str, version: str, tokens: TokenSet) -> None:
        if len(self._cache) >= _CACHE_SIZE_MAX:
            self._cache.clear()
        self._cache[id] = (version, tokens)


def _secret_name(id: str) -> str:
    return f"token-sets/{id}"


def _parse(version: SecretVersion) -> TokenSet:
    return TokenSet.model_validate_json(version.text)
