"""3,000 feeds with a statement each, woken at once: the app's limit is used up, in order, with few asks."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from feedlane.statements.limits import APP_STATEMENT_LIMITS
from tests.worlds.asking import most_in_a_minute
from tests.worlds.busy_app import BusyApp

FEEDS = 3000
# At Xero's limit, less what is left to others.
MINUTES_AT_LEAST = FEEDS / APP_STATEMENT_LIMITS.per_minute


@pytest.fixture(scope="module")
def app() -> BusyApp:
    """The app after every feed has sent its statement, and Xero has delivered it."""
    app = BusyApp(FEEDS)
    for feed in app.feeds:
        app.queues.wake(feed.id)
    app.run()
    return app


def test_every_statement_is_posted_and_looked_at_once(app: BusyApp) -> None:
    feed_ids = sorted(feed.id for feed in app.feeds)
    assert sorted(feed_id for _, feed_id in app.posts) == feed_ids
    assert sorted(feed_id for _, feed_id in app.looks) == feed_ids


def test_no_feed_asks_more_than_three_times_for_a_call(app: BusyApp) -> None:
    assert app.most_asks("post") <= 3
    assert app.most_asks("look") <= 3
    assert sum(app.asks.values()) <= 2.1 * len(app.calls)


def test_the_posts_take_hardly_longer_than_the_limit_demands(app: BusyApp) -> None:
    first, last = app.posts[0][0], app.posts[-1][0]
    assert last - first < timedelta(minutes=1.1 * MINUTES_AT_LEAST)


def test_first_come_first_served(app: BusyApp) -> None:
    """Messages are late by up to two seconds, in which six others go."""
    place = {feed.id: number for number, feed in enumerate(app.feeds)}
    places = [place[feed_id] for _, feed_id in app.posts]
    assert max(abs(number - place) for number, place in enumerate(places)) <= 10


def test_looks_go_behind_posts_and_none_waits_longer_than_all_that_was_before_it(app: BusyApp) -> None:
    looked = {feed_id: at for at, feed_id in app.looks}
    during = sum(at < app.posts[-1][0] for at in looked.values())
    assert during < 0.05 * FEEDS
    waits = [looked[feed_id] - at for at, feed_id in app.posts]
    assert max(waits) < timedelta(minutes=1.4 * MINUTES_AT_LEAST)
    assert all(after - before < timedelta(seconds=5) for before, after in pairwise(sorted(looked.values())[during:]))


def test_no_sixty_seconds_hold_more_calls_than_allowed(app: BusyApp) -> None:
    assert most_in_a_minute(app.calls) <= APP_STATEMENT_LIMITS.per_minute
