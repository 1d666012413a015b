"""Every request to Xero counts here, whoever makes it: functions that send statements, Link, the API, the daily round.

What is about a feed has passed the gate (`gate.py`), which counted its first request; what else it sends counts towards
the same limits. For all other calls somebody waits: they go before what waits in lanes, up to Xero's own limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.errors import LimitReached
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings import items as settings_items
from feedlane.statements import gate, limits
from feedlane.statements.gate import Admission, put_traffic, traffic_in, traffic_key
from feedlane.statements.limits import DayFull, Limits, Traffic, admit_at_once, goes_on
from feedlane.statements.waits import not_before, set_not_before
from feedlane.store import attempts as attempts_module
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.records import expiry
from feedlane.store.table import Add, ConditionFailed, Contended, Key, Put

# Of the app's 10,000 calls in a minute, the gate gives 175 to feeds. Any 60 seconds touch at most two clock minutes.
OTHER_CALLS_PER_MINUTE_MAX = 4_900
COUNT_RETENTION = timedelta(hours=1)
# How long a call for which somebody waits may wait for room. If it takes longer, the answer says how long.
PATIENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.25
# Calls without a tenant wait for themselves alone: while Xero cannot list organisations, statements may still go.
WITHOUT_TENANT = "without-tenant"


@dataclass(frozen=True)
class SharedCallLimits:
    """Implements `CallLimits` (`feeds/call_limits.py`) for all function instances."""

    ports: Ports
    app: str = APP_SUBJECT
    """Whose waits and counts apply: those of our app at Xero, or of our account at Codat."""

    @contextmanager
    def call(self, tenant_id: str | None) -> Iterator[None]:
        """Counts one request, in progress until the block ends. Raises `LimitReached` if it may not go now."""
        admission = gate.under_way.get()
        if tenant_id is None:
            self._require_no_wait(_app_waits(self.app))
            self._count_for_app()
            yield
        elif admission is not None and admission.tenant_id == tenant_id:
            if admission.has_sent:
                self._count_another(tenant_id)
            admission.has_sent = True
            with _noting_answer(admission):
                yield
        else:
            admission = Admission(tenant_id, self.ports.new_id())
            self._require_no_wait([*_app_waits(self.app)[:1], keys.not_before(Scope.TENANT, tenant_id)])
            self._count_for_person(tenant_id, admission.call_id)
            try:
                self._count_for_app()
                with _noting_answer(admission):
                    yield
            finally:
                with suppress(AttemptsExhausted):  # it then counts as over by itself after a while
                    gate.leave(self.ports, tenant_id, admission.call_id, admission.is_answered)

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Xero asked the app or this tenant to wait so long. All instances keep to it."""
        now = self.ports.clock()
        until = now + timedelta(seconds=seconds)
        if scope is Scope.APP:
            set_not_before(self.ports.store, Scope.APP, self.app, until, now)
        elif tenant_id is None:
            set_not_before(self.ports.store, Scope.APP, _without_tenant(self.app), until, now)
        else:
            set_not_before(self.ports.store, Scope.TENANT, tenant_id, until, now)

    def _require_no_wait(self, waits: list[Key]) -> None:
        now = self.ports.clock()
        until = not_before(self.ports.store, waits)
        if until is not None and until > now:
            raise LimitReached((until - now).total_seconds())

    def _count_for_app(self) -> None:
        """Counts a request that is not about a feed."""
        now = self.ports.clock()
        minute = now.replace(second=0, microsecond=0)
        count = Add(
            keys.calls_in_minute(self.app, iso(minute)[:16]),
            "count",
            1,
            set={"expires_at": expiry(now, COUNT_RETENTION)},
            below=OTHER_CALLS_PER_MINUTE_MAX,
        )
        for attempt in attempts("the count of the app's calls", otherwise=LimitReached(1)):
            with attempt:
                try:
                    self.ports.store.commit(count)
                except Contended:
                    raise
                except ConditionFailed:
                    raise LimitReached((minute + timedelta(minutes=1) - now).total_seconds()) from None

    def _count_for_person(self, tenant_id: str, call_id: str) -> None:
        """Waits a little if the tenant has no room: as a rule a call in progress ends at once."""
        patience = PATIENCE_SECONDS
        while True:
            allowed = limits.limits_for_people(settings_items.settings(self.ports.store).daily_limit)
            wait = self._count(tenant_id, allowed, call_id)
            if wait is None:
                return
            if wait > patience:
                raise LimitReached(wait)
            patience -= PAUSE_SECONDS
            attempts_module.sleep(PAUSE_SECONDS)

    def _count_another(self, tenant_id: str) -> None:
        """Counts one more request of a call that is in progress, such as the next page of a list."""
        allowed = limits.tenant_limits(settings_items.settings(self.ports.store).daily_limit)
        wait = self._count(tenant_id, allowed, None)
        if wait is not None:
            raise LimitReached(wait)

    def _count(self, tenant_id: str, allowed: Limits, call_id: str | None) -> float | None:
        """None: the request is counted. Otherwise the seconds until there may be room for it.

        What is about a feed counts for the app's statements as well: they have a limit of their own.
        """
        is_for_feed = call_id is None
        wanted = {traffic_key(tenant_id): allowed}
        if is_for_feed:
            wanted[gate.app_traffic_key(self.app)] = limits.APP_STATEMENT_LIMITS
        for attempt in attempts(f"the count of calls for tenant {tenant_id}", otherwise=LimitReached(1)):
            now = self.ports.clock()
            items = self.ports.store.table.get_many(wanted)
            answers = {key: admit_at_once(traffic_in(items.get(key)), wanted[key], now, call_id) for key in wanted}
            waits = [_seconds(answer, now) for answer in answers.values() if not isinstance(answer, Traffic)]
            if waits:
                return max(waits)
            counted: list[Put] = [
                put_traffic(key, answer, now) for key, answer in answers.items() if isinstance(answer, Traffic)
            ]
            with attempt:
                self.ports.store.commit(*counted)
        return None


@contextmanager
def _noting_answer(admission: Admission) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        admission.is_answered = False
        raise
    # Any other error, such as a broken connection, says nothing: it cost no time.
    admission.is_answered = True


def _seconds(answer: float | DayFull, now: datetime) -> float:
    return (goes_on(now) - now).total_seconds() if isinstance(answer, DayFull) else answer


def _app_waits(app: str) -> list[Key]:
    return [keys.not_before(Scope.APP, app), keys.not_before(Scope.APP, _without_tenant(app))]


def _without_tenant(app: str) -> str:
    return WITHOUT_TENANT if app == APP_SUBJECT else f"{app}-{WITHOUT_TENANT}"
