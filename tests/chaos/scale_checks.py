"""What the simulator's own record says of a run: each line once and in order, and how many calls were made when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain

from local.simulator.state import Call
from tests.chaos import check_road
from tests.chaos.check_told import operations
from tests.chaos.pushes import Platform
from tests.chaos.world import Place, World
from tests.chaos.xero import STATEMENTS

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Xero's own numbers.
TENANT_MINUTE, TENANT_AT_ONCE, TENANT_DAY, APP_MINUTE, APP_STATEMENTS_MINUTE = 60, 5, 5000, 10_000, 180


def arrived(world: World, place: Place, sent: list[str]) -> list[str]:
    """Everything that was sent is delivered, once, in the order in which it was sent."""
    got = [line["transactionId"] for line in check_road.delivered(world, place)]
    if got == sent:
        return []
    twice = sum(count - 1 for count in Counter(got).values())
    missing = len(set(sent) - set(got))
    return [f"order: {place.account_id} got {len(got)} of {len(sent)} lines: {twice} twice, {missing} missing"]


def operations_succeeded(world: World, platform: Platform) -> list[str]:
    known = operations(world)
    wrong = Counter(str(known[one.operation_key].status) for one in platform.taken if one.operation_key in known)
    lost = sum(one.operation_key not in known for one in platform.taken)
    found = [f"nothing lost: {count} operations are {status}" for status, count in wrong.items() if status != "Success"]
    return found + ([f"nothing lost: {lost} pushes have no operation"] if lost else [])


def limits(world: World) -> list[str]:
    """Over every span of a minute, of a day, and at every moment; no call was refused for a limit either."""
    most = _most(world)
    allowed = {
        "tenant_calls_in_a_minute_most": TENANT_MINUTE,
        "tenant_calls_at_once_most": TENANT_AT_ONCE,
        "tenant_calls_in_a_day_most": TENANT_DAY,
        "app_calls_in_a_minute_most": APP_MINUTE,
        "app_statement_calls_in_a_minute_most": APP_STATEMENTS_MINUTE,
    }
    found = [f"limits: {most[name]} {name}, {limit} allowed" for name, limit in allowed.items() if most[name] > limit]
    refused = sum(call.status == 429 for call in world.sim.calls)
    return found + ([f"limits: Xero refused {refused} calls with a 429"] if refused else [])


def figures(world: World, began: datetime) -> dict[str, float]:
    """What came of it, `began` being when the first push was sent."""
    statements = [one for one in world.sim.statements.values() if not all(one.dropped)]
    delivered = [one for one in statements if one.status(world.sim.now()) == "DELIVERED"]
    lines = sum(len(one.received["statementLines"]) for one in delivered)
    ended = max((one.settles_at for one in delivered), default=began)
    posts = sum(call.method == "POST" and call.path == STATEMENTS for call in world.sim.calls)
    return {
        "lines_delivered": lines,
        "statements_delivered": len(delivered),
        "lines_per_statement": round(lines / max(1, len(delivered)), 1),
        "lines_dropped_by_xero": sum(sum(one.dropped) for one in statements),
        "statement_posts": posts,
        "xero_calls": len(world.sim.calls),
        "xero_429s": sum(call.status == 429 for call in world.sim.calls),
        **_most(world),
        "simulated_minutes": round((ended - began).total_seconds() / 60, 1),
    }


def _most(world: World) -> dict[str, int]:
    by_tenant: dict[str, list[datetime]] = defaultdict(list)
    for call in world.sim.calls:
        if call.tenant:
            by_tenant[call.tenant].append(call.time)
    return {
        "tenant_calls_in_a_minute_most": max(_most_in(times, MINUTE) for times in by_tenant.values()),
        "tenant_calls_at_once_most": max(_at_once(world, tenant) for tenant in by_tenant),
        "tenant_calls_in_a_day_most": max(_most_in(times, DAY) for times in by_tenant.values()),
        "app_calls_in_a_minute_most": _most_in(_times(world.sim.calls), MINUTE),
        "app_statement_calls_in_a_minute_most": _most_in(
            _times(call for call in world.sim.calls if call.path.startswith(STATEMENTS)), MINUTE
        ),
    }


def _times(calls: Iterable[Call]) -> list[datetime]:
    return [call.time for call in calls]


def _most_in(times: list[datetime], span: timedelta) -> int:
    """The most of these within any such span."""
    ordered, first, most = sorted(times), 0, 0
    for number, time in enumerate(ordered):
        while ordered[first] <= time - span:
            first += 1
        most = max(most, number - first + 1)
    return most


def _at_once(world: World, tenant: str) -> int:
    """The most calls to the tenant under way at one moment, on the wire's own record."""
    calls = [call for call in world.transport.calls if call.tenant == tenant and call.ended]
    steps = sorted(chain(((call.at, 1) for call in calls), ((call.ended, -1) for call in calls if call.ended)))
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most
