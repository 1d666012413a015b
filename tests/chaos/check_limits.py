"""5. All calls together keep the upstream's limits, every one counts, and none comes before the time it asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from feedlane.settings import items as settings_items
from feedlane.store import keys
from tests.chaos.transport import Call
from tests.chaos.world import World

CONCURRENT_CALLS_MAX = 5
APP_CALLS_MAX, APP_STATEMENTS_MAX = 10_000, 180
# A task may have read the clock just before the time it had to wait for.
SLACK = timedelta(seconds=1)
# A call is counted before it is sent, and a fault may come between.
MINUTE = timedelta(seconds=55)


def limits(world: World) -> list[str]:
    calls = world.books.counted_calls()
    violations = _crowded(world) + _too_many(world, calls) + _uncounted(world, calls)
    for call in calls:
        until = _not_before(world, call)
        if until is not None and call.at < until - SLACK:
            violations.append(f"limits: a call {until - call.at} before the time that {world.books.name} had asked for")
    return violations[:3] + _ignored_retry_after(world, calls)


def _crowded(world: World) -> list[str]:
    peaks = [count for tenant, count in world.transport.concurrency_peaks.items() if tenant]
    crowded = max(peaks, default=0)
    return [f"limits: {crowded} concurrent calls to one tenant"] if crowded > CONCURRENT_CALLS_MAX else []


def _too_many(world: World, calls: Sequence[Call]) -> list[str]:
    """Whatever minute is looked at, however Xero's own begin: in the simulator's books they begin with a call."""
    prompt = [call for call in calls if not call.was_stalled]
    tenant_max = world.books.calls_per_minute_max
    day_max = settings_items.settings(world.store).daily_limit
    violations = _above(APP_CALLS_MAX, "by the app in a minute", [call.at for call in prompt])
    statements = [call.at for call in prompt if world.books.is_about_statements(call)]
    violations += _above(APP_STATEMENTS_MAX, "about statements in a minute", statements)
    for times in _times_by(lambda call: call.tenant, prompt).values():
        violations += _above(tenant_max, "to one tenant in a minute", times)
    by_day = _times_by(lambda call: (call.tenant, call.at.date()), prompt)
    return violations + [f"limits: {len(times)} calls in a day" for times in by_day.values() if len(times) > day_max]


def _times_by(name: Callable[[Call], object], calls: Iterable[Call]) -> dict[object, list[datetime]]:
    times: dict[object, list[datetime]] = defaultdict(list)
    for call in calls:
        if call.tenant:
            times[name(call)].append(call.at)
    return times


def _above(most: int, what: str, times: list[datetime]) -> list[str]:
    first, times = 0, sorted(times)
    for last, at in enumerate(times):
        while at - times[first] >= MINUTE:
            first += 1
        if last - first >= most:
            return [f"limits: {last - first + 1} calls {what}"]
    return []


def _uncounted(world: World, calls: Sequence[Call]) -> list[str]:
    """Every call is in the counts that all share: its tenant's, and the app's if it is not about a feed."""
    counted, days = Counter[str](), dict[tuple[str, str], int]()
    for item in world.table.written:
        if item["sk"] == "TRAFFIC" or item["sk"].startswith("CALLS#"):
            key = item["pk"], item.get("day", item["sk"])
            days[key] = max(days.get(key, 0), item.get("today", item.get("count", 0)))
    for (pk, day), count in days.items():
        counted["others" if day.startswith("CALLS#") else pk] += count
    made = Counter(keys.traffic("tenant", call.tenant)[0] for call in calls if call.tenant)
    made["others"] = sum(not call.is_about_feed for call in calls)
    return [
        f"limits: {count} calls were made and {counted[name]} counted: {name}"
        for name, count in made.items()
        if count > counted[name]
    ]


def _not_before(world: World, call: Call) -> datetime | None:
    """The latest not-before time that the caller had read for the app or the call's tenant."""
    subjects = (keys.not_before("app", world.books.app_subject), keys.not_before("tenant", call.tenant))
    return max((time for key in subjects if (time := (call.limits_read or {}).get(key))), default=None)


def _ignored_retry_after(world: World, calls: Sequence[Call]) -> list[str]:
    """Every Retry-After is stored by its receiver, unless a fault struck that one."""
    for call in calls:
        task = call.task
        if call.until is None or task is None or task.struck > 1 or task.failed is not None or task.dead:
            continue
        key = world.books.wait_key(call)
        noted = [
            datetime.fromisoformat(item["until"]) for item in world.table.written if (item["pk"], item["sk"]) == key
        ]
        if not noted or max(noted) < call.until - SLACK:
            return [f"limits: a Retry-After of {call.status} {call.limited} was not stored"]
    return []
