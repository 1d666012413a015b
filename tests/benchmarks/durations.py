"""How long each function takes for pushes of 1,000, from the reports that the local stack writes into its logs."""

from __future__ import annotations

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
    """Mean seconds of an invocation, by function, over some pushes that come one by one."""
    feed, since = stack.feeds[-1], time.time()
    for number in range(PUSHES):
        body = {"transactions": transactions(COUNT, 1 + number * COUNT)}
        answer = stack.platform.http.post(push_path(feed), json=body)
        assert answer.status_code == 200, answer.text[:300]
        settle(lambda number=number: stack.delivered(feed) == (number + 1) * COUNT, "the delivery", pause=0.3)  # type: ignore[misc]
    return reported(stack, since)


def reported(stack: Stack, since: float) -> dict[str, float]:
    """Mean seconds of an invocation that was reported after `since`, by function."""
    return {function: sum(found) / len(found) for function, found in invocations(stack, since).items() if found}


def invocations(stack: Stack, since: float) -> dict[str, list[float]]:
    """The seconds of every invocation that was reported after `since`, by function."""
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
    """How many events have become deliveries after `since`."""
    group = f"/aws/lambda/{stack.platform.description['stackName']}-route_events"
    return len(_lines(stack.client("logs"), group, since, '"event routed"'))


def _lines(logs: Any, group: str, since: float, pattern: str) -> list[dict[str, Any]]:
    # Only these: MiniStack answers the first 10,000 lines it finds, and no second page.
    asked = {"logGroupName": group, "startTime": int(since * 1000), "filterPattern": pattern}
    pages = logs.get_paginator("filter_log_events").paginate(**asked)
    return [event for page in pages for event in page["events"]]
