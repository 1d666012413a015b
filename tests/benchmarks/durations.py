"""Each function's duration for pushes of 1,000, from the reports in the local stack's logs."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.benchmarks.push_latency import COUNT, push_path
from tests.benchmarks.sample import transactions
from tests.benchmarks.stack import Stack, settle

FUNCTIONS = (
    "public_api",
    "record_transactions",
    "push_statements",
    "check_statements",
    "relay_events",
    "route_events",
)
PUSHES = 3
_DURATION = re.compile(r"^REPORT .*?Billed Duration: ([\d.]+) ms", re.DOTALL)


def of_pushes(stack: Stack) -> dict[str, float]:
    """Mean seconds of an invocation, by function, over some pushes sent one by one."""
    feed, since = stack.feeds[-1], time.time()
    for number in range(PUSHES):
        body = {"transactions": transactions(COUNT, 1 + number * COUNT)}
        answer = stack.platform.http.post(push_path(feed), json=body)
        assert answer.status_code == 200, answer.text[:300]
        settle(lambda number=number: stack.delivered(feed) == (number + 1) * COUNT, "the delivery", pause=0.3)  # type: ignore[misc]
    return reported(stack, since)


def reported(stack: Stack, since: float) -> dict[str, float]:
    """Mean seconds of the invocations reported after `since`, by function."""
    return {function: sum(times) / len(times) for function, times in invocations(stack, since).items() if times}


def invocations(stack: Stack, since: float) -> dict[str, list[float]]:
    """The seconds of every invocation reported after `since`, by function."""
    logs, name = stack.client("logs"), stack.platform.description["stackName"]
    return {
        function: [
            float(match[1]) / 1000
            for event in _lines(logs, f"/aws/lambda/{name}-{function}", since, "REPORT")
            if (match := _DURATION.match(event["message"]))
        ]
        for function in FUNCTIONS
    }


def routed(stack: Stack, since: float) -> int:
    """How many events were routed after `since`."""
    group = f"/aws/lambda/{stack.platform.description['stackName']}-route_events"
    lines = _lines(stack.client("logs"), group, since, '"events routed"')
    return sum(len(json.loads(line["message"])["deliveries"]) for line in lines)


def _lines(logs: Any, group: str, since: float, pattern: str) -> list[dict[str, Any]]:
    # Filtered: MiniStack answers only the first 10,000 lines, and no second page.
    query = {"logGroupName": group, "startTime": int(since * 1000), "filterPattern": pattern}
    pages = logs.get_paginator("filter_log_events").paginate(**query)
    return [event for page in pages for event in page["events"]]
