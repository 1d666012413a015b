"""The gate for calls about statements and feed connections: Xero's rate limits, kept across all function instances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds.feed import Feed
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings.settings import Settings
from feedlane.statements import events as statement_events
from feedlane.statements.limits import (
    APP_STATEMENT_LIMITS,
    DAY_FULL_WAIT_SECONDS,
    Call,
    DayFull,
    Lane,
    Limits,
    Slot,
    Traffic,
    admit,
    finish_call,
    tenant_limits,
)
from feedlane.statements.reservation import Reservation, put_reservation, valid_reservation
from feedlane.store import keys
from feedlane.store.attempts import Attempt, AttemptsExhausted, attempts
from feedlane.store.records import expiry, put_record, record_in
from feedlane.store.table import Delete, Item, Key, Put, Write

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


class Gate:
    """Admits and counts calls about statements. A tenant's limits follow the settings, unless they are passed."""

    def __init__(self, ports: Ports, tenant: Limits | None = None, app: Limits = APP_STATEMENT_LIMITS) -> None:
        self._ports = ports
        self._store = ports.store
        self._tenant = tenant
        self._app = app

    def enter(self, feed: Feed, lane: Lane, call_id: str) -> float | None:
        """None: the feed's call may go, and is in progress until `leave`. Otherwise the seconds until its slot.

        The slot is reserved for the feed's next call of this lane.
        """
        try:
            for attempt in self._attempts(feed):
                # Attempts may take seconds, and a call has to be counted when it goes.
                now = self._ports.clock()
                asked = self._read(feed, lane, now)
                if asked.held.until > now:
                    return (asked.held.until - now).total_seconds()
                with attempt:
                    return self._decide(feed, lane, now, call_id, asked)
        except AttemptsExhausted:
            pass
        return CONTENDED_WAIT_SECONDS

    def leave(self, tenant_id: str, call_id: str) -> None:
        """The call is over. If this cannot be written, the call counts as over by itself after a while."""
        with suppress(AttemptsExhausted):
            self._leave(tenant_id, call_id)

    @staticmethod
    def _attempts(feed: Feed) -> Iterator[Attempt]:
        """More and longer than elsewhere: every call of every feed changes the app's count."""
        contended = f"the counts of calls for tenant {feed.tenant_id} and for the app"
        return attempts(contended, attempts_max=ATTEMPTS_MAX, delay_max=DELAY_SECONDS_MAX)

    def _read(self, feed: Feed, lane: Lane, now: datetime) -> _Asked:
        tenant_key, app_key, slot_key = _tenant_key(feed.tenant_id), _APP_KEY, keys.slot(feed.id, lane.name)
        items = self._store.table.get_many([tenant_key, app_key, slot_key, keys.SETTINGS])
        return _Asked(
            tenant=_traffic_in(items.get(tenant_key)),
            app=_traffic_in(items.get(app_key)),
            held=valid_reservation(items.get(slot_key), now) or Reservation(until=now),
            settings=record_in(Settings, items.get(keys.SETTINGS)) or Settings(),
            slot_is_stored=slot_key in items,
        )

    def _decide(self, feed: Feed, lane: Lane, now: datetime, call_id: str, asked: _Asked) -> float | None:
        """Counts the call, or gives it a slot. Raises `ConditionFailed` if another call was counted meanwhile."""
        tenant_key, slot_key = _tenant_key(feed.tenant_id), keys.slot(feed.id, lane.name)
        limits = self._tenant or tenant_limits(asked.settings.daily_limit)
        tenant = admit(asked.tenant, limits, now, Call(call_id, lane, asked.held.lanes.get(Scope.TENANT)))
        app = admit(asked.app, self._app, now, Call(call_id, lane, asked.held.lanes.get(Scope.APP)))
        if isinstance(tenant, DayFull):
            self._record_day_full(feed.tenant_id, asked.tenant, asked.settings, now)
            return DAY_FULL_WAIT_SECONDS
        if isinstance(tenant, Traffic) and isinstance(app, Traffic):
            used: list[Write] = [Delete(slot_key)] if asked.slot_is_stored else []
            self._store.commit(_put_traffic(tenant_key, tenant, now), _put_traffic(_APP_KEY, app, now), *used)
            return None
        slots = {scope: slot for scope, slot in ((Scope.TENANT, tenant), (Scope.APP, app)) if isinstance(slot, Slot)}
        traffic_keys = {Scope.TENANT: tenant_key, Scope.APP: _APP_KEY}
        self._store.commit(*(_put_traffic(traffic_keys[scope], slot.traffic, now) for scope, slot in slots.items()))
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
        self._store.commit(_put_traffic(_tenant_key(tenant_id), traffic.but(told=day), now), put_event(event))

    def _leave(self, tenant_id: str, call_id: str) -> None:
        key = _tenant_key(tenant_id)
        for attempt in attempts(f"the count of calls for tenant {tenant_id}"):
            traffic = record_in(Traffic, self._store.table.get(key))
            if traffic is None or call_id not in traffic.under_way:
                return
            with attempt:
                self._store.commit(_put_traffic(key, finish_call(traffic, call_id), self._ports.clock()))


_APP_KEY = keys.traffic(Scope.APP, APP_SUBJECT)


def _tenant_key(tenant_id: str) -> Key:
    return keys.traffic(Scope.TENANT, tenant_id)


def _traffic_in(item: Item | None) -> Traffic:
    return record_in(Traffic, item) or Traffic()


def _put_traffic(key: Key, traffic: Traffic, now: datetime) -> Put:
    return put_record(key, traffic, expires_at=expiry(now, TRAFFIC_RETENTION))
