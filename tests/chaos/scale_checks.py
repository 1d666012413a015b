"""Checks the simulator's record of a run: each line once and in order, and the calls within the limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain

from local.simulator.state import Call
from tests.chaos import check_delivery
from tests.chaos.check_events import operations
from tests.chaos.pushes import Platform
from tests.chaos.world import Place, World
from tests.chaos.xero import STATEMENTS

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Xero's limits.
TENANT_MINUTE, TENANT_CONCURRENT, TENANT_DAY, APP_MINUTE, APP_STATEMENTS_MINUTE = 60, 5, 5000, 10_000, 180


def arrived(world: World, place: Place, sent: list[str]) -> list[str]:
    """Everything sent was delivered once, in order."""
    delivered = [line.own_id for line in check_delivery.delivered(world, place)]
    if delivered == sent:
        return []
    duplicates = sum(count - 1 for count in Counter(delivered).values())
    missing = len(set(sent) - set(delivered))
    return [
        f"order: {place.account_id} got {len(delivered)} of {len(sent)} lines: {duplicates} twice, {missing} missing"
    ]


def operations_succeeded(world: World, platform: Platform) -> list[str]:
    known = operations(world)
    recorded = [known[push.operation_key] for push in platform.accepted if push.operation_key in known]
    statuses = Counter(str(operation.status) for operation in recorded)
    lost = sum(push.operation_key not in known for push in platform.accepted)
    violations = [
        f"nothing lost: {count} operations are {status}" for status, count in statuses.items() if status != "Success"
    ]
    return violations + ([f"nothing lost: {lost} pushes have no operation"] if lost else [])


def limits(world: World) -> list[str]:
    """In every minute, every day and at every moment; and Xero refused no call for a limit."""
    peaks = _peaks(world)
    allowed = {
        "tenant_calls_in_a_minute_most": TENANT_MINUTE,
        "tenant_calls_at_once_most": TENANT_CONCURRENT,
        "tenant_calls_in_a_day_most": TENANT_DAY,
        "app_calls_in_a_minute_most": APP_MINUTE,
        "app_statement_calls_in_a_minute_most": APP_STATEMENTS_MINUTE,
    }
    violations = [
        f"limits: {peaks[name]} {name}, {limit} allowed" for name, limit in allowed.items() if peaks[name] > limit
    ]
    refused = sum(call.status == 429 for call in world.sim.calls)
    return violations + ([f"limits: Xero refused {refused} calls with a 429"] if refused else [])


def figures(world: World, began: datetime) -> dict[str, float]:
    """The figures of a run. `began` is when the first push was sent."""
    statements = [statement for statement in world.sim.statements.values() if not all(statement.dropped)]
    delivered = [statement for statement in statements if statement.status(world.sim.now()) == "DELIVERED"]
    lines = sum(len(statement.received["statementLines"]) for statement in delivered)
    last_settled = max((statement.settles_at for statement in delivered), default=began)
    posts = sum(call.method == "POST" and call.path == STATEMENTS for call in world.sim.calls)
    return {
        "lines_delivered": lines,
        "statements_delivered": len(delivered),
        "lines_per_statement": round(lines / max(1, len(delivered)), 1),
        "lines_dropped_by_xero": sum(sum(statement.dropped) for statement in statements),
        "statement_posts": posts,
        "xero_calls": len(world.sim.calls),
        "xero_429s": sum(call.status == 429 for call in world.sim.calls),
        **_peaks(world),
        "simulated_minutes": round((last_settled - began).total_seconds() / 60, 1),
    }


def _peaks(world: World) -> dict[str, int]:
    by_tenant: dict[str, list[datetime]] = defaultdict(list)
    for call in world.sim.calls:
        if call.tenant:
            by_tenant[call.tenant].append(call.time)
    return {
        "tenant_calls_in_a_minute_most": max(_peak(times, MINUTE) for times in by_tenant.values()),
        "tenant_calls_at_once_most": max(_concurrent_peak(world, tenant) for tenant in by_tenant),
        "tenant_calls_in_a_day_most": max(_peak(times, DAY) for times in by_tenant.values()),
        "app_calls_in_a_minute_most": _peak(_times(world.sim.calls), MINUTE),
        "app_statement_calls_in_a_minute_most": _peak(
            _times(call for call in world.sim.calls if call.path.startswith(STATEMENTS)), MINUTE
        ),
    }


def _times(calls: Iterable[Call]) -> list[datetime]:
    return [call.time for call in calls]


def _peak(times: list[datetime], span: timedelta) -> int:
    """The largest number of these times within any such span."""
    ordered, start, peak = sorted(times), 0, 0
    for number, time in enumerate(ordered):
        while ordered[start] <= time - span:
            start += 1
        peak = max(peak, number - start + 1)
    return peak


def _concurrent_peak(world: World, tenant: str) -> int:
    """The largest number of concurrent calls to the tenant, by the transport's record."""
    calls = [call for call in world.transport.calls if call.tenant == tenant and call.ended]
    steps = sorted(chain(((call.at, 1) for call in calls), ((call.ended, -1) for call in calls if call.ended)))
    concurrent = peak = 0
    for _, step in steps:
        concurrent += step
        peak = max(peak, concurrent)
    return peak
