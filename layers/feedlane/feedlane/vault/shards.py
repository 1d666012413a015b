"""Shards: secrets that several token sets share, because Secrets Manager charges monthly for each secret.

A shard is written under a lease of its own, which is taken only for the write, after Xero's answer. One commit makes
both valid, the shard's new version and the token set's new pair in it, so no token set overwrites another. Whatever
keeps a shard from taking a pair (its lease, its size, a version not shown yet, an error of the store) is no one's
problem: the pair goes into a secret of its own instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from feedlane.clock import Clock
from feedlane.credentials.token_set import TokenSet
from feedlane.errors import Unavailable
from feedlane.ids import new_id
from feedlane.store.table import Item
from feedlane.vault.leases import LeaseLost, Leases, LeaseState, Publication
from feedlane.vault.published import RETRY_WAITS_SECONDS, NotShownYet
from feedlane.vault.secrets import Secrets
from feedlane.vault.shard_content import PAIRS_MAX, Content, Pair, parse_content, with_unpublished

# Its lease item's version is the number of the first shard that may have room.
OPEN = "shards"
# Secrets Manager takes about 100 versions of a secret in 24 hours. The rest is for removals.
VERSIONS_A_DAY = 80
# Secrets Manager accepts 65,536 bytes.
SHARD_BYTES_MAX = 64_000
# Longer than a write takes as a rule. A holder that needs longer cannot publish.
SHARD_LEASE_DURATION = timedelta(seconds=15)
# Waits for others that write the same shard: three seconds in all.
TAKE_WAITS_SECONDS = (0.05, 0.1, *[0.2] * 14)
_PROBES_MAX = 5
_CACHE_SIZE_MAX = 50


class NotShared(Exception):
    """The shard does not take the pair now. `is_full`: the token set has no place in it."""

    def __init__(self, is_full: bool = False) -> None:
        super().__init__("the shard does not take this pair")
        self.is_full = is_full


class Shards:
    """`size` is the number of token sets that share a secret; 1: none do."""

    def __init__(
        self, secrets: Secrets, leases: Leases, clock: Clock, pause: Callable[[float], None], size: int
    ) -> None:
        self.size = size
        self._secrets = secrets
        self._leases = leases
        self._clock = clock
        self._pause = pause
        self._cache: dict[str, tuple[str, Content]] = {}

    def place(self, lease: LeaseState) -> str:
        """The shard in which a token set without a place gets one at its refresh; empty: in none."""
        if self.size == 1 or lease.shard or len(lease.writes_of_a_day(self._clock())) >= self._share(0):
            return ""
        hint = self._leases.read(OPEN)
        first = int(hint.version or 0)
        for number in range(first, first + _PROBES_MAX):
            if self._leases.read(_name(number)).members < self.size:
                self._move_on(hint, number)
                return _name(number)
        self._move_on(hint, first + _PROBES_MAX)
        return ""

    def takes(self, lease: LeaseState) -> bool:
        """Whether the token set has a place and is refreshed so rarely that all may use their share of versions."""
        return self.size > 1 and lease.shard != "" and len(lease.writes) <= self._share(0)

    def read(self, lease: LeaseState) -> TokenSet:
        """The valid pair. Any version that has it will do: a pair never changes. Raises `NotShownYet`."""
        for wait in (*RETRY_WAITS_SECONDS, None):
            pair = self._find(lease)
            if pair:
                return pair.tokens
            if wait is not None:
                self._pause(wait)
        raise NotShownYet(lease.shard)

    def is_shown(self, lease: LeaseState) -> bool:
        return self._find(lease) is not None

    def pairs(self, lease: LeaseState) -> list[Pair]:
        """All pairs of a token set that the store shows, those of holders that died after their write first."""
        valid, *others = (content.members.get(lease.subject, ()) for content in self._shown(lease.shard))
        return [pair for pairs in (*others, valid) for pair in pairs]

    def store(self, lease: LeaseState, tokens: TokenSet) -> str:
        """Stores the pair, publishes it and returns its id. Raises `NotShared`, `LeaseLost`."""
        shard = self._take(lease.shard)
        pair = Pair(id=new_id(), tokens=tokens)
        try:
            content = self._base(shard)
            self._require_share(lease, content.members)
            pairs = (pair, *(former.as_former() for former in content.members.get(lease.subject, ())))
            members = content.members | {lease.subject: pairs[:PAIRS_MAX]}
            version = self._write(shard, content.but(members=members))
        except NotShared:
            self._leases.release(shard)
            raise
        except Unavailable:
            self._leases.release(shard)
            raise NotShared from None
        is_settled = lease.is_shared and not lease.in_doubt
        fields: Item = {"forced": lease.forced, "is_shared": True, "is_settled": is_settled}
        fields["leftovers"] = list(lease.leftovers)
        if not is_settled:
            # Its own secret is deleted later, and never written again: a consent may write the next one meanwhile.
            fields |= {"own": lease.own + 1, "leftovers": [*lease.leftovers, lease.own]}
        lost = self._leases.publish_together(
            Publication(lease, pair.id, fields), Publication(shard, version, {"members": len(members)})
        )
        if lease.subject in lost:
            self._leases.release(shard)
            raise LeaseLost
        if lost:
            raise NotShared
        return pair.id

    def remove(self, lease: LeaseState) -> None:
        """Removes a token set from its shard. Raises `Unavailable`."""
        try:
            shard = self._take(lease.shard)
        except NotShared:
            raise Unavailable(f"Others are writing {lease.shard}", 1) from None
        try:
            content = self._base(shard)
            members = {id: pairs for id, pairs in content.members.items() if id != lease.subject}
            version = self._write(shard, content.but(members=members))
        except (Unavailable, NotShared):
            self._leases.release(shard)
            raise
        if self._leases.publish_together(Publication(shard, version, {"members": len(members)})):
            raise Unavailable(f"Others have written {lease.shard}", 1)
        if _number(lease.shard) < int(self._leases.read(OPEN).version or 0):
            self._leases.supersede(OPEN, str(_number(lease.shard)))

    def _take(self, name: str) -> LeaseState:
        for wait in (*TAKE_WAITS_SECONDS, None):
            state = self._leases.read(name)
            if not state.is_held(self._clock()):
                taken = self._leases.take(state, duration=SHARD_LEASE_DURATION)
                if taken:
                    return taken
            if wait is not None:
                self._pause(wait)
        raise NotShared

    def _share(self, members: int) -> int:
        """How many versions of its shard a token set may cause in 24 hours. Together they stay below the limit."""
        return VERSIONS_A_DAY // max(self.size, members)

    def _require_share(self, lease: LeaseState, members: Mapping[str, object]) -> None:
        if lease.subject not in members and len(members) >= self.size:
            raise NotShared(is_full=True)
        if len(lease.writes) > self._share(len(members)):
            raise NotShared

    def _base(self, shard: LeaseState) -> Content:
        """What a write starts from: the valid version, and what holders wrote that died before they published it.

        Raises `NotShownYet`.
        """
        for wait in (*RETRY_WAITS_SECONDS, None):
            content = self._valid(shard)
            if content is not None:
                return with_unpublished(content, parse_content(self._secrets.current(shard.subject)))
            if wait is not None:
                self._pause(wait)
        raise NotShownYet(shard.subject)

    def _find(self, lease: LeaseState) -> Pair | None:
        pairs = (pair for content in self._shown(lease.shard) for pair in content.members.get(lease.subject, ()))
        return next((pair for pair in pairs if pair.id == lease.version), None)

    def _shown(self, name: str) -> Iterator[Content]:
        """The valid version, the one written last, and the one before it; empty where the store shows none."""
        yield self._valid(self._leases.read(name)) or Content()
        yield parse_content(self._secrets.current(name)) or Content()
        yield parse_content(self._secrets.previous(name)) or Content()

    def _valid(self, shard: LeaseState) -> Content | None:
        """None if the store does not show it."""
        if not shard.version:
            return Content()
        version, content = self._cache.get(shard.subject, ("", None))
        if version == shard.version:
            return content
        content = parse_content(self._secrets.version(shard.subject, shard.version))
        if content is not None:
            self._remember(shard.subject, shard.version, content)
        return content

    def _write(self, shard: LeaseState, content: Content) -> str:
        content = content.but(serial=content.serial + 1)
        text = content.model_dump_json()
        if len(text) > SHARD_BYTES_MAX:
            raise NotShared(is_full=True)
        version = self._secrets.write(shard.subject, text)
        self._remember(shard.subject, version, content)
        return version

    def _remember(self, name: str, version: str, content: Content) -> None:
        if len(self._cache) >= _CACHE_SIZE_MAX:
            self._cache.clear()
        self._cache[name] = (version, content)

    def _move_on(self, hint: LeaseState, number: int) -> None:
        """Once, and not at all if others have changed the hint: a wrong number costs some reads, nothing else."""
        if number != int(hint.version or 0):
            self._leases.publish_together(Publication(hint, str(number)))


def _name(number: int) -> str:
    return f"{OPEN}/{number:06d}"


def _number(name: str) -> int:
    return int(name.removeprefix(f"{OPEN}/"))
