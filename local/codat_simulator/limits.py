"""Codat's rate limits: calls a day, calls a minute, and concurrent calls, all by the client and its companies."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from local.simulator.limits import Window, whole_seconds


@dataclass
class Allowances:
    """A day has `day` calls, and as many again for every connected company. A new day begins at 00:00 UTC."""

    day: int = 1000
    minute: int = 1000
    concurrent: int = 10
    # The plan's number of companies; the next one gets a 402.
    companies: int | None = None


@dataclass(frozen=True)
class Exceeded:
    """`retry_after` in whole seconds."""

    limit: str
    retry_after: int


class RateLimits:
    def __init__(self) -> None:
        self.allowances = Allowances()
        self.in_flight = 0
        # The end of the day on which the daily limit was reached, until the event of its reset.
        self.reached_until: datetime | None = None
        self._minute = Window(timedelta(minutes=1))
        self._day_ends: datetime | None = None
        self._used = 0

    def enter(self, companies: int, now: datetime) -> Exceeded | None:
        """Counts a call of a client with so many connected companies, or returns the limit that stops it."""
        allowed = self.allowances
        if self.remaining(companies, now) <= 0:
            return Exceeded("day", whole_seconds(day_end(now) - now))
        if self._minute.count(now) >= allowed.minute:
            return Exceeded("minute", self._minute.wait(now))
        if self.in_flight >= allowed.concurrent * max(1, companies):
            return Exceeded("concurrent", 1)
        self._used += 1
        self._minute.add(now)
        self.in_flight += 1
        return None

    def leave(self) -> None:
        self.in_flight -= 1

    def quota(self, companies: int) -> int:
        return self.allowances.day * (1 + companies)

    def remaining(self, companies: int, now: datetime) -> int:
        if self._day_ends is None or now >= self._day_ends:
            self._day_ends, self._used = day_end(now), 0
        return self.quota(companies) - self._used

    def headers(self, companies: int, now: datetime) -> dict[str, str]:
        return {
            "X-Rate-Limit-Limit": str(self.quota(companies)),
            "X-Rate-Limit-Remaining": str(max(0, self.remaining(companies, now))),
            "X-Rate-Limit-Reset": f"{day_end(now):%Y-%m-%dT%H:%M:%SZ}",
        }


def day_end(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
