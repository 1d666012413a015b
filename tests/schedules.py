"""Stops the schedules of a running instance: a scheduled run would do the work that a test waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.instance import Instance

UPDATED_FIELDS = {"Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description"}


@contextmanager
def stopped(instance: Instance) -> Iterator[None]:
    """The tests call the scheduled functions themselves. Afterwards the schedules run again."""
    client = instance.client("scheduler")
    schedules = [_schedule(client, summary) for summary in client.list_schedules()["Schedules"]]
    assert schedules, "the deployment has no schedules"
    for schedule in schedules:
        client.update_schedule(**schedule, State="DISABLED")
    try:
        yield
    finally:
        for schedule in schedules:
            client.update_schedule(**schedule, State="ENABLED")


def _schedule(client: Any, summary: dict[str, Any]) -> dict[str, Any]:
    schedule = client.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
    return {field: value for field, value in schedule.items() if field in UPDATED_FIELDS}
