"""The gate for calls about statements and feed connections: Xero's rate limits, kept across all function instances."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings.settings import Settings
from feedlane.statements import events as statement_events
from feedlane.statements.limits import (
    APP_STATEMENT_LIMITS,
    WAIT_SECONDS_MIN,
    Limits,
    RateLimited,
    Traffic,
    admit,
    finish_call,
    tenant_limits,
)
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.records import expiry, put_record, record_in
from feedlane.store.table import ConditionFailed, Key, Put

TRAFFIC_RETENTION = timedelta(days=2)


class Gate:
    """Admits and counts calls about statements. A tenant's limits follow the settings, unless they are passed."""

    def __init__(self, ports: Ports, tenant: Limits | None = None, app: Limits = APP_STATEMENT_LIMITS) -> None:
        self._ports = ports
        self._store = ports.store
        self._tenant = tenant
        self._app = app

    def enter(self, tenant_id: str, now: datetime, call_id: str) -> int | None:
        """None: the call may go, and is in progress until `leave`. Otherwise the seconds after which to try again."""
        try:
            return self._enter(tenant_id, now, call_id)
        except AttemptsExhausted:
            return WAIT_SECONDS_MIN

    def leave(self, tenant_id: str, now: datetime, call_id: str) -> None:
        """The call is over. If this cannot be written, the call counts as over by itself after a while."""
        with suppress(AttemptsExhausted):
            self._leave(tenant_id, now, call_id)

    def _enter(self, tenant_id: str, now: datetime, call_id: str) -> int | None:
        tenant_key, app_key = keys.traffic(Scope.TENANT, tenant_id), keys.traffic(Scope.APP, APP_SUBJECT)
        for attempt in attempts(f"the count of calls for tenant {tenant_id}"):
            items = self._store.table.get_many([tenant_key, app_key, keys.SETTINGS])
            settings = record_in(Settings, items.get(keys.SETTINGS)) or Settings()
            tenant_before = record_in(Traffic, items.get(tenant_key)) or Traffic()
            app_before = record_in(Traffic, items.get(app_key)) or Traffic()
            tenant_now = admit(tenant_before, self._tenant or tenant_limits(settings.daily_limit), now, call_id)
            app_now = admit(app_before, self._app, now, call_id)
            if isinstance(tenant_now, RateLimited):
                if tenant_now.day_is_full and not self._record_day_full(tenant_id, tenant_before, settings, now):
                    continue  # another call was counted at the same time
                return tenant_now.seconds
            if isinstance(app_now, RateLimited):
                return app_now.seconds
            with attempt:
                self._store.commit(_put_traffic(tenant_key, tenant_now, now), _put_traffic(app_key, app_now, now))
        return None

    def _record_day_full(self, tenant_id: str, traffic: Traffic, settings: Settings, now: datetime) -> bool:
        """Writes the event that the daily limit is reached, once a day. False if the commit has to be repeated."""
        day = iso(now)[:10]
        if traffic.told == day:
            return True
        owner = self._store.table.get(keys.owner(tenant_id))
        company = company_items.find_company(self._store, owner["company_id"]) if owner else None
        id = derived_id("dailyLimit", tenant_id, day)
        event = statement_events.daily_limit_reached(
            self._ports, id, tenant_id, settings.daily_limit, traffic.today, company, now
        )
        try:
            self._store.commit(
                _put_traffic(keys.traffic(Scope.TENANT, tenant_id), traffic.but(told=day), now), put_event(event)
            )
        except ConditionFailed:
            return False
        return True

    def _leave(self, tenant_id: str, now: datetime, call_id: str) -> None:
        key = keys.traffic(Scope.TENANT, tenant_id)
        for attempt in attempts(f"the count of calls for tenant {tenant_id}"):
            traffic = record_in(Traffic, self._store.table.get(key))
            if traffic is None or call_id not in traffic.under_way:
                return
            with attempt:
                self._store.commit(_put_traffic(key, finish_call(traffic, call_id), now))


def _put_traffic(key: Key, traffic: Traffic, now: datetime) -> Put:
    return put_record(key, traffic, expires_at=expiry(now, TRAFFIC_RETENTION))
