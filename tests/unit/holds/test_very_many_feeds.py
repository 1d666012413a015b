"""What concerns every feed of a large app is done page by page; whichever invocation crashes, no feed is forgotten.

10,000 feeds of 3,000 connections. Every third invocation is made to crash at a random step.
"""

from __future__ import annotations

import random

import pytest

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items, wake_all
from feedlane.feeds.pages import CONNECTIONS_PER_PAGE_MAX, FEEDS_PER_PAGE_MAX, feed_page
from feedlane.feeds.upstream import Refusal
from feedlane.follow_ups import ReleaseCheck
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds import release as hold_release
from feedlane.holds.held_feeds import count_waiting
from feedlane.holds.hold import Hold
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings.changes import change_settings
from feedlane.store import keys
from feedlane.store.table import Delete
from tests.interruptions import Crashed, crash_at
from tests.rights import acting_as
from tests.worlds.many_feeds import COMPANIES, WAITING, World

CONNECTIONS, FEEDS, CRASH_RATE = 3000, 10_000, 0.35
SUSPENDED = Refusal(
    scope=Scope.APP,
    reason="app-suspended",
    problem=Problem(type="suspended-or-terminated-application", title="Suspended", status=403, detail="Suspended."),
)


def place_hold(app: World) -> Hold:
    """Places the app's hold, on the refusal of its first feed."""
    feed = app.feeds[0]
    company = company_items.company(app.store, feed.company_id)
    return placement.hold_feed(app.ports, feed, SUSPENDED, company, app.now)


def release(app: World, hold: Hold) -> int:
    with acting_as("public_api", "portal"):
        return len(hold_release.release(app.ports, app.now, hold))


def all_feed_ids(app: World) -> set[str]:
    return {feed.id for feed in app.feeds}


def test_pages_have_every_feed_once() -> None:
    app, feed_ids, after = World(250, 900), list[str](), ""
    while True:
        page = feed_page(app.store, after)
        assert len(page.feeds) <= FEEDS_PER_PAGE_MAX + 900 // 250 + 1
        feed_ids += [feed.id for feed in page.feeds]
        if page.resume_after is None:
            break
        after = page.resume_after
    assert len(feed_ids) == 900
    assert set(feed_ids) == all_feed_ids(app)


@pytest.mark.parametrize(
    "connections", [1, CONNECTIONS_PER_PAGE_MAX - 1, CONNECTIONS_PER_PAGE_MAX, CONNECTIONS_PER_PAGE_MAX + 1]
)
def test_no_feed_at_the_edge_of_a_page_is_left_out(connections: int) -> None:
    app = World(connections, 2 * connections)
    wake_all.wake_all(app.ports)
    app.work_off(random.Random(1))
    assert sorted(app.queues.woken) == sorted(all_feed_ids(app))


def test_a_hold_of_the_app_reaches_every_feed() -> None:
    app = World(CONNECTIONS, FEEDS)
    place_hold(app)
    app.work_off(random.Random(2), CRASH_RATE)
    assert set(app.queues.woken) | {app.feeds[0].id} == all_feed_ids(app)
    assert app.crashes >= 5
    assert "waiting" not in app.events("bankFeeds.held")[0].payload


def test_a_crash_right_after_the_apps_hold_forgets_nobody() -> None:
    app = World(250, 600)
    restore = crash_at(app, 4)  # after the commit: the first steps are the scheduled check and the commit
    with pytest.raises(Crashed):
        place_hold(app)
    restore()
    assert hold_items.holds_on(app.store, [(Scope.APP, "app")])
    assert app.queues.woken == []
    app.work_off(random.Random(3))
    assert set(app.queues.woken) | {app.feeds[0].id} == all_feed_ids(app)


def test_feeds_that_meet_a_standing_hold_do_not_each_go_through_all_of_them() -> None:
    app = World(250, 600)
    place_hold(app)
    app.queues.follow_ups.clear()
    for feed in app.feeds[1:20]:
        company = company_items.company(app.store, feed.company_id)
        placement.hold_feed(app.ports, feed, SUSPENDED, company, app.now)
    assert app.queues.follow_ups == []


def test_a_release_of_the_app_starts_each_feed_once_and_wakes_it_behind_the_lifting() -> None:
    app = World(CONNECTIONS, FEEDS)
    hold = place_hold(app)
    app.queues.follow_ups.clear()
    app.queues.woken.clear()
    woken_while_held: list[str] = []
    app.table.commit = _commit_noting_wakes(app, woken_while_held)  # type: ignore[method-assign]
    assert release(app, hold) < FEEDS
    app.work_off(random.Random(4), CRASH_RATE)
    assert app.crashes >= 5
    assert hold_items.holds(app.store) == []
    assert woken_while_held == []
    assert set(app.queues.woken) == all_feed_ids(app)
    for feed in app.feeds:
        [operation] = push_operation_items.open_operations(app.store, feed.id)
        assert (operation.transactions, operation.through) == (WAITING, WAITING)
    [event] = app.events("bankFeeds.released")
    assert event.payload["waiting"] == FEEDS * WAITING


def _commit_noting_wakes(app: World, woken: list[str]) -> object:
    """A commit that notes which feeds were woken before it lifts the hold."""
    real = app.table.commit

    def commit(*writes: object) -> None:
        if any(isinstance(write, Delete) and write.key == keys.hold(Scope.APP, "app") for write in writes):
            woken.extend(app.queues.woken)
        real(*writes)  # type: ignore[arg-type]

    return commit


def test_no_invocation_has_more_to_do_than_a_page() -> None:
    app = World(CONNECTIONS, FEEDS)
    hold = place_hold(app)
    app.work_off(random.Random(5))
    release(app, hold)
    app.work_off(random.Random(5))
    assert app.peak["wake"] <= FEEDS_PER_PAGE_MAX + 10
    assert app.peak["query"] <= 2 * (CONNECTIONS_PER_PAGE_MAX + 1)
    assert app.peak["get_many"] <= 20
    assert app.peak["commit"] <= 2 * FEEDS_PER_PAGE_MAX // 30


def test_a_release_whose_every_invocation_dies_once_comes_to_its_end() -> None:
    """Wherever it crashes: first the call of the API, then each message."""
    for step in range(1, 40):
        app = World(120, 130)
        hold = place_hold(app)
        app.queues.follow_ups.clear()
        app.queues.woken.clear()
        restore = crash_at(app, step)
        try:
            release(app, hold)
        except Crashed:
            pass
        finally:
            restore()
        app.work_off(random.Random(step), 0.5)
        for standing in hold_items.holds(app.store):
            assert not standing.releasing  # it had not begun
            release(app, standing)
            app.work_off(random.Random(step))
        assert hold_items.holds(app.store) == []
        assert set(app.queues.woken) == all_feed_ids(app)
        assert all(len(push_operation_items.open_operations(app.store, feed.id)) == 1 for feed in app.feeds)
        [event] = app.events("bankFeeds.released")
        assert event.payload["waiting"] == 130 * WAITING


def test_two_that_bring_a_release_on_at_once_count_and_start_nothing_twice() -> None:
    app = World(350, 400)
    hold = place_hold(app)
    app.queues.follow_ups.clear()
    release(app, hold)
    follow_up = ReleaseCheck(scope=Scope.APP, subject="app")
    app.queues.follow_ups += [(follow_up, 0), (follow_up, 0)]
    real, is_first = app.table.commit, [True]

    def commit(*writes: object) -> None:
        if is_first and "release_after" in repr(writes):
            is_first.clear()
            app.invoke(follow_up)  # the other one commits the same page just before
        real(*writes)  # type: ignore[arg-type]

    app.table.commit = commit  # type: ignore[method-assign,assignment]
    app.work_off(random.Random(6))
    assert not is_first
    assert hold_items.holds(app.store) == []
    [event] = app.events("bankFeeds.released")
    assert event.payload["waiting"] == 400 * WAITING
    assert all(len(push_operation_items.open_operations(app.store, feed.id)) == 1 for feed in app.feeds)


def test_what_comes_in_while_the_release_goes_on_is_sent_as_well() -> None:
    app = World(250, 300)
    hold = place_hold(app)
    app.queues.follow_ups.clear()
    app.queues.woken.clear()
    release(app, hold)
    feed = feed_page(app.store).feeds[0]
    app.store.commit(feed_items.put_feed(feed.but(recorded_through=feed.recorded_through + 1)))
    app.work_off(random.Random(7))
    assert feed.id in app.queues.woken
    assert hold_items.holds(app.store) == []


def test_switching_bank_feeds_on_again_wakes_every_feed() -> None:
    app = World(CONNECTIONS, FEEDS)
    change_settings(app.ports, app.now, {"bank_feeds": False})
    change_settings(app.ports, app.now, {"bank_feeds": True})
    app.work_off(random.Random(8), CRASH_RATE)
    assert app.crashes >= 5
    assert set(app.queues.woken) == all_feed_ids(app)


def test_what_waits_behind_a_hold_of_very_many_feeds_is_counted_in_part() -> None:
    app = World(COMPANIES * 3, 900)
    waiting = count_waiting(app.store, place_hold(app))
    assert not waiting.is_complete
    assert 0 < waiting.number < 900 * WAITING
    small_app = World(50, 60)
    assert count_waiting(small_app.store, place_hold(small_app)) == (60 * WAITING, True)
