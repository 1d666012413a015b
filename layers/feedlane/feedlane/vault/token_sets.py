"""Token sets in the store: one per Xero user and app, the version that counts named by the lease item."""

from __future__ import annotations

from feedlane.credentials.token_set import TokenSet
from feedlane.ids import fingerprint
from feedlane.vault.leases import LeaseState
from feedlane.vault.secrets import Secrets, SecretVersion

_CACHE_SIZE_MAX = 500


def token_set_id(client_id: str, xero_user_id: str) -> str:
    """Xero's tokens belong to a user and an app: another consent of the user replaces the same token set."""
    return fingerprint(f"{client_id}\x1f{xero_user_id}")[:32]


class TokenSets:
    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._remembered: dict[str, tuple[str, TokenSet]] = {}

    def at(self, seen: LeaseState) -> TokenSet | None:
        """The token set that counts. A version never changes, so memory is as good as the store."""
        if not seen.version:
            return None
        version, tokens = self._remembered.get(seen.subject, ("", None))
        if version == seen.version:
            return tokens
        name = _secret_name(seen.subject)
        found = self._secrets.version(name, seen.version) or self._secrets.current(name)
        if found is None:
            return None
        tokens = _parse(found)
        self._remember(seen.subject, found.id, tokens)
        return tokens

    def others(self, seen: LeaseState) -> list[TokenSet]:
        """What else is stored, newest first: a pair written before a crash, or the one before the last."""
        name = _secret_name(seen.subject)
        stages = (self._secrets.current(name), self._secrets.previous(name))
        return [_parse(found) for found in stages if found is not None and found.id != seen.version]

    def write(self, id: str, tokens: TokenSet) -> str:
        """The new version's id. It counts from when the lease item names it."""
        version = self._secrets.write(_secret_name(id), tokens.model_dump_json())
        self._remember(id, version, tokens)
        return version

    def delete(self, id: str) -> None:
        self._remembered.pop(id, None)
        self._secrets.delete(_secret_name(id))

    def _remember(self, id: str, version: str, tokens: TokenSet) -> None:
        if len(self._remembered) >= _CACHE_SIZE_MAX:
            self._remembered.clear()
        self._remembered[id] = (version, tokens)


def _secret_name(id: str) -> str:
    return f"token-sets/{id}"


def _parse(version: SecretVersion) -> TokenSet:
    return TokenSet.model_validate_json(version.text)
