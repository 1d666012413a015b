"""Rate limits: fixed windows per tenant and app, concurrent calls per tenant, a rolling minute for statements."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Allowances:
    """Xero's limits. Apps on the Starter tier have 1,000 calls a day."""

    tenant_minute: int = 60
    tenant_day: int = 5000
    tenant_concurrent: int = 5
    app_minute: int = 10_000
    statements_minute: int = 180


@dataclass
class Exceeded:
    """`retry_after` is in whole seconds; None for the concurrent limit, which has no wait."""

    limit: str
    retry_after: int | None


@dataclass
class Window:
    """A fixed window that opens with its first call, so each tenant's resets at its own time."""

    length: timedelta
    opened: datetime | None = None
    used: int = 0

    def count(self, now: datetime) -> int:
        if self.opened is not None and now >= self.opened + self.length:
            self.opened, self.used = None, 0
        return self.used

    def add(self, now: datetime) -> None:
        self.count(now)
        self.opened = self.opened or now
        self.used += 1

    def wait(self, now: datetime) -> int:
        return whole_seconds((self.opened or now) + self.length - now)


@dataclass
class TenantUse:
    minute: Window = field(default_factory=lambda: Window(timedelta(minutes=1)))
    day: Window = field(default_factory=lambda: Window(timedelta(days=1)))
    in_flight: int = 0


class RateLimits:
    def __init__(self) -> None:
        self.allowances = Allowances()
        self._app_minute = Window(timedelta(minutes=1))
        self._tenants: dict[str, TenantUse] = defaultdict(TenantUse)
        self._statements: deque[datetime] = deque()

    def enter(self, tenant_id: str | None, is_statements: bool, now: datetime) -> Exceeded | None:
        """Counts a call, or returns the limit that stops it. Refused calls do not count."""
        exceeded = self._exceeded(tenant_id, is_statements, now)
        if exceeded is not None:
            return exceeded
        self._app_minute.add(now)
        if is_statements:
            self._statements.append(now)
        if tenant_id is not None:
            use = self._tenants[tenant_id]
            use.minute.add(now)
            use.day.add(now)
            use.in_flight += 1
        return None

    def leave(self, tenant_id: str | None) -> None:
        if tenant_id is not None:
            self._tenants[tenant_id].in_flight -= 1

    def headers(self, tenant_id: str | None, now: datetime) -> dict[str, str]:
        """The remaining calls. Without a tenant, only the app's."""
        allowed = self.allowances
        headers = {"X-AppMinLimit-Remaining": _remaining(allowed.app_minute, self._app_minute.count(now))}
        if tenant_id is not None:
            use = self._tenants[tenant_id]
            headers["X-MinLimit-Remaining"] = _remaining(allowed.tenant_minute, use.minute.count(now))
            headers["X-DayLimit-Remaining"] = _remaining(allowed.tenant_day, use.day.count(now))
        return headers

    def _exceeded(self, tenant_id: str | None, is_statements: bool, now: datetime) -> Exceeded | None:
        allowed = self.allowances
        if tenant_id is not None:
            use = self._tenants[tenant_id]
            if use.in_flight >= allowed.tenant_concurrent:
                return Exceeded("concurrent", None)
            if use.day.count(now) >= allowed.tenant_day:
                return Exceeded("day", use.day.wait(now))
            if use.minute.count(now) >= allowed.tenant_minute:
                return Exceeded("minute", use.minute.wait(now))
        if self._app_minute.count(now) >= allowed.app_minute:
            return Exceeded("appminute", self._app_minute.wait(now))
        if is_statements:
            minute = timedelta(minutes=1)
            while self._statements and now >= self._statements[0] + minute:
                self._statements.popleft()
            if len(self._statements) >= allowed.statements_minute:
                return Exceeded("appminute", whole_seconds(self._statements[0] + minute - now))
        return None


def _remaining(allowed: int, used: int) -> str:
    return str(max(0, allowed - used))


def whole_seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
