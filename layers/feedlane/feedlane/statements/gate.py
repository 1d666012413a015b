"""The gate for calls about statements and feed connections: Xero's rate limits, kept across all function instances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds.feed import Feed
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.scope import Scope
from feedlane.settings.settings import Settings
from feedlane.statements import events as statement_events
from feedlane.statements.limits import (
    APP_STATEMENT_LIMITS,
    Call,
    DayFull,
    Lane,
    Limits,
    Slot,
    Traffic,
    admit,
    finish_call,
    goes_on,
    tenant_limits,
)
from feedlane.statements.reservation import Reservation, put_reservation, valid_reservation
from feedlane.store import keys
from feedlane.store.attempts import Attempt, AttemptsExhausted, attempts
from feedlane.store.records import expiry, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import Delete, Item, Key, Put, Write

# The reason that stands with the slot of whoever waits for the next day.
DAY_FULL = "daily-limit"
TRAFFIC_RETENTION = timedelta(days=2)
ATTEMPTS_MAX = 20
DELAY_SECONDS_MAX = 1.0
CONTENDED_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class _Asked:
    """What there is when a call asks: the traffic of its tenant and of the app, and the slot that it holds."""

    tenant: Traffic
    app: Traffic
    held: Reservation
    settings: Settings
    slot_is_stored: bool


@dataclass
class Admission:
    """A call that the gate has let go, with its first request counted. What else it sends is still to be counted.

    `is_answered`: whether its last request was; False after a time-out, None if nothing came of it so far.
    """

    tenant_id: str
    call_id: str
    has_sent: bool = False
    is_answered: bool | None = None


# The admitted call that is in progress in this thread.
under_way: ContextVar[Admission | None] = ContextVar("admission", default=None)


class Gate:
    """Admits and counts calls about statements. A tenant's limits follow the settings, unless they are passed."""

    def __init__(self, ports: Ports, tenant: Limits | None = None, app: Limits = APP_STATEMENT_LIMITS) -> None:
        self._ports = ports
        self._store = ports.store
        self._tenant = tenant
        self._app = app

    def enter(self, feed: Feed, lane: Lane, call_id: str, ahead: Store | None = None) -> float | None:
        """None: the feed's call may go, and is in progress until `leave`. Otherwise the seconds until its slot.

        The slot is reserved for the feed's next call of this lane. `ahead` has just read the `gate_keys`.
        """
        try:
            for attempt in self._attempts(feed):
                # Attempts may take seconds, and a call has to be counted when it goes.
                now = self._ports.clock()
                asked, ahead = self._read(ahead or self._store, feed, lane, now), None
                if asked.held.until > now:
                    return (asked.held.until - now).total_seconds()
                with attempt:
                    wait_seconds = self._decide(feed, lane, now, call_id, asked)
                    if wait_seconds is None:
                        under_way.set(Admission(feed.tenant_id, call_id))
                    return wait_seconds
        except AttemptsExhausted:
            pass
        return CONTENDED_WAIT_SECONDS

    def leave(self, tenant_id: str, call_id: str) -> None:
        """The call is over. If this cannot be written, the call counts as over by itself after a while."""
        admission = under_way.get()
        is_answered = admission.is_answered if admission is not None and admission.call_id == call_id else None
        under_way.set(None)
        with suppress(AttemptsExhausted):
            leave(self._ports, tenant_id, call_id, is_answered)

    @staticmethod
    def _attempts(feed: Feed) -> Iterator[Attempt]:
        """More and longer than elsewhere: every call of every feed changes the app's count."""
        contended = f"the counts of calls for tenant {feed.tenant_id} and for the app"
        return attempts(contended, attempts_max=ATTEMPTS_MAX, delay_max=DELAY_SECONDS_MAX)

    def _read(self, store: Store, feed: Feed, lane: Lane, now: datetime) -> _Asked:
        items = store.table.get_many(gate_keys(feed, lane))
        tenant_key, app_key, slot_key, _ = gate_keys(feed, lane)
        return _Asked(
            tenant=traffic_in(items.get(tenant_key)),
            app=traffic_in(items.get(app_key)),
            held=valid_reservation(items.get(slot_key), now) or Reservation(until=now),
            settings=record_in(Settings, items.get(keys.SETTINGS)) or Settings(),
            slot_is_stored=slot_key in items,
        )

    def _decide(self, feed: Feed, lane: Lane, now: datetime, call_id: str, asked: _Asked) -> float | None:
        """Counts the call, or gives it a slot. Raises `ConditionFailed` if another call was counted meanwhile."""
        tenant_key, app_key, slot_key, _ = gate_keys(feed, lane)
        limits = self._tenant or tenant_limits(asked.settings.daily_limit)
        tenant = admit(asked.tenant, limits, now, Call(call_id, lane, asked.held.lanes.get(Scope.TENANT)))
        app = admit(asked.app, self._app, now, Call(call_id, lane, asked.held.lanes.get(Scope.APP)))
        if isinstance(tenant, DayFull):
            self._record_day_full(feed.tenant_id, asked.tenant, asked.settings, now)
            # Whoever looks for lost messages sees here that the feed waits, until when and why.
            waits = Reservation(until=goes_on(now), reason=DAY_FULL)
            put_reservation(self._store, slot_key, waits)
            return (waits.until - now).total_seconds()
        if isinstance(tenant, Traffic) and isinstance(app, Traffic):
            used: list[Write] = [Delete(slot_key)] if asked.slot_is_stored else []
            self._store.commit(put_traffic(tenant_key, tenant, now), put_traffic(app_key, app, now), *used)
            return None
        slots = {scope: slot for scope, slot in ((Scope.TENANT, tenant), (Scope.APP, app)) if isinstance(slot, Slot)}
        traffic_keys = {Scope.TENANT: tenant_key, Scope.APP: app_key}
        self._store.commit(*(put_traffic(traffic_keys[scope], slot.traffic, now) for scope, slot in slots.items()))
        reservation = asked.held.later(slots)
        put_reservation(self._store, slot_key, reservation)
        return (reservation.until - now).total_seconds()

    def _record_day_full(self, tenant_id: str, traffic: Traffic, settings: Settings, now: datetime) -> None:
        """Writes the event that the daily limit is reached, once a day. Raises `ConditionFailed`."""
        day = iso(now)[:10]
        if traffic.told == day:
            return
        owner = self._store.table.get(keys.owner(tenant_id))
        company = company_items.find_company(self._store, owner["company_id"]) if owner else None
        id = derived_id("dailyLimit", tenant_id, day)
        event = statement_events.daily_limit_reached(
            self._ports, id, tenant_id, settings.daily_limit, traffic.today, company, now
        )
        self._store.commit(put_traffic(traffic_key(tenant_id), traffic.but(told=day), now), put_event(event))


def gate_keys(feed: Feed, lane: Lane) -> tuple[Key, Key, Key, Key]:
    """What the gate decides on: the traffic of the tenant and of the app, the feed's slot, and the settings."""
    app_key = app_traffic_key(feed.app_subject)
    return traffic_key(feed.tenant_id), app_key, keys.slot(feed.id, lane.name), keys.SETTINGS


def leave(ports: Ports, tenant_id: str, call_id: str, is_answered: bool | None) -> None:
    """Records that a call is over, and whether the tenant answers. Raises `AttemptsExhausted`."""
    key = traffic_key(tenant_id)
    for attempt in attempts(f"the count of calls for tenant {tenant_id}"):
        traffic = record_in(Traffic, ports.store.table.get(key))
        if traffic is None or call_id not in traffic.under_way:
            return
        now = ports.clock()
        with attempt:
            ports.store.commit(put_traffic(key, finish_call(traffic, call_id, now, is_answered), now))


def app_traffic_key(app: str) -> Key:
    """Of our app at Xero, or of our account at Codat."""
    return keys.traffic(Scope.APP, app)


def traffic_key(tenant_id: str) -> Key:
    return keys.traffic(Scope.TENANT, tenant_id)


def traffic_in(item: Item | None) -> Traffic:
    return record_in(Traffic, item) or Traffic()


def put_traffic(key: Key, traffic: Traffic, now: datetime) -> Put:
    return put_record(key, traffic, expires_at=expiry(now, TRAFFIC_RETENTION))
