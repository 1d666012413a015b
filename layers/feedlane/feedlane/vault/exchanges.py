"""What became of each code that Xero gave a customer: a code can be exchanged once, but its callback may be repeated.

The item of a code has no token and no code: only fingerprints of the code and of the start that it belongs to, and what
the grant says beside its tokens. The tokens are in Secrets Manager.

Xero checks a code's redirect URI and PKCE's verifier, and a repeat does not get that far. So who repeats a code has to
come from the same start, or the code is as dead as it would be at Xero.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from feedlane.clock import Clock, epoch
from feedlane.credentials.problems import CODE_OF_ANOTHER_START, GRANT_LOST
from feedlane.credentials.vault import Grant
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.store import keys
from feedlane.store.table import Add, ConditionFailed, Table, When, Write

# Longer than an exchange can take: the vault's function ends after 30 seconds.
EXCHANGE_DURATION = timedelta(seconds=35)
# Much longer than a customer's state is valid.
RETENTION = timedelta(days=1)
# How long a customer's reload may still reach the process that has what could not be stored.
HOPE = timedelta(minutes=3)
_WAITS_MAX = 16
_WAIT_SECONDS = 0.25


class Exchanges:
    def __init__(self, table: Table, clock: Clock, pause: Callable[[float], None]) -> None:
        self._table = table
        self._clock = clock
        self._pause = pause

    def begin(self, code: str, start: str) -> Grant | None:
        """The grant that the code has brought, without its access token; None: it is now ours to exchange.

        Waits a moment for another exchange of the same code: two at Xero at once would revoke each other's tokens.
        Raises `Unavailable` if that takes long, `ReconnectionNeeded` if the code belongs to another start. Then Xero is
        not asked either: it might revoke the tokens that the code has brought.
        """
        for _ in range(_WAITS_MAX):
            item = self._table.get(_key(code)) or {}
            is_over = item.get("until", 0) <= self._now()
            if item.get("start", start) != start and ("grant" in item or is_over):
                raise ReconnectionNeeded(CODE_OF_ANOTHER_START)
            if "taken" in item and "grant" not in item:
                self._require_hope(item["taken"])
            if "grant" in item:
                return Grant.model_validate(item["grant"] | {"access_token": ""})
            if is_over and self._take(code, start, item.get("tries", 0)):
                return None
            self._pause(_WAIT_SECONDS)
        raise Unavailable("The code is being exchanged", 5)

    def give_back(self, code: str, is_refused: bool) -> None:
        """Xero has not taken the code, or has refused it: another try need not wait.

        Refused, the code belongs to no start: the one that it was refused to may not have been its own.
        """
        removed = ("start",) if is_refused else ()
        self._table.commit(Add(_key(code), "tries", 1, set={"until": 0}, remove=removed))

    def record_unstored(self, code: str) -> None:
        """Xero has taken the code, and what it gave is only in this process's memory: it may not be sent again."""
        self._table.commit(Add(_key(code), "tries", 1, set={"taken": self._now(), "until": 0}))

    def _require_hope(self, taken: int) -> None:
        """Raises `Unavailable` while the process that has the tokens may still store them, then `ReconnectionNeeded`.

        Xero is not asked: it might revoke what the code has brought.
        """
        if self._now() < taken + HOPE.total_seconds():
            raise Unavailable("What the code has brought is not stored yet", 5)
        raise ReconnectionNeeded(GRANT_LOST)

    def finished(self, code: str, start: str, grant: Grant) -> Write:
        """The write that makes every later exchange of the code, by the same start, answer this grant."""
        facts: dict[str, Any] = grant.model_dump(mode="json", exclude={"access_token"})
        expires_at = epoch(self._clock() + RETENTION)
        return Add(_key(code), "tries", 1, set={"grant": facts, "start": start, "expires_at": expires_at})

    def _take(self, code: str, start: str, tries: int) -> bool:
        now = self._clock()
        fields = {"until": epoch(now + EXCHANGE_DURATION), "start": start, "expires_at": epoch(now + RETENTION)}
        when = When(equal={"tries": tries}) if tries else When(absent=True)
        try:
            self._table.commit(Add(_key(code), "tries", 1, set=fields, when=when))
        except ConditionFailed:
            return False
        return True

    def _now(self) -> int:
        return epoch(self._clock())


def start_of(redirect_uri: str, code_verifier: str | None, state: str) -> str:
    """The fingerprint of a start of an authorisation. `state` is the state's fingerprint."""
    return fingerprint("\x1f".join((redirect_uri, code_verifier or "", state)))


def _key(code: str) -> tuple[str, str]:
    return keys.exchange(fingerprint(code))
