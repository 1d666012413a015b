"""The daily round over all connections. Where it stands is kept, so that any run goes on where the last one ended.

A run is started every few minutes, takes what it has time for, and does nothing once the day's round is done. So a
run may be killed at any moment: the next one takes up the page that it was at, after its claim has run out.
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

# From its start: longer than a run may take, shorter than the time between two.
CLAIM_DURATION = timedelta(minutes=6)
# A refresh whose answer was lost can be repeated for 30 minutes only: three more runs, ten minutes apart.
RECHECKS_PER_CONNECTION_MAX = 3
RECHECKS_MAX = 500
# Token sets asked for in a minute, with two to four calls each: far below the 10,000 calls of an app at Xero.
TOKEN_SETS_PER_MINUTE_MAX = 300


class Recheck(Record):
    """A connection of which nothing could be said, and how often it was looked at again."""

    company_id: str
    connection_id: str
    tries: int = 0


class RoundState(Record):
    """`after` is the connection to go on behind; `day` is when the round began. The counts are the round's."""

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

    def begun(self, day: str) -> RoundState:
        """As it is while it lasts; one that was finished on another day begins anew."""
        if not self.finished or self.day == day:
            return self
        return RoundState(day=day, finished=False, again=self.again, version=self.version)

    def with_page(self, tended: CheckResult) -> RoundState:
        new = tuple(Recheck(company_id=company, connection_id=id) for company, id in tended.unknown)
        return self._add_counts(tended).but(
            after=tended.resume_after or "",
            finished=tended.resume_after is None,
            again=(*self.again, *new)[:RECHECKS_MAX],
        )

    def with_rechecked(self, asked: tuple[Recheck, ...], tended: CheckResult) -> RoundState:
        """Those that stay unknown are asked for a few times more, and then by the next round."""
        unknown = set(tended.unknown)
        left = (one.but(tries=one.tries + 1) for one in asked if (one.company_id, one.connection_id) in unknown)
        return self._add_counts(tended).but(again=tuple(one for one in left if one.tries < RECHECKS_PER_CONNECTION_MAX))

    def _add_counts(self, tended: CheckResult) -> RoundState:
        return self.but(seen=self.seen + tended.seen, ended=self.ended + tended.ended)


@dataclass(frozen=True)
class DailyRound:
    ports: Ports
    connection_check: ConnectionCheck

    def run(self, time_left: Callable[[], timedelta]) -> RoundState | None:
        """The round as this run leaves it; None if another run is at it."""
        try:
            round = self._claim()
            if round is None:
                return None
            round, stop = self._again(round, time_left)
            while not (stop or round.finished):
                tended = self.connection_check.check_page(round.after, time_left)
                round, stop = self._save(round.with_page(tended)), tended.stop
            return self._save(round.but(claimed_until=None)) if round.claimed_until else round
        except ConditionFailed:
            return None  # this run was held up for longer than its claim, and another one took over

    def _claim(self) -> RoundState | None:
        now = self.ports.clock()
        found = record_in(RoundState, self.ports.store.table.get(keys.ROUND)) or RoundState()
        if found.is_claimed(now):
            return None
        round = found.begun(now.date().isoformat())
        if round.finished and not round.again:
            return round
        return self._save(round.but(claimed_until=now + CLAIM_DURATION))

    def _again(self, round: RoundState, time_left: Callable[[], timedelta]) -> tuple[RoundState, bool]:
        """First those that are in doubt, while Xero still honours the old refresh token."""
        if not round.again:
            return round, False
        asked = round.again
        tended = self.connection_check.recheck([(one.company_id, one.connection_id) for one in asked], time_left)
        return self._save(round.with_rechecked(asked, tended)), tended.stop

    def _save(self, round: RoundState) -> RoundState:
        """Raises `ConditionFailed` if another run has written meanwhile."""
        self.ports.store.commit(put_record(keys.ROUND, round))
        return round.but(version=round.version + 1)


class Pacer:
    """At most so many a minute, evenly."""

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
