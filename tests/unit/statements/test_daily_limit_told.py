"""The event that an organisation's statements have reached the daily limit: once a day, with the company."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.statements.gate import Gate
from feedlane.statements.limits import DAILY_CALLS_RESERVED, Lane
from feedlane.store import keys
from feedlane.store.table import ConditionFailed
from tests import builders
from tests.builders import COMPANY, NOW
from tests.worlds.feeds import World, transactions

TENANT = "tenant-1"
LIMIT = DAILY_CALLS_RESERVED + 3
LIMIT_REACHED = "dailyLimit.reached"


@pytest.fixture
def world() -> World:
    """Each organisation's statements have three calls a day."""
    world = World()
    pk, sk = keys.owner(TENANT)
    world.store.table.put_many([{"pk": pk, "sk": sk, "company_id": COMPANY, "mark": "m"}])
    settings: Settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(daily_limit=LIMIT)))
    return world


def call(world: World, tenant: str = TENANT) -> bool:
    """Makes a call if it may go now. Returns whether it could."""
    gate, id = Gate(world.ports), world.new_id()
    feed = builders.feed(account_id=id).but(tenant_id=tenant)
    is_admitted = gate.enter(feed, Lane.POSTS, id) is None
    if is_admitted:
        gate.leave(tenant, id)
    return is_admitted


def test_a_full_day_is_told_once_with_what_it_means(world: World) -> None:
    assert [call(world) for _ in range(6)] == [True, True, True, False, False, False]
    [event] = world.events(LIMIT_REACHED)
    assert event.company_id == COMPANY
    assert event.subject == TENANT
    assert {name: event.payload[name] for name in ("tenantId", "dailyLimit", "calls", "goesOnDate")} == {
        "tenantId": TENANT,
        "dailyLimit": LIMIT,
        "calls": 3,
        "goesOnDate": "2026-05-21T00:00:00.000Z",
    }
    assert event.payload["referenceCompany"]["id"] == COMPANY


def test_a_day_with_room_is_not_told(world: World) -> None:
    assert all(call(world) for _ in range(3))
    assert world.events(LIMIT_REACHED) == []


def test_a_full_minute_is_not_told(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(daily_limit=5000)))
    assert not all(call(world) for _ in range(60))
    assert world.events(LIMIT_REACHED) == []


def test_each_day_and_each_organisation_is_told(world: World) -> None:
    for _ in range(2):
        for tenant in (TENANT, "tenant-2"):
            assert not all(call(world, tenant) for _ in range(5))
        world.now += timedelta(days=1)
    events = world.events(LIMIT_REACHED)
    assert [(event.subject, event.time.day) for event in events] == [
        (TENANT, 20), ("tenant-2", 20), (TENANT, 21), ("tenant-2", 21),
    ]  # fmt: skip
    assert len({event.id for event in events}) == 4
    assert [event.company_id for event in events] == [COMPANY, None, COMPANY, None]


def test_two_that_find_it_full_at_once_tell_it_once(world: World) -> None:
    assert all(call(world) for _ in range(3))
    table: Any = world.store.table
    real = table.commit

    def commit(*writes: Any) -> None:
        table.commit = real
        assert not call(world)
        real(*writes)

    table.commit = commit
    assert not call(world)
    assert len(world.events(LIMIT_REACHED)) == 1


def test_a_call_counted_at_the_same_moment_does_not_keep_it_from_being_told(world: World) -> None:
    assert all(call(world) for _ in range(3))
    table: Any = world.store.table
    real = table.commit

    def commit(*writes: Any) -> None:
        table.commit = real
        raise ConditionFailed([write.key for write in writes])

    table.commit = commit
    assert not call(world)
    assert len(world.events(LIMIT_REACHED)) == 1


def test_a_feed_at_its_limit_waits_tells_and_goes_on_the_next_day(world: World) -> None:
    assert all(call(world) for _ in range(3))
    world.push(transactions(2))
    world.run()
    assert len(world.events(LIMIT_REACHED)) == 1
    assert world.sent_ids() == ["t1", "t2"]
    assert world.now - NOW > timedelta(hours=11)
