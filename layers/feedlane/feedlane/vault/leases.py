"""A lease on one secret: who may write it now, and which of its versions counts.

Secrets Manager has no compare-and-set, so a write is two steps: the secret gets a new version that nobody
reads yet, then the lease item is pointed to it, on condition that nothing happened to the item meanwhile. The
item's fencing number rises with every change, so that a holder that slept through its lease can no longer
publish what it wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from feedlane.clock import Clock, iso
from feedlane.errors import Unavailable
from feedlane.ids import new_id
from feedlane.store import keys
from feedlane.store.table import ABSENT, Add, ConditionFailed, Contended, Item, Table, When

# Longer than a token request and the store's write may take together.
LEASE_DURATION = timedelta(seconds=40)
# An end further away than clocks may differ was set by a clock that is wrong: nobody has to wait for it.
LEASE_AHEAD_MAX = 2 * LEASE_DURATION
_TRIES = 6


class LeaseState(NamedTuple):
    """A subject's lease item as it was read. `version` is the version that counts; empty: none."""

    subject: str
    fencing: int
    version: str
    until: int

    def is_held(self, now: datetime) -> bool:
        return _milliseconds(now) < self.until <= _milliseconds(now + LEASE_AHEAD_MAX)


class LeaseLost(Exception):
    """Somebody was at the item since it was seen: what was written on the strength of it does not count."""


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

    def look(self, subject: str) -> LeaseState:
        item: Item = self._table.get(keys.lease(subject)) or {}
        return LeaseState(subject, item.get("fencing", 0), item.get("version_id", ""), item.get("until", 0))

    def take(self, seen: LeaseState, refresh: bool = False) -> LeaseState | None:
        """The lease, if nothing happened to it since it was seen (nothing need be read again); or None.

        For a refresh it is listed as one whose end nobody knows, until somebody does.
        """
        now = self._clock()
        until = _milliseconds(now + LEASE_DURATION)
        listed = {"gsi1pk": keys.REFRESHES, "gsi1sk": f"{iso(now)}#{seen.subject}"} if refresh else {}
        if not self._update(seen, in_doubt=refresh, until=until, owner=self._new_id(), **listed):
            return None
        return seen._replace(fencing=seen.fencing + 1, until=until)

    def announce(self, subject: str, version: str) -> None:
        """From now on this version counts, whoever holds the lease: the holder's work has no point now."""
        for attempt in range(_TRIES):
            if self._update(self.look(subject), until=0, version_id=version):
                return
            self._pause(0.02 * 2**attempt)
        raise Unavailable(f"The lease of {subject} is contended", 1)

    def publish(self, lease: LeaseState, version: str) -> None:
        """This version counts from now on, and the lease is free. Raises `Lost` if it is no longer ours."""
        if not self._update(lease, until=0, version_id=version):
            raise LeaseLost

    def release(self, lease: LeaseState, in_doubt: bool = False) -> None:
        """Without news. A lease that was lost meanwhile stays with whom it belongs to.

        A refresh that is `in_doubt` stays listed: Xero may have rotated the token.
        """
        self._update(lease, in_doubt=in_doubt, until=0)

    def _update(self, seen: LeaseState, in_doubt: bool = False, **fields: str | int) -> bool:
        when = When(equal={"fencing": seen.fencing}) if seen.fencing else ABSENT
        gone = () if in_doubt else ("gsi1pk", "gsi1sk")
        write = Add(keys.lease(seen.subject), "fencing", 1, set=fields, remove=gone, when=when)
        for attempt in range(_TRIES):
            try:
                self._table.commit(write)
                return True
            except Contended:
                # Somebody was at the item in that moment, not necessarily with success.
                self._pause(0.02 * 2**attempt)
            except ConditionFailed:
                return False
        return False


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
