"""What a deployment costs in a month in which nobody uses it, read from the template.

It has its app's keys and a webhook consumer, and no companies. The watch and the daily round run, with their real code
over a metered table. Queues are polled all the time: Lambda starts with five pollers for a queue, each request waits
for up to 20 seconds, and a mapping with `MaximumConcurrency` never has fewer (Lambda developer guide, "Configuring
scaling behavior for SQS event source mappings"; for FIFO queues it names no number, so the same is assumed). Lambda
reads the stream for free. Each run is counted with a cold start, which takes seconds, and with one use of the table's
key by each function. Alarms on metrics of SQS, Lambda and API Gateway pay for themselves only, not for the metrics.
"""

from __future__ import annotations

import re
from collections import Counter
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from feedlane.store.store import Store
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.upkeep.daily_round import DailyRound
from feedlane.upkeep.watch import Watch
from tests.benchmarks import logged
from tests.benchmarks.metered import MeteredTable
from tests.rights import acting_as
from tests.stack.template import functions, of_type, template, variables_of
from tests.worlds.app_keys import World
from tests.worlds.vault import CLIENT_ID, SECRET

DAYS = 30
POLLERS = 5
POLL_SECONDS = 20
SECRETS = 2
RUN_SECONDS = {"tend_connections": 1.5, "credential_vault": 1.5}
# The watch asks the vault which version of the keys is current, and the vault reads the keys.
VAULT_CALLS_PER_WATCH = 1
_WATCH, _ROUND = "watch", "round"


def used() -> Counter[str]:
    """The units of a month, by the names of their prices."""
    units = Counter(alarm_month=_alarms(), secret_month=SECRETS) + _polls()
    for schedule in of_type("AWS::Scheduler::Schedule").values():
        expression, target = schedule["Properties"]["ScheduleExpression"], schedule["Properties"]["Target"]
        run = _WATCH if _WATCH in target.get("Input", "") else _ROUND
        for name, count in _run(run).items():
            units[name] += count * runs_a_day(expression) * DAYS
    return units


def memory_gb(function: str) -> float:
    shared: dict[str, Any] = template()["Globals"]["Function"]
    return float((shared | functions()[function])["MemorySize"]) / 1024


def runs_a_day(expression: str) -> int:
    """Of `rate(N minutes)`, or of a cron expression that runs every day."""
    if every := re.fullmatch(r"rate\((\d+) minutes\)", expression):
        return 24 * 60 // int(every[1])
    fields = re.fullmatch(r"cron\((\S+) (\S+) \* \* \? \*\)", expression)
    assert fields, f"a schedule that this cannot count: {expression}"
    return _times(fields[1], 60) * _times(fields[2], 24)


def _times(field: str, count: int) -> int:
    """How many of `count` minutes or hours a field names: `0/10`, `3-8`, `*` or a number."""
    if step := re.fullmatch(r"(\d+)/(\d+)", field):
        return len(range(int(step[1]), count, int(step[2])))
    if span := re.fullmatch(r"(\d+)-(\d+)", field):
        return int(span[2]) - int(span[1]) + 1
    return count if field == "*" else 1


def _alarms() -> int:
    """The metrics that alarms watch. One over a formula would pay for each metric in it."""
    return sum(
        sum("MetricStat" in one for one in alarm["Properties"].get("Metrics", [])) or 1
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
    )


def _polls() -> Counter[str]:
    polls: Counter[str] = Counter()
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        source = of_type("AWS::SQS::Queue").get(mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0])
        if source is not None:
            polls[_request_to(source)] += POLLERS * DAYS * 86_400 // POLL_SECONDS
    return polls


def _counts_of_dead_letters() -> Counter[str]:
    """The requests with which the watch counts what is in the dead-letter queues."""
    _, urls = cast("Any", variables_of("tend_connections")["DEAD_LETTER_QUEUE_URLS"])["Fn::Join"]
    return Counter(_request_to(of_type("AWS::SQS::Queue")[url["Ref"]]) for url in urls)


def _request_to(queue: dict[str, Any]) -> str:
    return "sqs_fifo_request" if queue["Properties"].get("FifoQueue") else "sqs_standard_request"


def _run(kind: str) -> Counter[str]:
    """The units of one run of the watch or of the daily round, after an earlier one."""
    table, world = MeteredTable(), World()
    world.save(CLIENT_ID, SECRET)
    table.put_many(world.table.items.values())
    world.store = Store(table)
    nobody = cast("Any", None)  # nobody is connected, so Xero is not asked
    check = ConnectionCheck(world.ports, world.vault(), nobody, nobody)
    wiring = SimpleNamespace(
        watch=lambda: Watch(world.ports, world.vault(), cast("Any", None)),
        daily_round=lambda: DailyRound(world.ports, check),
    )

    def prepare(app: ModuleType) -> None:
        app.wiring = wiring  # type: ignore[attr-defined]

    for _ in range(2):
        table.used.clear()
        with acting_as("tend_connections"):
            event = {"watch": True} if kind == _WATCH else {}
            lines = logged.lines_of("tend_connections", event, prepare)
    units, log_bytes = Counter(table.used), logged.size(lines)
    vault_calls = VAULT_CALLS_PER_WATCH if kind == _WATCH else 0
    for function, calls in (("tend_connections", 1), ("credential_vault", vault_calls)):
        units["lambda_request"] += calls
        units["lambda_gb_second"] += calls * RUN_SECONDS[function] * memory_gb(function)  # type: ignore[assignment]
        units["kms_request"] += calls
        units["trace"] += calls * logged.is_traced()
        log_bytes += calls * logged.platform_bytes(function)
    units["secrets_manager_call"] += vault_calls
    if kind == _WATCH:
        units += _counts_of_dead_letters()
    log_bytes += vault_calls * logged.size(logged.handler_lines("credential_vault"))
    return units + Counter(scheduled_run=1) + logged.units(log_bytes)
