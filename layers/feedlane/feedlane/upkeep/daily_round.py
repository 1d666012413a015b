"""The daily round over all connections. Its progress is stored, so that each run continues where the last one stopped.

A run starts every few minutes, does what it has time for, and does nothing once the day's round is finished. A run may
be killed at any moment: once its claim has expired, the next run continues with the same page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import put_record, record_in
from feedlane.store.table import ConditionFailed
from feedlane.upkeep.connections import CheckResult, ConnectionCheck

# From a run's start: longer than a run may take, shorter than the time between two runs.
CLAIM_DURATION = timedelta(minutes=6)
# A refresh whose answer was lost can be repeated only within 30 minutes: three more runs, ten minutes apart.
RECHECKS_PER_CONNECTION_MAX = 3
RECHECKS_MAX = 500
# With three to seven calls each: far below Xero's 10,000 calls a minute for an app.
CONNECTIONS_PER_MINUTE_MAX = 300


class Recheck(Record):
    """A connection whose check had no answer, and how often it was checked again."""

    company_id: str
    connection_id: str
    tries: int = 0


class RoundState(Record):
    """`day` is when the round began, `after` the connection after which to continue, `again` the rechecks to do.

    `seen` and `ended` count the connections that the round has checked, and those of them that ended.
    """

    day: str = ""
    after: str = ""
    finished: bool = True
    again: tuple[Recheck, ...] = ()
    claimed_until: datetime | None = None
    seen: int = 0
    ended: int = 0
    version: int = 0

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_until is not None and now < self.claimed_until

    def begin(self, day: str) -> RoundState:
        """A new round if the last one was finished on another day; otherwise the same."""
        if not self.finished or self.day == day:
            return self
        return RoundState(day=day, finished=False, again=self.again, version=self.version)

    def with_page(self, result: CheckResult) -> RoundState:
        new = tuple(Recheck(company_id=company_id, connection_id=id) for company_id, id in result.unknown)
        return self._add_counts(result).but(
            after=result.resume_after or "",
            finished=result.resume_after is None,
            again=(*self.again, *new)[:RECHECKS_MAX],
        )

    def with_rechecked(self, result: CheckResult) -> RoundState:
        """Those that stay unknown are checked a few more times, then left to the next round."""
        unknown = set(result.unknown)
        failed = [recheck for recheck in self.again if (recheck.company_id, recheck.connection_id) in unknown]
        tried = [recheck.but(tries=recheck.tries + 1) for recheck in failed]
        return self._add_counts(result).but(
            again=tuple(recheck for recheck in tried if recheck.tries < RECHECKS_PER_CONNECTION_MAX)
        )

    def _add_counts(self, result: CheckResult) -> RoundState:
        return self.but(seen=self.seen + result.checked, ended=self.ended + result.ended)


@dataclass(frozen=True)
class DailyRound:
    ports: Ports
    connection_check: ConnectionCheck

    def run(self, time_left: Callable[[], timedelta]) -> RoundState | None:
        """Continues the round and returns its new state; None if another run holds it."""
        try:
            state = self._claim()
            if state is None:
                return None
            state, stop = self._run_rechecks(state, time_left)
            while not (stop or state.finished):
                result = self.connection_check.check_page(state.after, time_left)
                state, stop = self._save(state.with_page(result)), result.stop
            return self._save(state.but(claimed_until=None)) if state.claimed_until else state
        except ConditionFailed:
            return None  # this run outlasted its claim, and another one took over

    def _claim(self) -> RoundState | None:
        now = self.ports.clock()
        stored = record_in(RoundState, self.ports.store.table.get(keys.ROUND)) or RoundState()
        if stored.is_claimed(now):
            return None
        state = stored.begin(now.date().isoformat())
        if state.finished and not state.again:
            return state
        return self._save(state.but(claimed_until=now + CLAIM_DURATION))

    def _run_rechecks(self, state: RoundState, time_left: Callable[[], timedelta]) -> tuple[RoundState, bool]:
        """Those in doubt come first, while Xero still honours the old refresh token."""
        if not state.again:
            return state, False
        ids = [(recheck.company_id, recheck.connection_id) for recheck in state.again]
        result = self.connection_check.recheck(ids, time_left)
        return self._save(state.with_rechecked(result)), result.stop

    def _save(self, state: RoundState) -> RoundState:
        """Raises `ConditionFailed` if another run has written since."""
        self.ports.store.commit(put_record(keys.ROUND, state))
        return state.but(version=state.version + 1)


class Pacer:
    """Spaces calls evenly, at most `per_minute`."""

    def __init__(self, per_minute: int, seconds: Callable[[], float], pause: Callable[[float], None]) -> None:
        self._interval_seconds = 60 / per_minute
        self._seconds = seconds
        self._pause = pause
        self._next = 0.0

    def wait(self) -> None:
        now = self._seconds()
        if now < self._next:
            self._pause(self._next - now)
        self._next = max(now, self._next) + self._interval_seconds
