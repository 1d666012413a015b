"""Who waits for the next day, or as long as Xero asked, is not lost: the watch sees why and until when."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.feeds.upstream import FeedConnection, TryLater
from feedlane.mapping import mapping, unmapping
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.statements.gate import DAY_FULL, Gate
from feedlane.statements.limits import DAILY_CALLS_RESERVED, Lane
from feedlane.store import keys
from feedlane.store.due import Kind
from tests import builders
from tests.builders import ACCOUNT, CONNECTION
from tests.unit.upkeep.lost import LossyWorld
from tests.worlds.feeds import transactions


@pytest.fixture
def world() -> LossyWorld:
    return LossyWorld()


def set_calls_per_day(world: LossyWorld, count: int) -> None:
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(daily_limit=DAILY_CALLS_RESERVED + count)))


@pytest.mark.parametrize(("calls", "lane"), [(0, "POSTS"), (1, "LOOKS")])
def test_a_full_day_is_waited_for_and_nobody_is_rung(world: LossyWorld, calls: int, lane: str) -> None:
    """Noon in UTC: twelve hours are left of the day, before the post or before the look at what was posted."""
    set_calls_per_day(world, 3)
    for number in range(3 - calls):
        assert Gate(world.ports).enter(world.feed(), Lane.POSTS, str(number)) is None
        Gate(world.ports).leave(world.feed().tenant_id, str(number))
    world.record(world.message(transactions(2)))
    assert world.watch(runs=70) == {}
    slot = world.store.table.get(keys.slot(world.feed().id, lane))
    assert slot is not None
    assert (slot["reason"], slot["until"]) == (DAY_FULL, "2026-05-21T00:00:00Z")
    assert world.watch(runs=6) == {}
    assert (world.sent_ids(), world.feed().waiting) == (["t1", "t2"], 0)


def test_a_message_lost_on_a_full_day_is_found_when_the_feed_may_go_on(world: LossyWorld) -> None:
    set_calls_per_day(world, 1)
    world.record(world.message(transactions(2)))
    world.watch(runs=3)
    assert world.lose_all() == ["StatementCheck"]
    assert sum(world.watch(runs=80).values()) <= 14
    assert world.feed().waiting == 0


def test_a_wait_of_days_that_xero_asked_for_is_no_loss(world: LossyWorld) -> None:
    seconds = 5 * 86_400
    world.upstream.answers = [TryLater(scope=Scope.TENANT, seconds=seconds, reason="outage", is_outage=True)]
    world.record(world.message(transactions(2)))
    assert world.watch(runs=5 * 144 - 2) == {}
    assert world.sent_ids() == []
    assert world.watch(runs=4) == {}
    assert world.sent_ids() == ["t1", "t2"]


def test_an_account_that_xero_is_setting_up_waits_for_the_next_day_too(world: LossyWorld) -> None:
    feed, connection = world.feed(), builders.linked(tenant=builders.tenant(time_zone="Europe/London"))
    set_calls_per_day(world, 1)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    unmapping.unmap(world.ports, world.upstream, world.now, connection, account)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    pending = FeedConnection(id="fc-2", account_token="token", account_id="target", active=False)
    world.upstream.create_feed_connection = lambda *_: pending
    world.upstream.feed_connection = lambda *_: pending
    mapping.map_account(world.ports, world.upstream, world.now, connection, account, "target")
    world.lose_all()
    world.watch(runs=6)
    world.lose_all()
    assert world.watch(runs=60)[Kind.ACCOUNT] <= 10
    assert len(world.delayed) <= 1
    world.upstream.feed_connection = lambda *_: pending.but(active=True)
    world.watch(runs=12)
    found = company_items.source_account(world.store, CONNECTION, feed.account_id)
    assert found.status is SourceAccountStatus.CONNECTED
