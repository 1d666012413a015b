"""3,000 feeds, each of its own organisation, with a statement waiting, all woken in the same moment.

The floor is Xero's limit for an app, less the few calls that are left to others: 175 statement calls in any minute. The
code is the product's own, with the table in memory and simulated time. Messages come up to two seconds late.
"""

from __future__ import annotations

from feedlane.statements.limits import APP_STATEMENT_LIMITS
from tests.benchmarks.figures import Figure
from tests.worlds.asking import most_in_a_minute
from tests.worlds.busy_app import BusyApp

FEEDS = 3000


def run() -> list[Figure]:
    app = BusyApp(FEEDS)
    for feed in app.feeds:
        app.queues.wake(feed.id)
    app.run()
    began, posted = app.posts[0][0], app.posts[-1][0]
    looked = {feed_id: at for at, feed_id in app.looks}
    minutes = (posted - began).total_seconds() / 60
    floor, limit = FEEDS / APP_STATEMENT_LIMITS.per_minute, APP_STATEMENT_LIMITS.per_minute
    look_minutes = max((looked[feed_id] - at).total_seconds() / 60 for at, feed_id in app.posts)
    return [
        Figure("slots_posts_minutes", minutes, f"{floor:.1f}, at the limit", at_most=round(1.1 * floor, 1)),
        Figure("slots_asks_per_post_max", app.most_asks("post"), "1", at_most=3),
        Figure("slots_asks_per_look_max", app.most_asks("look"), "1", at_most=3),
        Figure("slots_asks_per_call_mean", sum(app.asks.values()) / len(app.calls), "1"),
        Figure("slots_look_waits_minutes_max", look_minutes, f"{floor:.1f}, behind all posts"),
        Figure("slots_calls_in_a_minute_max", most_in_a_minute(app.calls), "", at_most=limit),
    ]
