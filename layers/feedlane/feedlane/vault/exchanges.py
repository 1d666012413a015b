"""What became of each code that Xero gave a customer: a code can be exchanged once, but its callback may be repeated.

The item of a code has no token and no code: only the code's fingerprint, and what the grant says beside its tokens.
The tokens are in Secrets Manager.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from feedlane.clock import Clock, epoch
from feedlane.credentials.vault import Grant
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.store import keys
from feedlane.store.table import Add, ConditionFailed, Table, When, Write

# Longer than an exchange can take: the vault's function ends after 30 seconds.
EXCHANGE_DURATION = timedelta(seconds=35)
# Much longer than a customer's state is valid.
RETENTION = timedelta(days=1)
_WAITS_MAX = 16
_WAIT_SECONDS = 0.25


class Exchanges:
    def __init__(self, table: Table, clock: Clock, pause: Callable[[float], None]) -> None:
        self._table = table
        self._clock = clock
        self._pause = pause

    def begin(self, code: str) -> Grant | None:
        """The grant that the code has brought, without its access token; None: it is now ours to exchange.

        Waits a moment for another exchange of the same code: two at Xero at once would revoke each other's tokens.
        Raises `Unavailable` if that takes long.
        """
        for _ in range(_WAITS_MAX):
            item = self._table.get(_key(code)) or {}
            if "grant" in item:
                return Grant.model_validate(item["grant"] | {"access_token": ""})
            if item.get("until", 0) <= self._now() and self._take(code, item.get("tries", 0)):
                return None
            self._pause(_WAIT_SECONDS)
        raise Unavailable("The code is being exchanged", 5)

    def give_back(self, code: str) -> None:
        """Xero has not taken the code, or has refused it: another try need not wait."""
        self._table.commit(Add(_key(code), "tries", 1, set={"until": 0}))

    def finished(self, code: str, grant: Grant) -> Write:
        """The write that makes every later exchange of the code answer this grant."""
        facts: dict[str, Any] = grant.model_dump(mode="json", exclude={"access_token"})
        return Add(_key(code), "tries", 1, set={"grant": facts, "expires_at": epoch(self._clock() + RETENTION)})

    def _take(self, code: str, tries: int) -> bool:
        now = self._clock()
        fields = {"until": epoch(now + EXCHANGE_DURATION), "expires_at": epoch(now + RETENTION)}
        when = When(equal={"tries": tries}) if tries else When(absent=True)
        try:
            self._table.commit(Add(_key(code), "tries", 1, set=fields, when=when))
        except ConditionFailed:
            return False
        return True

    def _now(self) -> int:
        return epoch(self._clock())


def _key(code: str) -> tuple[str, str]:
    return keys.exchange(fingerprint(code))
