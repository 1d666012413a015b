"""`make webhooks`: 10,000 events to 20 consumers, once with all of them healthy and once with 5 that fail or hang.

The figures are printed and written to `build/webhooks.json`. Times are seconds of the virtual clock: a delay is from an
event's commit to its arrival, a spread between its arrivals at the first and the last healthy consumer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.webhook_world import World

RESULT = Path(__file__).parents[2] / "build" / "webhooks.json"
HEALTHY, BAD = 15, ("hangs", "hangs later", "answers 500", "refuses later", "slow later")
EVENTS_PER_SECOND = 20.0
# How long after the last event the bad consumers recover.
RECOVERY_SECONDS = 1200.0
STEP_SECONDS, STEPS_MAX = 60.0, 3000


@dataclass(frozen=True)
class Run:
    """The result of one run."""

    events: int
    consumers: int
    lost: int
    invented: int
    twice_to_healthy: int
    delays: list[float]
    spreads: list[float]
    posts_to_bad: int
    invocations_at_once: int
    messages: int

    def figures(self, prefix: str) -> dict[str, int | float]:
        figures: dict[str, int | float] = {}
        for name, values in (("delay", self.delays), ("spread", self.spreads)):
            for part, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
                figures[f"{prefix}_{name}_{part}_seconds"] = round(_quantile(values, share), 2)
        return figures


def run(events: int, bad: tuple[str, ...], seed: int = 1, until_all: bool = True) -> Run:
    """`until_all`: runs until the bad consumers, too, have recovered and received everything."""
    seconds = events / EVENTS_PER_SECOND
    world = World(
        seed, ["healthy"] * (HEALTHY + len(BAD) - len(bad)) + list(bad), seconds / 2, seconds + RECOVERY_SECONDS
    )
    endpoints = list(world.endpoints.values())
    healthy = [endpoint for endpoint in endpoints if endpoint.behaviour == "healthy"]
    awaited = endpoints if until_all else healthy
    with world.deployed():
        world.schedule_events(events, seconds)
        for _ in range(STEPS_MAX):
            world.run(STEP_SECONDS)
            if all(len(endpoint.received) >= events for endpoint in awaited):
                break
    published = world.published
    arrivals = {id: [endpoint.received[id][0] for endpoint in healthy if id in endpoint.received] for id in published}
    return Run(
        events=len(published),
        consumers=len(endpoints),
        lost=sum(id not in endpoint.received for endpoint in awaited for id in published),
        invented=sum(id not in published for endpoint in endpoints for id in endpoint.received),
        twice_to_healthy=sum(len(times) - 1 for endpoint in healthy for times in endpoint.received.values()),
        delays=sorted(time - published[id] for id, times in arrivals.items() for time in times),
        spreads=sorted(max(times) - min(times) for times in arrivals.values() if times),
        posts_to_bad=sum(endpoint.attempts for endpoint in endpoints if endpoint.behaviour != "healthy"),
        invocations_at_once=world.queue.running_peak,
        messages=world.queue.messages,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    events, started = parser.parse_args().events, time.perf_counter()
    calm, troubled = run(events, ()), run(events, BAD)
    figures: dict[str, int | float] = {
        "events": troubled.events,
        "consumers": troubled.consumers,
        "consumers_that_fail_or_hang": len(BAD),
        "lost": calm.lost + troubled.lost,
        "invented": calm.invented + troubled.invented,
        "twice_to_healthy": calm.twice_to_healthy + troubled.twice_to_healthy,
        **calm.figures("all_healthy"),
        **troubled.figures("healthy_beside_bad"),
        "posts_to_bad": troubled.posts_to_bad,
        "invocations_at_once": troubled.invocations_at_once,
        "messages": troubled.messages,
        "seconds": round(time.perf_counter() - started, 1),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{value:>12} {name.replace('_', ' ')}")
    return 1 if figures["lost"] or figures["invented"] or figures["twice_to_healthy"] else 0


def _quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


if __name__ == "__main__":
    sys.exit(main())
