"""One change at a time to what a lease item names: each starts from the result of the previous one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from feedlane.clock import Clock
from feedlane.errors import Unavailable
from feedlane.vault.leases import LeaseLost, Leases, LeaseState

_ATTEMPTS_MAX = 6


@dataclass
class Change:
    """A change under its lease, which ends when the change is published."""

    leases: Leases
    lease: LeaseState
    what: str
    is_published: bool = False

    def publish(self, version: str) -> None:
        """Makes the written version of the secret the valid one. Raises `Unavailable` if that took too long."""
        try:
            self.leases.publish(self.lease, version)
        except LeaseLost:
            raise Unavailable(f"The change of {self.what} took too long", 1) from None
        self.is_published = True


@contextmanager
def exclusive_change(
    leases: Leases, name: str, what: str, clock: Clock, pause: Callable[[float], None]
) -> Iterator[Change]:
    """Keeps other changes out. Raises `Unavailable` during another change."""
    for attempt in range(_ATTEMPTS_MAX):
        state = leases.read(name)
        lease = None if state.is_held(clock()) else leases.take(state)
        if lease is None:
            pause(0.1 * 2**attempt)
            continue
        change = Change(leases, lease, what)
        try:
            yield change
        finally:
            if not change.is_published:
                leases.release(lease)
        return
    raise Unavailable(f"Another change of {what} is in progress", 5)
