"""Dates are local to the organisation: a date that is still in the future there is neither accepted nor sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from tests.builders import COMPANY, CONNECTION
from tests.worlds.feeds import World, transactions


def world_in(zone: str, now: datetime) -> World:
    world = World()
    world.now = now
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    assert connection.tenant
    world.store.commit(
        company_items.put_connection(connection.but(tenant=connection.tenant.but(time_zone=zone))),
        feed_items.put_feed(world.feed().but(time_zone=zone)),
    )
    return world


@pytest.mark.parametrize(
    ("zone", "now", "today", "tomorrow"),
    [
        ("Pacific/Auckland", datetime(2026, 5, 20, 12, 30, tzinfo=UTC), "2026-05-21", "2026-05-22"),
        ("Pacific/Auckland", datetime(2026, 5, 20, 11, 30, tzinfo=UTC), "2026-05-20", "2026-05-21"),
        ("America/Los_Angeles", datetime(2026, 5, 20, 6, 30, tzinfo=UTC), "2026-05-19", "2026-05-20"),
        # The night in which clocks go back: an hour past midnight is still the same day.
        ("Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25", "2026-10-26"),
        ("Nowhere/Unknown", datetime(2026, 5, 20, 23, 59, tzinfo=UTC), "2026-05-20", "2026-05-21"),
    ],
)
def test_today_is_the_organisations_and_tomorrow_is_refused(
    zone: str, now: datetime, today: str, tomorrow: str
) -> None:
    world = world_in(zone, now)
    with pytest.raises(Invalid) as caught:
        world.push(transactions(1, day=tomorrow))
    assert [(finding.item_id, finding.validator) for finding in caught.value.findings] == [("t1", "NotInTheFuture")]
    world.record(world.message(transactions(1, day=tomorrow)))
    [failed] = world.operations()
    assert (failed.status, failed.errors[0].validator) == (PushStatus.FAILED, "NotInTheFuture")

    world.push(transactions(1, day=today))
    world.run()
    assert world.sent_ids() == ["t1"]


def test_what_an_offset_says_is_ignored() -> None:
    world = world_in("Europe/London", datetime(2026, 5, 20, 12, 0, tzinfo=UTC))
    [transaction] = transactions(1)
    world.push([transaction | {"date": "2026-05-20T23:59:00-11:00"}])
    world.run()
    assert b"2026-05-20" in world.upstream.posts[0][1]


def test_what_became_the_future_when_the_organisation_moved_waits_until_its_day_has_come() -> None:
    """A reconnection can bring another time zone after the line was recorded."""
    world = world_in("Pacific/Auckland", datetime(2026, 5, 20, 12, 30, tzinfo=UTC))
    operation = world.push([*transactions(1), *transactions(1, start=2, day="2026-05-21", opening=10.0)])
    world.step()
    world.store.commit(feed_items.put_feed(world.feed().but(time_zone="America/Los_Angeles")))
    while world.now < datetime(2026, 5, 21, 6, 30, tzinfo=UTC):
        assert world.step()
    assert world.sent_ids() == ["t1"]
    assert world.operation(operation.key).status is PushStatus.PENDING
    world.run()
    assert world.now >= datetime(2026, 5, 21, 7, 0, tzinfo=UTC)
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
