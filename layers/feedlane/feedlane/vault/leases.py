"""A lease on one secret: who may write it now, and which of its versions is valid.

Secrets Manager has no compare-and-set, so a write takes two steps: first the secret gets a new version that is not
read yet, then the lease item is pointed to it, on condition that the item has not changed. The item's fencing number
rises with every change, so a holder that slept through its lease can no longer publish what it wrote.
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
from feedlane.store.table import ABSENT, Add, ConditionFailed, Contended, Item, Table, When, Write

# Longer than a token request and the write to the store can take together.
LEASE_DURATION = timedelta(seconds=40)
# An end further ahead was set by a wrong clock: it holds nothing up.
LEASE_AHEAD_MAX = 2 * LEASE_DURATION
_ATTEMPTS_MAX = 6


class LeaseState(NamedTuple):
    """A subject's lease item as read. `version` is the valid version; empty: none.

    Times are in milliseconds; 0: never, or unknown. `forced` is the last refresh of a token that had not expired.
    """

    subject: str
    fencing: int
    version: str
    until: int
    published: int = 0
    forced: int = 0
    in_doubt: bool = False

    def is_held(self, now: datetime) -> bool:
        return _milliseconds(now) < self.until <= _milliseconds(now + LEASE_AHEAD_MAX)

    def was_published_within(self, period: timedelta, now: datetime) -> bool:
        return _is_within(self.published, period, now)

    def was_forced_within(self, period: timedelta, now: datetime) -> bool:
        return _is_within(self.forced, period, now)

    def as_forced(self, now: datetime) -> LeaseState:
        return self._replace(forced=_milliseconds(now))


class LeaseLost(Exception):
    """The item has changed since it was read: what was written on its basis is not valid."""


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
        )

    def take(self, state: LeaseState, refresh: bool = False) -> LeaseState | None:
        """Takes the lease and returns its new state; None if it has changed since it was read.

        `refresh` lists it among the refreshes in doubt until its outcome is known.
        """
        now = self._clock()
        until = _milliseconds(now + LEASE_DURATION)
        listed: dict[str, Any] = {"gsi1pk": keys.REFRESHES, "gsi1sk": f"{iso(now)}#{state.subject}"} if refresh else {}
        if not self._update(state, in_doubt=refresh, until=until, owner=self._new_id(), **listed):
            return None
        return state._replace(fencing=state.fencing + 1, until=until)

    def supersede(self, subject: str, version: str, *also: Write) -> None:
        """Makes this version valid even if the lease is held, and takes it from the holder. Raises `Unavailable`.

        `also` are unconditional writes of the same commit.
        """
        for attempt in range(_ATTEMPTS_MAX):
            state = self.read(subject)
            if self._update(state, also=also, until=0, version_id=version, published=self._now()):
                return
            self._pause(0.02 * 2**attempt)
        raise Unavailable(f"The lease of {subject} is contended", 1)

    def publish(self, lease: LeaseState, version: str) -> None:
        """Makes this version valid and frees the lease. Raises `LeaseLost` if it is no longer ours."""
        if not self._update(lease, until=0, version_id=version, published=self._now(), forced=lease.forced):
            raise LeaseLost

    def release(self, lease: LeaseState, in_doubt: bool = False) -> None:
        """Frees the lease without a new version. A lease that was lost stays with its new holder.

        A refresh that is `in_doubt` stays listed: Xero may have rotated the token.
        """
        self._update(lease, in_doubt=in_doubt, until=0)

    def _now(self) -> int:
        return _milliseconds(self._clock())

    def _update(
        self, state: LeaseState, in_doubt: bool = False, also: tuple[Write, ...] = (), **fields: str | int
    ) -> bool:
        when = When(equal={"fencing": state.fencing}) if state.fencing else ABSENT
        removed = () if in_doubt else ("gsi1pk", "gsi1sk")
        write = Add(keys.lease(state.subject), "fencing", 1, set=fields, remove=removed, when=when)
        for attempt in range(_ATTEMPTS_MAX):
            try:
                self._table.commit(write, *also)
                return True
            except Contended:
                # Another write to the item was in progress; it may have failed.
                self._pause(0.02 * 2**attempt)
            except ConditionFailed:
                return False
        return False


def _is_within(milliseconds: int, period: timedelta, now: datetime) -> bool:
    """A time in the future was set by a wrong clock."""
    return _milliseconds(now - period) < milliseconds <= _milliseconds(now)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
