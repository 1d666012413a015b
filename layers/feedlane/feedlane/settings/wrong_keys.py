"""Slows down whoever tries keys: after some wrong ones within a minute, an address has to wait for the next.

A key has 256 random bits, and nobody finds one by trying. This tells a client with an old key to stop, and keeps the
log readable. So it is small: in the memory of each function instance, which has counted for itself, and never in the
table. A right key is never slowed: behind one address may be a whole office, or a platform's other service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from feedlane.errors import TooManyAttempts, Unauthorized

WRONG_KEYS_MAX = 20
WINDOW = timedelta(minutes=1)
ADDRESSES_MAX = 1_000


class WrongKeys:
    """Counts wrong keys by the address they come from, for a minute from its first one."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[datetime, int]] = {}

    @contextmanager
    def counted(self, address: str, now: datetime) -> Iterator[None]:
        """Around the look-up of a key: counts `Unauthorized`. Raises `TooManyAttempts` for it after too many others.

        `address` is the one that the gateway saw, not a header that the caller can choose.
        """
        source = _network(address)
        began, count = self._counts.get(source, (now, 0))
        if not began <= now < began + WINDOW:
            began, count = now, 0
        try:
            yield
        except Unauthorized:
            if count >= WRONG_KEYS_MAX:
                raise TooManyAttempts(ceil((began + WINDOW - now).total_seconds())) from None
            self._make_room(source)
            self._counts[source] = began, count + 1
            raise

    def forget_all(self) -> None:
        self._counts.clear()

    def _make_room(self, source: str) -> None:
        """The address that has been there longest gives up its place."""
        if source not in self._counts and len(self._counts) >= ADDRESSES_MAX:
            del self._counts[next(iter(self._counts))]


def _network(address: str) -> str:
    """Of an IPv6 address, the part that one customer of a provider has: they can change the rest at will."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return parsed.exploded[:19] if isinstance(parsed, IPv6Address) else address
