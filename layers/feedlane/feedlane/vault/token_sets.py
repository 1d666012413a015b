"""Token sets, one per Xero user and app, in Secrets Manager. The lease item in the table names the valid version.

Each has a secret of its own, or shares one (`shards`) while it is refreshed rarely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta

from feedlane.clock import Clock
from feedlane.credentials.token_set import TokenSet
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.store.table import Write
from feedlane.vault.leases import LeaseLost, Leases, LeaseState
from feedlane.vault.published import NotShownYet, published_version
from feedlane.vault.secrets import Secrets, SecretVersion
from feedlane.vault.shards import NotShared, Shards

_CACHE_SIZE_MAX = 500
# A valid version that the store does not show so long after it was published has been removed: two holders that died
# have written after it, and it has no label any more. Xero still honours what came before it for as long again.
SHOWN_WITHIN = timedelta(minutes=15)


def token_set_id(client_id: str, xero_user_id: str) -> str:
    """Xero's tokens belong to a user and an app, so another consent of the user replaces the same token set."""
    return fingerprint(f"{client_id}\x1f{xero_user_id}")[:32]


class TokenSets:
    def __init__(
        self, secrets: Secrets, shards: Shards, leases: Leases, clock: Clock, pause: Callable[[float], None]
    ) -> None:
        self._secrets = secrets
        self._shards = shards
        self._leases = leases
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
        if lease.is_shared:
            tokens = self._shards.read(lease)
            self._remember(lease.subject, lease.version, tokens)
            return tokens
        secret = self._published_or_last(lease)
        tokens = _parse(secret)
        self._remember(lease.subject, secret.id, tokens)
        return tokens

    def is_shown(self, lease: LeaseState) -> bool:
        if lease.is_shared:
            return self._shards.is_shown(lease)
        return self._secrets.version(own_secret(lease), lease.version) is not None

    def require_reachable(self, lease: LeaseState) -> None:
        """Raises `Unavailable` if the store does not answer, so that it could not keep a new pair either."""
        self._secrets.current(own_secret(lease))

    def other_pairs(self, lease: LeaseState) -> list[TokenSet]:
        """The other stored pairs: ones written before a crash, or the previous one, wherever they are."""
        names = [own_secret(lease._replace(own=number)) for number in (lease.own, *lease.leftovers)]
        versions = [read(name) for name in names for read in (self._secrets.current, self._secrets.previous)]
        pairs = {secret.id: _parse(secret) for secret in versions if secret is not None}
        if lease.shard:
            pairs |= {pair.id: pair.tokens for pair in self._shards.pairs(lease)}
        return [tokens for version, tokens in pairs.items() if version != lease.version]

    def place(self, lease: LeaseState) -> str:
        """The shard in which the token set gets a place with its next pair; empty: none, or it has one."""
        return self._shards.place(lease)

    def without_leftovers(self, lease: LeaseState) -> LeaseState:
        """Deletes what an earlier move has left behind, once a refresh has shown that its pairs are not needed.

        What cannot be deleted now can be next time.
        """
        if lease.in_doubt:
            return lease
        with suppress(Unavailable):
            if lease.is_shared and lease.is_settled and lease.leftovers:
                self._delete_secrets(lease, lease.leftovers)
                return lease._replace(leftovers=())
            if self._shards.size == 1 and lease.shard and not lease.is_shared:
                self._shards.remove(lease)
                return lease._replace(shard="")
        return lease

    def store(self, lease: LeaseState, tokens: TokenSet) -> None:
        """Stores the pair and makes it valid. Raises `LeaseLost`.

        Whatever fails on the way, such as the table, the pair is in a secret first: Xero may take no other any more. If
        the table has published it after all, and only its answer was lost, the second publication says `LeaseLost`.
        """
        shard = lease.shard
        if self._shards.takes(lease):
            try:
                self._remember(lease.subject, self._shards.store(lease, tokens), tokens)
                return
            except LeaseLost:
                raise
            except (NotShared, Unavailable) as error:
                shard = "" if isinstance(error, NotShared) and error.is_full else shard
            except Exception:
                self._store_in_own(lease, tokens, shard)
                raise
        self._store_in_own(lease, tokens, shard)

    def store_grant(self, id: str, tokens: TokenSet, *also: Write) -> None:
        """Stores what a consent has brought. This takes the lease from a refresh of the previous pair.

        `also` are writes of the commit that makes it valid.
        """
        lease = self._leases.read(id)
        self._leases.supersede(id, self._write(lease, tokens), *also, is_shared=False, own=lease.own)

    def delete(self, id: str) -> None:
        """Deletes the token set wherever it is or was. Raises `Unavailable`; it may be repeated."""
        self._leases.supersede(id, "", is_shared=False)
        self._cache.pop(id, None)
        lease = self._leases.read(id)
        self._delete_secrets(lease, (*lease.leftovers, lease.own))
        if lease.shard:
            self._shards.remove(lease)

    def _store_in_own(self, lease: LeaseState, tokens: TokenSet, shard: str) -> None:
        version = self._write(lease, tokens)
        self._leases.publish(lease, version, is_shared=False, shard=shard)

    def _write(self, lease: LeaseState, tokens: TokenSet) -> str:
        """Stores the tokens and returns the new version's id. It becomes valid once the lease item names it."""
        version = self._secrets.write(own_secret(lease), tokens.model_dump_json())
        self._remember(lease.subject, version, tokens)
        return version

    def _delete_secrets(self, lease: LeaseState, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._secrets.delete(own_secret(lease._replace(own=number)))

    def _published_or_last(self, lease: LeaseState) -> SecretVersion:
        name = own_secret(lease)
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


def own_secret(lease: LeaseState) -> str:
    """The secret that has only this token set. Each time that it leaves a shard, it gets another one."""
    return f"token-sets/{lease.subject}" + (f"/{lease.own}" if lease.own else "")


def _parse(version: SecretVersion) -> TokenSet:
    return TokenSet.model_validate_json(version.text)
