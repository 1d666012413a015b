"""The wait that Xero's token endpoint asks for, kept by all instances of the vault and for all customers."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.clock import Clock, iso
from feedlane.errors import Unavailable
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.table import Add, ConditionFailed, Table, When

_KEY = keys.not_before(Scope.APP, "token-endpoint")
_RETENTION = timedelta(days=2)


class EndpointWait:
    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def require_over(self) -> None:
        """Raises `Unavailable` with the time that is left of the wait."""
        item = self._table.get(_KEY)
        if item is None:
            return
        seconds = (datetime.fromisoformat(item["until"]) - self._clock()).total_seconds()
        if seconds > 0:
            raise Unavailable("Xero asked not to be asked for tokens now", math.ceil(seconds))

    def note(self, seconds: int) -> None:
        """Keeps the latest of all waits."""
        now = self._clock()
        until = iso(now + timedelta(seconds=seconds))
        times = {"until": until, "expires_at": expiry(now + timedelta(seconds=seconds), _RETENTION)}
        with suppress(ConditionFailed):  # a later one is known, or another instance has just noted the same
            self._table.commit(Add(_KEY, "waits", 1, set=times, when=When(absent=True, before={"until": until})))
