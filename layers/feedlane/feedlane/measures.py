"""Figures that alarms watch. They leave as lines of the log (CloudWatch's embedded metrics), which costs no call.

No figure has a dimension of its own: one for each feed or tenant would be a metric to pay for each.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from feedlane import event as types
from feedlane.event import Event
from feedlane.hold import Scope

# Powertools would put the function's name here; a figure that two functions tell is one figure.
SERVICE = "feedlane"


class Measure(StrEnum):
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


_TOLD_BY = {
    types.CONSUMER_DISABLED: Measure.CONSUMERS_DISABLED,
    types.CONNECTION_LIMIT_REACHED: Measure.CONNECTION_LIMIT_REACHED,
}


def told_by(event: Event) -> Measure | None:
    """What an event counts as; None if nobody has to act on it."""
    if event.type == types.HELD:
        return Measure.APP_HELD if event.payload["scope"] == Scope.APP else Measure.FEEDS_HELD
    return _TOLD_BY.get(event.type)


def count(measure: Measure, number: int = 1) -> None:
    _write(measure, MetricUnit.Count, number)


def last(measure: Measure, time: timedelta) -> None:
    """How long something has lasted, in seconds; never less than none, whatever two clocks say."""
    _write(measure, MetricUnit.Seconds, max(0.0, time.total_seconds()))


def statement_age(age: timedelta) -> None:
    last(Measure.STATEMENT_AGE, age)


def _write(measure: Measure, unit: MetricUnit, value: float) -> None:
    with single_metric(name=measure, unit=unit, value=value) as metric:
        metric.add_dimension(name="service", value=SERVICE)
