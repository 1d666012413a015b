"""Figures that alarms watch. They leave as lines of the log (CloudWatch's embedded metrics), which costs no call.

No figure has a dimension of its own: one for each feed or tenant would be a metric to pay for each.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from feedlane.events import event as event_types
from feedlane.events.event import Event
from feedlane.scope import Scope

# Powertools would put the function's name here; a figure that two functions tell is one figure.
SERVICE = "feedlane"


class Metric(StrEnum):
    """Each has an alarm in `template.yaml`, and each alarm its entry in `docs/operations.md`."""

    APP_HELD = "AppHeld"
    FEEDS_HELD = "FeedsHeld"
    CONSUMERS_DISABLED = "ConsumersDisabled"
    CONNECTION_LIMIT_REACHED = "ConnectionLimitReached"
    EVENTS_UNREADABLE = "EventsUnreadable"
    STATEMENT_AGE = "StatementAge"
    TOKEN_REFRESHES_FAILED = "TokenRefreshesFailed"  # noqa: S105
    DELIVERIES_LATE = "DeliveriesLate"
    DELIVERIES_FAILED = "DeliveriesFailed"


_METRIC_BY_EVENT_TYPE = {
    event_types.CONSUMER_DISABLED: Metric.CONSUMERS_DISABLED,
    event_types.CONNECTION_LIMIT_REACHED: Metric.CONNECTION_LIMIT_REACHED,
}


def metric_of(event: Event) -> Metric | None:
    """What an event counts as; None if nobody has to act on it."""
    if event.type == event_types.HELD:
        return Metric.APP_HELD if event.payload["scope"] == Scope.APP else Metric.FEEDS_HELD
    return _METRIC_BY_EVENT_TYPE.get(event.type)


def count(measure: Metric, number: int = 1) -> None:
    _write(measure, MetricUnit.Count, number)


def record_duration(measure: Metric, time: timedelta) -> None:
    """How long something has lasted, in seconds; never less than none, whatever two clocks say."""
    _write(measure, MetricUnit.Seconds, max(0.0, time.total_seconds()))


def record_statement_age(age: timedelta) -> None:
    record_duration(Metric.STATEMENT_AGE, age)


def _write(measure: Metric, unit: MetricUnit, value: float) -> None:
    with single_metric(name=measure, unit=unit, value=value) as metric:
        metric.add_dimension(name="service", value=SERVICE)
