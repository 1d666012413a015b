"""Where faults strike between the outbox and the consumers: at random from a seed, or at one chosen point."""

from __future__ import annotations

import random

from tests.chaos.faults import Faults
from tests.chaos.outages import DYNAMODB, EVENTS, SQS, VAULT
from tests.chaos.timeline import Timeline

# The probability of each fault per opportunity. `crash_…` kills the process before or after that call.
RATES = {
    "crash_before_write": 0.03,
    "crash_after_write": 0.03,
    "crash_before_read": 0.01,
    "crash_after_read": 0.01,
    "crash_before_send": 0.02,
    "crash_after_send": 0.02,
    "crash_before_bus": 0.05,
    "crash_after_bus": 0.05,
    "crash_before_post": 0.03,
    "crash_after_post": 0.03,
    "crash_after_relay": 0.05,
    "crash_after_route_events": 0.03,
    "crash_after_deliver_webhooks": 0.03,
    "write_failed": 0.02,
    "write_answer_lost": 0.02,
    "write_contended": 0.02,
    "read_failed": 0.01,
    "send_failed": 0.02,
    "send_answer_lost": 0.02,
    "delete_lost": 0.03,
    "redelivered": 0.03,
    "duplicated": 0.03,
    "stalled": 0.004,
    "vault_failed": 0.03,
    "checkpoint_lost": 0.05,
    "replay_buried": 0.05,
    "bus_failed": 0.05,
    "bus_answer_lost": 0.05,
    "bus_entry_refused": 0.1,
    "bus_duplicated": 0.05,
    "consumer_unreachable": 0.05,
    "consumer_500": 0.05,
    "consumer_429": 0.02,
    "consumer_hangs": 0.03,
    "consumer_answer_lost": 0.05,
    "message_lost": 0.02,
    "event_trimmed": 0.02,
}
# Outages of a whole service: per schedule. Not among the single points.
SERVICES = (DYNAMODB, SQS, VAULT, EVENTS)
OUTAGES = {
    f"outage_{length}_{service}": rate for service in SERVICES for length, rate in (("hour", 0.06), ("day", 0.04))
}


class RandomPoints(Faults):
    def __init__(self, rng: random.Random, timeline: Timeline) -> None:
        super().__init__(rng, timeline)
        strength = rng.choice((0.5, 1.0, 2.0))
        self.rates = {kind: rate * strength for kind, rate in (RATES | OUTAGES).items() if rng.random() < 0.8}


class OnePoint(Faults):
    """Strikes once, at the point with this number. `names` are all the points passed."""

    def __init__(self, rng: random.Random, timeline: Timeline, number: int) -> None:
        super().__init__(rng, timeline)
        self.names: list[str] = []
        self._number = number

    def strike(self, kind: str) -> bool:
        if not self.on or kind not in RATES:
            return False
        self.names.append(kind)
        if len(self.names) != self._number:
            return False
        self.count(kind)
        return True
