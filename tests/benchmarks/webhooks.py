"""`make webhooks`: 10,000 events to 20 consumers of which 5 fail or hang, and the same with none that does.

Printed, and written to `build/webhooks.json`. Times are seconds of the virtual clock, from the commit of
an event to its arrival, or between the first and the last of the healthy consumers to have it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.webhook_world import World

WHERE = Path(__file__).parents[2] / "build" / "webhooks.json"
HEALTHY, BAD = 15, ("hangs", "hangs later", "answers 500", "refuses later", "slow later")
PER_SECOND = 20.0
RECOVERY = 1200.0
"""How long the bad ones are bad after the last event."""
STEP, STEPS = 60.0, 3000


@dataclass(frozen=True)
class Run:
    """What came of one run; `None` of a figure: something did not arrive."""

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
        found: dict[str, int | float] = {}
        for name, values in (("delay", self.delays), ("spread", self.spreads)):
            for part, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
                found[f"{prefix}_{name}_{part}_seconds"] = round(_share(values, share), 2)
        return found


def run(events: int, bad: tuple[str, ...], seed: int = 1, until_all: bool = True) -> Run:
    """`until_all`: goes on until the bad ones have recovered and have everything, too."""
    seconds = events / PER_SECOND
    world = World(seed, ["healthy"] * (HEALTHY + len(BAD) - len(bad)) + list(bad), seconds / 2, seconds + RECOVERY)
    endpoints = list(world.endpoints.values())
    healthy = [one for one in endpoints if one.behaviour == "healthy"]
    wanted = endpoints if until_all else healthy
    with world.deployed():
        world.happen(events, seconds)
        for _ in range(STEPS):
            world.run(STEP)
            if all(len(one.received) >= events for one in wanted):
                break
    known = world.happened
    arrived = {id: [one.received[id][0] for one in healthy if id in one.received] for id in known}
    return Run(
        events=len(known),
        consumers=len(endpoints),
        lost=sum(id not in one.received for one in wanted for id in known),
        invented=sum(id not in known for one in endpoints for id in one.received),
        twice_to_healthy=sum(len(times) - 1 for one in healthy for times in one.received.values()),
        delays=sorted(when - known[id] for id, times in arrived.items() for when in times),
        spreads=sorted(max(times) - min(times) for times in arrived.values() if times),
        posts_to_bad=sum(one.attempts for one in endpoints if one.behaviour != "healthy"),
        invocations_at_once=world.queue.busiest,
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
    WHERE.parent.mkdir(exist_ok=True)
    WHERE.write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{value:>12} {name.replace('_', ' ')}")
    return 1 if figures["lost"] or figures["invented"] or figures["twice_to_healthy"] else 0


def _share(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("inf")


if __name__ == "__main__":
    sys.exit(main())
