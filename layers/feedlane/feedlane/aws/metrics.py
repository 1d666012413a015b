"""The metrics that alarms watch, as lines of the log (CloudWatch's embedded metric format), which costs no call.

No metric has a dimension of its own: with one per feed or tenant, each would be a metric to pay for.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from feedlane.events import event as event_types
from feedlane.events.event import Event
from feedlane.scope import Scope

# What is younger, or less late, is not told, because a metric is paid for in each hour in which it is sent. The alarms'
# limits are far higher.
AGE_TOLD_MIN = timedelta(minutes=15)
LATENESS_TOLD_MIN = timedelta(seconds=30)
# Powertools would use the function's name; a metric that two functions record is one metric.
SERVICE = "feedlane"


class Metric(StrEnum):
    """Each has an alarm in `template.yaml`, and each alarm an entry in `docs/operations.md`."""

    APP_HELD = "AppHeld"
    FEEDS_HELD = "FeedsHeld"
    CONSUMERS_DISABLED = "ConsumersDisabled"
    CONNECTION_LIMIT_REACHED = "ConnectionLimitReached"
    EVENTS_UNREADABLE = "EventsUnreadable"
    STATEMENT_AGE = "StatementAge"
    TOKEN_REFRESHES_FAILED = "TokenRefreshesFailed"  # noqa: S105
    MESSAGES_LOST = "MessagesLost"
    DEAD_LETTERS = "DeadLetters"
    DELIVERIES_LATE = "DeliveriesLate"
    DELIVERIES_FAILED = "DeliveriesFailed"


_METRIC_BY_EVENT_TYPE = {
    event_types.CONSUMER_DISABLED: Metric.CONSUMERS_DISABLED,
    event_types.CONNECTION_LIMIT_REACHED: Metric.CONNECTION_LIMIT_REACHED,
}


def metric_of(event: Event) -> Metric | None:
    """The metric that counts the event; None if the operator does not have to act on it."""
    if event.type == event_types.HELD:
        return Metric.APP_HELD if event.payload["scope"] == Scope.APP else Metric.FEEDS_HELD
    return _METRIC_BY_EVENT_TYPE.get(event.type)


def count(metric: Metric, number: int = 1) -> None:
    _write(metric, MetricUnit.Count, number)


def record_dead_letters(number: int) -> None:
    if number:
        count(Metric.DEAD_LETTERS, number)


def record_statement_age(age: timedelta) -> None:
    if age >= AGE_TOLD_MIN:
        _write(Metric.STATEMENT_AGE, MetricUnit.Seconds, age.total_seconds())


def record_lateness(lateness: timedelta) -> None:
    """Of a batch of webhook deliveries."""
    if lateness >= LATENESS_TOLD_MIN:
        _write(Metric.DELIVERIES_LATE, MetricUnit.Seconds, lateness.total_seconds())


def _write(metric: Metric, unit: MetricUnit, value: float) -> None:
    with single_metric(name=metric, unit=unit, value=value) as line:
        line.add_dimension(name="service", value=SERVICE)
