"""A lease on one secret: who may write it now, and which of its versions is valid.

Secrets Manager has no compare-and-set, so a write takes two steps: first the secret gets a new version that is not
read yet, then the lease item is pointed to it, on condition that the item has not changed. The item's fencing number
rises with every change, so a holder that slept through its lease can no longer publish what it wrote.

The item also says where a token set's valid version is (its own secret, or a shard) and when versions were written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from feedlane.clock import Clock, iso
from feedlane.errors import Unavailable
from feedlane.ids import new_id
from feedlane.store import keys
from feedlane.store.table import ABSENT, Add, ConditionFailed, Contended, Item, Key, Table, When, Write

# Longer than a token request and the write to the store can take together.
LEASE_DURATION = timedelta(seconds=40)
# An end further ahead was set by a wrong clock: it holds nothing up.
LEASE_AHEAD_MAX = 2 * LEASE_DURATION
# Secrets Manager counts a secret's versions of so long a time.
DAY = timedelta(hours=24)
_ATTEMPTS_MAX = 6


class LeaseState(NamedTuple):
    """A subject's lease item as read. `version` is the valid version; empty: none.

    Times are in milliseconds; 0: never, or unknown. `forced` is the last refresh of a token that had not expired.
    `writes` are the times at which versions were written, or may have been, within the last day.

    Of a token set: `shard` is the shared secret in which it has a place, if it has one. `is_shared` says that the valid
    version is there. Otherwise it is in a secret of its own, the one with the number `own`; `leftovers` are the numbers
    of former ones that may still exist; `is_settled`: it was refreshed without a doubt since they were left.
    Of a shard: `members` is the number of token sets in it.
    """

    subject: str
    fencing: int
    version: str
    until: int
    published: int = 0
    forced: int = 0
    in_doubt: bool = False
    writes: tuple[int, ...] = ()
    shard: str = ""
    is_shared: bool = False
    own: int = 0
    leftovers: tuple[int, ...] = ()
    is_settled: bool = False
    members: int = 0

    def is_held(self, now: datetime) -> bool:
        return _milliseconds(now) < self.until <= _milliseconds(now + LEASE_AHEAD_MAX)

    def was_published_within(self, period: timedelta, now: datetime) -> bool:
        return _is_within(self.published, period, now)

    def was_forced_within(self, period: timedelta, now: datetime) -> bool:
        return _is_within(self.forced, period, now)

    def as_forced(self, now: datetime) -> LeaseState:
        return self._replace(forced=_milliseconds(now))

    def writes_of_a_day(self, now: datetime) -> tuple[int, ...]:
        return tuple(moment for moment in self.writes if _is_within(moment, DAY, now))


class LeaseLost(Exception):
    """The item has changed since it was read: what was written on its basis is not valid."""


class Publication(NamedTuple):
    """A version that becomes valid, and fields of the lease item that change with it."""

    lease: LeaseState
    version: str
    fields: Item = {}


class Leases:
    def __init__(
        self,
        table: Table,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
        new_id: Callable[[], str] = new_id,
    ) -> None:
        self._table = table
        self._clock = clock
        self._pause = pause
        self._new_id = new_id

    def read(self, subject: str) -> LeaseState:
        item: Item = self._table.get(keys.lease(subject)) or {}
        return LeaseState(
            subject,
            fencing=item.get("fencing", 0),
            version=item.get("version_id", ""),
            until=item.get("until", 0),
            published=item.get("published", 0),
            forced=item.get("forced", 0),
            in_doubt="gsi1pk" in item,
            writes=tuple(item.get("writes", ())),
            shard=item.get("shard", ""),
            is_shared=item.get("is_shared", False),
            own=item.get("own", 0),
            leftovers=tuple(item.get("leftovers", ())),
            is_settled=item.get("is_settled", False),
            members=item.get("members", 0),
        )

    def take(
        self, state: LeaseState, refresh: bool = False, duration: timedelta = LEASE_DURATION, shard: str = ""
    ) -> LeaseState | None:
        """Takes the lease and returns its new state; None if it has changed since it was read.

        `refresh` counts it as a write and lists it among the refreshes in doubt until its outcome is known. `shard` is
        the token set's place from now on.
        """
        now = self._clock()
        until = _milliseconds(now + duration)
        fields: Item = {"until": until, "owner": self._new_id()}
        taken = state._replace(fencing=state.fencing + 1, until=until)
        if refresh:
            taken = taken._replace(writes=(*state.writes_of_a_day(now), _milliseconds(now)))
            fields |= {"gsi1pk": keys.REFRESHES, "gsi1sk": f"{iso(now)}#{state.subject}", "writes": list(taken.writes)}
        if shard:
            taken = taken._replace(shard=shard)
            fields["shard"] = shard
        return None if self._update(state, in_doubt=refresh, **fields) else taken

    def supersede(self, subject: str, version: str, *also: Write, **fields: Any) -> None:
        """Makes this version valid even if the lease is held, and takes it from the holder. Raises `Unavailable`.

        `also` are unconditional writes of the same commit.
        """
        for attempt in range(_ATTEMPTS_MAX):
            if not self._commit(Publication(self.read(subject), version, fields), also=also):
                return
            self._pause(0.02 * 2**attempt)
        raise Unavailable(f"The lease of {subject} is contended", 1)

    def publish(self, lease: LeaseState, version: str, **fields: Any) -> None:
        """Makes this version valid and frees the lease. Raises `LeaseLost` if it is no longer ours."""
        if self._commit(Publication(lease, version, {"forced": lease.forced} | fields)):
            raise LeaseLost

    def publish_together(self, *publications: Publication) -> list[str]:
        """Makes all these versions valid and frees their leases, or none. Returns the subjects whose lease was lost."""
        return self._commit(*publications)

    def release(self, lease: LeaseState, in_doubt: bool = False, unwritten: bool = False) -> None:
        """Frees the lease without a new version. A lease that was lost stays with its new holder.

        A refresh that is `in_doubt` stays listed: Xero may have rotated the token. `unwritten`: no version was written.
        """
        fields = {"writes": list(lease.writes[:-1])} if unwritten else {}
        self._update(lease, in_doubt=in_doubt, until=0, **fields)

    def _commit(self, *publications: Publication, also: tuple[Write, ...] = ()) -> list[str]:
        published = _milliseconds(self._clock())
        writes = (
            _write(lease, until=0, version_id=version, published=published, **fields)
            for lease, version, fields in publications
        )
        return self._attempt(*writes, *also)

    def _update(self, state: LeaseState, in_doubt: bool, **fields: Any) -> list[str]:
        return self._attempt(_write(state, in_doubt, **fields))

    def _attempt(self, *writes: Write) -> list[str]:
        """Returns the subjects of items that have changed; then nothing is written."""
        failed: tuple[Key, ...] = ()
        for attempt in range(_ATTEMPTS_MAX):
            try:
                self._table.commit(*writes)
                return []
            except Contended as error:
                # Another write to an item was in progress; it may have failed.
                failed = error.keys
                self._pause(0.02 * 2**attempt)
            except ConditionFailed as error:
                failed = error.keys
                break
        return [keys.subject_of_lease(key) for key in failed]


def _write(state: LeaseState, in_doubt: bool = False, **fields: Any) -> Add:
    when = When(equal={"fencing": state.fencing}) if state.fencing else ABSENT
    removed = () if in_doubt else ("gsi1pk", "gsi1sk")
    return Add(keys.lease(state.subject), "fencing", 1, set=fields, remove=removed, when=when)


def _is_within(milliseconds: int, period: timedelta, now: datetime) -> bool:
    """A time in the future was set by a wrong clock."""
    return _milliseconds(now - period) < milliseconds <= _milliseconds(now)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
