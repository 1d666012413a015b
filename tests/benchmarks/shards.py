"""`python -m tests.benchmarks.shards`: what token sets that share secrets cost, and how customers refresh at once.

The vault is the real one, over stores in memory. Costs come from a simulated month; the times of refreshes at once from
threads that wait as long as AWS and Xero take (assumed, below).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from tests import seeded
from tests.fakes.secrets import at
from tests.worlds.vault import CLIENT_ID, REDIRECT, SECRET, World

CUSTOMERS = 20
# The first days, in which everybody moves into a shard, are left out.
DAYS_BEFORE, DAYS = 2, 3
# USD, us-east-1, 2026.
SECRET_A_MONTH, REQUESTS_10_000 = 0.40, 0.05
SECONDS = {"get": 0.005, "commit": 0.012, "get_secret_value": 0.02, "put_secret_value": 0.06, "xero": 0.4}
LAG_SECONDS = 0.2
HOURS: dict[str, Callable[[datetime], bool]] = {
    "once_a_day": lambda moment: moment.hour == 9 and moment.minute < 30,
    "three_times_a_day": lambda moment: moment.hour in (9, 13, 17) and moment.minute < 30,
    "office_hours": lambda moment: 9 <= moment.hour < 17,
    "every_30_minutes": lambda _: True,
}


def main() -> None:
    figures: dict[str, float] = {}
    for size in (1, 10):
        for name in HOURS:
            figures |= {f"{key}_{name}_{size}_per_secret": value for key, value in _month(size, name).items()}
    for size in (1, 10, CUSTOMERS):
        for lag in (0.0, LAG_SECONDS):
            found = _at_once(size, lag)
            figures |= {f"{key}_{size}_per_secret_{lag * 1000:.0f}_ms_lag": value for key, value in found.items()}
    seeded.write(figures, "shards")
    for name, figure in figures.items():
        print(f"{name}: {figure}")


def _month(size: int, pushes: str) -> dict[str, float]:
    """Each customer pushes at its own minute, and the daily round asks for everybody's token at four in the morning."""
    world, ids = _world(size)
    vault = world.vault()
    requests = _count_requests(world)
    world.now = world.now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    start = world.now
    secret_hours, versions_max, requests_before = 0, 0, 0
    for tick in range((DAYS_BEFORE + DAYS) * 48):
        moment = start + timedelta(minutes=30 * tick)
        if tick == DAYS_BEFORE * 48:
            secret_hours, requests_before = 0, requests[0]
        for number, id in enumerate(ids):
            world.now = moment + timedelta(seconds=60 * number)
            if HOURS[pushes](moment) or (moment.hour, moment.minute) == (4, 0):
                vault.access_token(id)
        secret_hours += len(world.secrets.client.versions) - 1  # without the app's keys
        versions_max = max(versions_max, *_versions_of_a_day(world))
    month = 30 / DAYS
    secrets = secret_hours / (DAYS * 48)
    dollars = secrets * SECRET_A_MONTH + (requests[0] - requests_before) * month / 10_000 * REQUESTS_10_000
    return {
        "usd_a_month_1000_customers": round(dollars * 1000 / CUSTOMERS, 1),
        "usd_a_month_100_customers": round(dollars * 100 / CUSTOMERS, 1),
        "versions_of_a_secret_a_day_max": versions_max,
    }


def _versions_of_a_day(world: World) -> Iterator[int]:
    for versions in world.secrets.client.versions.values():
        yield sum(version.created > world.now - timedelta(days=1) for version in versions)


def _count_requests(world: World) -> list[int]:
    client: Any = world.secrets.client
    count = [0]
    for operation in ("get_secret_value", "put_secret_value", "create_secret", "delete_secret"):
        setattr(client, operation, _counted(getattr(client, operation), count))
    return count


def _counted(call: Callable[..., Any], count: list[int]) -> Callable[..., Any]:
    def counted(**request: Any) -> Any:
        count[0] += 1
        return call(**request)

    return counted


def _at_once(size: int, lag: float) -> dict[str, float]:
    """All of a few shards are due, and each is asked for by an instance of its own at the same moment."""
    world, ids = _world(size)
    for _ in range(2):
        world.advance(days=1)
        for id in ids:
            world.vault().access_token(id)
    world.advance(days=1)
    began = time.monotonic()
    start = world.now
    world.clock = lambda: start + timedelta(seconds=time.monotonic() - began)  # type: ignore[method-assign]
    world.server.clock = world.clock
    client: Any = world.secrets.client
    client.clock = world.clock
    client.lag = lambda: at(world.clock() + timedelta(seconds=lag), world.clock)
    for thing in (client, world.table):
        for operation, seconds in SECONDS.items():
            if hasattr(thing, operation):
                setattr(thing, operation, _slow(getattr(thing, operation), seconds))
    world.server.after = lambda _: time.sleep(SECONDS["xero"])

    def ask(id: str) -> float:
        vault, before = world.vault(pause=time.sleep), time.monotonic()
        vault.access_token(id)
        return time.monotonic() - before

    with ThreadPoolExecutor(CUSTOMERS) as pool:
        seconds = sorted(pool.map(ask, ids))
    shared = sum(bool(world.lease(id).get("is_shared")) for id in ids)
    return {
        "at_once_seconds_p50": round(statistics.median(seconds), 2),
        "at_once_seconds_max": round(seconds[-1], 2),
        "at_once_moved_to_own_secret": CUSTOMERS - shared if size > 1 else 0,
    }


def _slow(call: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def slow(*arguments: Any, **request: Any) -> Any:
        time.sleep(seconds)
        return call(*arguments, **request)

    return slow


def _world(size: int) -> tuple[World, list[str]]:
    world = World(size)
    world.secrets.client.lag = world.secrets.client.deletion = lambda: lambda: True
    world.vault().save_app_keys(CLIENT_ID, SECRET)
    return world, [
        world.vault().exchange_code(f"code-1@user-{number}", REDIRECT).token_set_id for number in range(CUSTOMERS)
    ]


if __name__ == "__main__":
    main()
