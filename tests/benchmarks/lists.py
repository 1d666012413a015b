"""What a page of 100 costs with 100, 2,000 and 10,000 companies: requests, items read, and CPU.

The API's own handler runs in one process with the table in memory (`QuickTable`), which counts as DynamoDB does: a page
of a query has a megabyte, a batch a hundred keys. DynamoDB's serialisation, HTTP and the log are not included.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from feedlane.store.store import Store
from tests.benchmarks.figures import Figure
from tests.contract.sdk.api_server import AUTHORIZATION, http_event
from tests.fakes.quick_table import QuickTable
from tests.worlds.api import CONTEXT, World, installed
from tests.worlds.many_companies import add_companies

COUNTS = (100, 2_000, 10_000)
PATHS = {"companies": ("/companies", "page=1&pageSize=100"), "feeds": ("/feeds", "pageSize=100")}
ROUNDS = 7


def run() -> list[Figure]:
    return [figure for name in PATHS for figure in _figures(name)]


def _figures(name: str) -> list[Figure]:
    figures = []
    milliseconds = {count: _measure(name, count) for count in COUNTS}
    for count, (cpu, requests, items) in milliseconds.items():
        floor = f"a page of 100 {name}"
        figures += [
            Figure(f"{name}_{count}_requests", requests, floor),
            Figure(f"{name}_{count}_items", items, floor),
            Figure(f"{name}_{count}_cpu_ms", cpu * 1000, floor),
        ]
    shortest, longest = milliseconds[COUNTS[0]][0], milliseconds[COUNTS[-1]][0]
    against = f"{COUNTS[-1]:,} against {COUNTS[0]:,}"
    return [*figures, Figure(f"{name}_cpu_ratio", longest / shortest, against, at_most=1.5)]


def _measure(name: str, count: int) -> tuple[float, int, int]:
    """The least CPU seconds, the requests and the items read."""
    path, query = PATHS[name]
    with pytest.MonkeyPatch.context() as patch, installed(patch) as world:
        quick = _many(world, count)
        from functions.public_api import app

        patch.setattr(app.logger, "info", lambda *_, **__: None)

        def ask() -> None:
            event = http_event("GET", path, query, {"Authorization": AUTHORIZATION}, b"")
            assert app.handler(event, CONTEXT)["statusCode"] == 200

        ask()  # reads the API key, which is remembered
        before = quick.reads.requests, quick.reads.items
        ask()
        requests, items = quick.reads.requests - before[0], quick.reads.items - before[1]
        return min(_cpu_seconds(ask) for _ in range(ROUNDS)), requests, items


def _many(world: World, count: int) -> QuickTable:
    quick = QuickTable()
    quick.put_many(world.table.items.values())
    world.store = Store(quick)
    add_companies(world.store, count)
    return quick


def _cpu_seconds(work: Callable[[], None]) -> float:
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before
