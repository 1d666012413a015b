"""The feed's start date: what is dated before it is recorded, set aside and never sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds import set_aside_items
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.mapping import mapping, unmapping
from feedlane.pushes.outcomes import outcome_page
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.worlds.feeds import World, transactions

APRIL, MAY = transactions(2, day="2026-04-30"), transactions(2, start=3, day="2026-05-01", opening=20.0)
HISTORY = [*APRIL, *MAY]


@pytest.fixture
def world() -> World:
    world = World()
    world.store.commit(feed_items.put_feed(world.feed().but(start_date="2026-05-01")))
    return world


def outcomes(world: World, operation: PushOperation) -> dict[str, str]:
    page = outcome_page(world.store, world.operation(operation.key), 0, 100)
    return {one.id: str(one.outcome) for one in page.outcomes}


def set_aside(world: World) -> list[str]:
    return [line.transaction_id for line in set_aside_items.read_set_aside(world.store, world.feed().id)]


def test_what_is_earlier_is_set_aside_and_the_rest_is_sent(world: World) -> None:
    operation = world.push(HISTORY)
    world.run()
    assert world.sent_ids() == ["t3", "t4"]
    assert outcomes(world, operation) == {"t1": "SetAside", "t2": "SetAside", "t3": "Delivered", "t4": "Delivered"}
    ended = world.operation(operation.key)
    assert ended.status is PushStatus.SUCCESS
    assert [(w.item_id, w.validator) for w in ended.warnings] == [("t1", "BeforeFeedStart"), ("t2", "BeforeFeedStart")]
    assert (set_aside(world), world.feed().set_aside, world.feed().waiting) == (["t1", "t2"], 2, 0)


def test_a_push_of_earlier_ones_alone_ends_at_once_and_nothing_is_left_to_do(world: World) -> None:
    world.record(world.message(APRIL))
    [operation] = world.operations()
    assert (operation.status, world.queues.woken) == (PushStatus.SUCCESS, [])
    assert (world.feed().waiting, world.feed().delivered_through, world.feed().look) == (0, 2, None)

    world.record(world.message(APRIL))
    world.record(world.message(MAY))
    world.run()
    assert [one.status for one in world.operations()] == [PushStatus.SUCCESS] * 3
    assert world.sent_ids() == ["t3", "t4"]


def test_pushes_of_one_batch_are_counted_together(world: World) -> None:
    world.record(world.message(APRIL[:1]), world.message(APRIL[1:]), world.message(MAY))
    assert sorted(one.status for one in world.operations()) == ["Pending", "Success", "Success"]
    world.run()
    assert {one.status for one in world.operations()} == {PushStatus.SUCCESS}
    assert (world.sent_ids(), set_aside(world)) == (["t3", "t4"], ["t1", "t2"])


def test_earlier_ones_behind_what_waits_keep_their_place_and_their_push_ends_with_it(world: World) -> None:
    """What waited when the account was mapped is sent, whatever its date."""
    world.store.commit(feed_items.put_feed(world.feed().but(start_date="")))
    world.record(world.message(APRIL[:1]))
    world.store.commit(feed_items.put_feed(world.feed().but(start_date="2026-05-01")))
    world.record(world.message(APRIL[1:]))
    assert [one.status for one in world.operations()] == [PushStatus.PENDING] * 2
    assert (world.feed().waiting, world.feed().set_aside_ahead) == (1, 1)
    world.run()
    assert [one.status for one in world.operations()] == [PushStatus.SUCCESS] * 2
    world.record(world.message(MAY))
    world.run()
    assert (world.sent_ids(), set_aside(world)) == (["t1", "t3", "t4"], ["t2"])
    assert world.feed().waiting == 0


def test_a_mapping_brings_the_start_date_and_the_next_one_another() -> None:
    world = World()
    unmap(world)
    map_again(world, "2026-05-01T00:00:00Z")
    assert world.feed().start_date == "2026-05-01"
    for same in (None, "2026-05-01", "2026-05-01T00:00:00Z"):
        map_again(world, same)
    assert world.feed().start_date == "2026-05-01"
    with pytest.raises(Invalid, match="disconnected first"):
        map_again(world, "2026-05-02")
    unmap(world)
    map_again(world, None)
    assert (world.feed().start_date, hold_items.holds(world.store)) == ("", [])


@pytest.mark.parametrize(
    ("start", "allowed"),
    [
        ("2025-05-20", False),
        ("2025-05-21", True),
        ("2026-05-21T00:00:00", True),
        ("2026-05-22", False),
        ("2020-01-01", False),
        ("2030-01-01T00:00:00Z", False),
    ],
)
def test_the_start_date_is_from_a_year_ago_to_today_where_the_organisation_is(start: str, allowed: bool) -> None:
    world = World()
    world.now = datetime(2026, 5, 20, 12, 30, tzinfo=UTC)  # in Auckland the 21st
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    assert connection.tenant
    tenant = connection.tenant.but(time_zone="Pacific/Auckland")
    world.store.commit(company_items.put_connection(connection.but(tenant=tenant)))
    unmap(world)
    if allowed:
        map_again(world, start)
        assert world.feed().start_date == start[:10]
        return
    with pytest.raises(Invalid, match=r"must be from 2025-05-21 \(a year ago\) to 2026-05-21 \(today\)"):
        map_again(world, start)
    assert world.upstream.connections == []


def unmap(world: World) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    unmapping.unmap(world.ports, world.upstream, world.now, connection, account)


def map_again(world: World, start: str | None) -> None:
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    mapping.map_account(world.ports, world.upstream, world.now, connection, account, "target", start)
