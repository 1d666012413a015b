"""Stops the schedules of a running instance: a run by the clock would do the work that a test is about to see done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.instance import Instance

KEPT = {"Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description"}


@contextmanager
def stopped(instance: Instance) -> Iterator[None]:
    """The tests call the scheduled functions themselves. Afterwards the schedules run again."""
    client = instance.client("scheduler")
    schedules = [_of(client, named) for named in client.list_schedules()["Schedules"]]
    assert schedules, "the deployment has no schedules"
    for schedule in schedules:
        client.update_schedule(**schedule, State="DISABLED")
    try:
        yield
    finally:
        for schedule in schedules:
            client.update_schedule(**schedule, State="ENABLED")


def _of(client: Any, named: dict[str, Any]) -> dict[str, Any]:
    found = client.get_schedule(Name=named["Name"], GroupName=named["GroupName"])
    return {key: value for key, value in found.items() if key in KEPT}
