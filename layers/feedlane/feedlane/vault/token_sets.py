"""Token sets: one secret per Xero user and app, in Secrets Manager; its lease item in the table names the version."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from feedlane.clock import Clock
from feedlane.credentials.token_set import TokenSet
from feedlane.ids import fingerprint
from feedlane.vault.leases import LeaseState
from feedlane.vault.published import NotShownYet, published_version
from feedlane.vault.secrets import Secrets, SecretVersion

_CACHE_SIZE_MAX = 500
# A valid version that the store does not show so long after it was published has been removed: two holders that died
# have written after it, and it has no label any more. Xero still honours what came before it for as long again.
SHOWN_WITHIN = timedelta(minutes=15)


def token_set_id(client_id: str, xero_user_id: str) -> str:
    """Xero's tokens belong to a user and an app, so another consent of the user replaces the same token set."""
    return fingerprint(f"{client_id}\x1f{xero_user_id}")[:32]


class TokenSets:
    def __init__(self, secrets: Secrets, clock: Clock, pause: Callable[[float], None]) -> None:
        self._secrets = secrets
        self._clock = clock
        self._pause = pause
        self._cache: dict[str, tuple[str, TokenSet]] = {}

    def read(self, lease: LeaseState) -> TokenSet | None:
        """The valid token set; None if there was no consent. A version never changes, so it may be cached.

        Raises `NotShownYet`.
        """
        if not lease.version:
            return None
        version, tokens = self._cache.get(lease.subject, ("", None))
        if version == lease.version:
            return tokens
        secret = self._published_or_last(lease)
        tokens = _parse(secret)
        self._remember(lease.subject, secret.id, tokens)
        return tokens

    def is_shown(self, lease: LeaseState) -> bool:
        return self._secrets.version(_secret_name(lease.subject), lease.version) is not None

    def require_reachable(self, lease: LeaseState) -> None:
        """Raises `Unavailable` if the store does not answer, so that it could not keep a new pair either."""
        self._secrets.current(_secret_name(lease.subject))

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

    def _published_or_last(self, lease: LeaseState) -> SecretVersion:
        name = _secret_name(lease.subject)
        try:
            return published_version(self._secrets, name, lease.version, self._pause)
        except NotShownYet:
            if lease.was_published_within(SHOWN_WITHIN, self._clock()):
                raise
            last = self._secrets.current(name)
            if last is None:
                raise
            return last

    def _remember(self, id: str, version: str, tokens: TokenSet) -> None:
        if len(self._cache) >= _CACHE_SIZE_MAX:
            self._cache.clear()
        self._cache[id] = (version, tokens)


def _secret_name(id: str) -> str:
    return f"token-sets/{id}"


def _parse(version: SecretVersion) -> TokenSet:
    return TokenSet.model_validate_json(version.text)
