"""What a page of the portal costs on a crowded stack: requests, items read, and CPU against a page that only answers.

The portal's own pages run in one process with the table in memory (`QuickTable`), which counts as DynamoDB does.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass

from feedlane.ids import derived_id
from tests.benchmarks.figures import Figure
from tests.worlds.crowded_portal import CONSUMER, EVENT, REASONS, crowded
from tests.worlds.web import World

COMPANIES, HOLDS, CONSUMERS = 1_000, 1_000, 50
# It says in the portal's frame that there is no such page.
ONLY_ANSWERS = "/portal/none"
PATHS = {
    "overview": "/portal",
    "companies": "/portal/companies",
    "company": f"/portal/companies/{derived_id('company', '7')}",
    "feeds": "/portal/feeds",
    "feed": f"/portal/feeds/{derived_id('connection', '7')}/account-7",
    "holds": "/portal/holds",
    "holds_of_reason": f"/portal/holds?reason={REASONS[0]}",
    "webhooks": "/portal/webhooks",
    "webhook": f"/portal/webhooks/{CONSUMER}",
    "webhook_settings": f"/portal/webhooks/{CONSUMER}/settings",
    "webhook_replays": f"/portal/webhooks/{CONSUMER}/replays",
    "delivery": f"/portal/webhooks/{CONSUMER}/deliveries/{EVENT}",
    "events": "/portal/webhooks/events",
    "activity": "/portal/activity",
    "dead_letters": "/portal/dead-letters",
    "set_up": "/portal/set-up",
    "settings": "/portal/settings",
    "settings_access": "/portal/settings/access",
    "keys": "/portal/keys",
}
RATIO_MAX = 10.0
ITEMS_MAX = 400
ROUNDS = 7


@dataclass(frozen=True)
class Cost:
    """`cpu` in seconds: the least of several rounds."""

    requests: int
    items: int
    cpu: float


def run() -> list[Figure]:
    world = crowded(COMPANIES, HOLDS, CONSUMERS)
    floor = cost(world, ONLY_ANSWERS)
    figures = [Figure("page_only_answers_cpu_ms", floor.cpu * 1000, "CPU alone")]
    against = f"{COMPANIES:,} companies, {HOLDS:,} holds"
    for name, path in PATHS.items():
        page = cost(world, path)
        figures += [
            Figure(f"page_{name}_requests", page.requests, against),
            Figure(f"page_{name}_items", page.items, against, at_most=ITEMS_MAX),
            Figure(f"page_{name}_cpu_ratio", page.cpu / floor.cpu, "a page that only answers", at_most=RATIO_MAX),
        ]
    return figures


def cost(world: World, path: str, rounds: int = ROUNDS) -> Cost:
    """Raises `AssertionError` if it is no page."""
    expected = 404 if path == ONLY_ANSWERS else 200
    assert world.browser.get(path).status == expected, path  # what is read once is read now
    before = world.table.reads.requests, world.table.reads.items
    world.browser.get(path)
    requests, items = world.table.reads.requests - before[0], world.table.reads.items - before[1]
    gc.collect()
    return Cost(requests, items, min(_cpu_seconds(world, path) for _ in range(rounds)))


def _cpu_seconds(world: World, path: str) -> float:
    before = time.process_time()
    world.browser.get(path)
    return time.process_time() - before
