"""`make scale`: a hundred feeds at once, with functions killed at random, under Xero's own limits.

Each feed's platform sends its transactions in small pushes, one after the other, through either door, and repeats each
until it is accepted. 5% of the invocations, including those of the API and the vault, die at a random step between two
reads, writes, sends or calls, or after their work but before the queue learns of it. No one repairs anything. What is
delivered, in which order and at which rate, is read from the simulator's record.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from feedlane import aws
from feedlane.money import dumps
from feedlane.push_operation import PushOperation
from feedlane.pushing import accept
from tests import seeded
from tests.chaos import checks, scale_checks
from tests.chaos.functions import TRANSACTIONS
from tests.chaos.pushes import Platform, Pushed, Transaction, cut, stream
from tests.chaos.timeline import START
from tests.chaos.world import Place, World
from tests.chaos.xero import Xero

KILLED_SHARE = 0.05
HOUR = 3600.0
# The pause between a feed's pushes, and a client's pause before a retry.
PAUSE_SECONDS_MAX, RETRY_SECONDS = 40.0, 2.0
PUSH_SIZE_MAX = 10
# Rounds of putting dead letters back. Without lasting faults there should be none.
ROUNDS_MAX = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.scale", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    for name, default in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = vars(parser.parse_args())
    with Xero.in_process() as xero:
        result = run(arguments.pop("seed"), xero, Size(**arguments))
    seeded.write(result.figures, "scale")
    for name, value in result.figures.items():
        print(f"{name:40} {value:>10}")
    for text in result.violations[:20]:
        print(f"  {text}")
    return 1 if result.violations else 0


@dataclass(frozen=True)
class Size:
    feeds: int = 100
    tenants: int = 20
    transactions: int = 100_000


@dataclass
class Run:
    """`figures` are named as in `build/scale.json`."""

    violations: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


def run(seed: int, xero: Xero, size: Size, killed: float = KILLED_SHARE) -> Run:
    started, rng = time.perf_counter(), random.Random(seed)
    world = World(rng, xero)
    world.faults.rates = {"vault_crashed": killed}
    with world.deployed():
        world.sim.timing.statement_seconds, world.sim.timing.response_seconds = 5.0, 0.4
        world.link(size.feeds, size.tenants)
        began = world.now
        platforms = [_Feed(world, place, size.transactions // size.feeds) for place in world.places]
        world.faults.on, world.faults.kill_share = True, killed
        for platform in platforms:
            world.timeline.start("platform", platform.send_all)
        redriven = _run_to_rest(world)
        world.faults.on, world.faults.kill_share = False, 0.0
        result = Run(_violations(world, platforms))
    counts = world.faults.counts
    kills = sum(count for kind, count in counts.items() if kind.startswith("killed_") or kind == "vault_crashed")
    invocations = (
        world.functions.invocations
        + sum(platform.attempts for platform in platforms)
        + world.vault_function.invocations
    )
    result.figures = {
        "feeds": size.feeds,
        "tenants": size.tenants,
        "transactions": sum(len(platform.sent) for platform in platforms),
        "messages": sum(sum(platform.doors.values()) for platform in platforms),
        "messages_by_api": sum(platform.doors["api"] for platform in platforms),
        "messages_by_queue": sum(platform.doors["queue"] for platform in platforms),
        "invocations": invocations,
        "functions_killed": kills,
        "functions_killed_percent": round(100 * kills / invocations, 2),
        **{kind: counts[kind] for kind in sorted(counts) if kind.startswith("killed_")},
        "killed_credential_vault": counts["vault_crashed"],
        "dead_letters_put_back": redriven,
        **scale_checks.figures(world, began),
        "violations": len(result.violations),
        "seconds": round(time.perf_counter() - started, 1),
    }
    return result


class _Feed:
    """A feed's platform. `sent` are the accepted transactions in order; `doors` counts the pushes of each door."""

    def __init__(self, world: World, place: Place, count: int) -> None:
        self.world, self.place = world, place
        self.sent: list[Transaction] = []
        self.accepted: list[Pushed] = []
        self.doors: Counter[str] = Counter()
        self.attempts = 0
        self._pushes = cut(world.rng, stream(world.rng, count, START.date() - timedelta(days=1)), PUSH_SIZE_MAX)

    def send_all(self) -> None:
        rng = self.world.rng
        for push in self._pushes:
            self.world.timeline.sleep(rng.uniform(0, PAUSE_SECONDS_MAX))
            door = rng.choice(("api", "queue"))
            key = self._by_api(push) if door == "api" else self._by_queue(push)
            self.doors[door] += 1
            self.sent += push
            self.accepted.append(Pushed(self.place, key, push))

    def _by_api(self, push: list[Transaction]) -> str:
        """A client that repeats a lost call until it has an answer."""
        world, place = self.world, self.place
        body = dumps({"accountId": place.account_id, "transactions": push})
        answers: list[PushOperation] = []

        def invoke() -> None:
            ports = (world.store, aws.queues(), world.now, world.new_id)
            answer = accept(*ports, place.company_id, place.connection_id, place.account_id, body)
            world.faults.end(attempt)
            answers.append(answer)

        while not answers:
            self.attempts += 1
            attempt = world.timeline.start("function public_api", invoke)
            world.faults.doom(attempt)
            while attempt in world.timeline.tasks:
                world.timeline.sleep(RETRY_SECONDS)
        return answers[0].key

    def _by_queue(self, push: list[Transaction]) -> str:
        place, key = self.place, self.world.new_id()
        message = {"version": 1, "companyId": place.company_id, "connectionId": place.connection_id}
        message |= {"accountId": place.account_id, "pushOperationKey": key, "transactions": push}
        self.world.queues[TRANSACTIONS].send(dumps(message), place.feed_id, key)
        return key


def _run_to_rest(world: World) -> int:
    """Runs until nothing moves. Returns how many dead letters had to be put back."""
    redriven = 0
    for _ in range(ROUNDS_MAX):
        world.timeline.run(48 * HOUR)
        messages = sum(queue.redrive() for queue in world.queues.values())
        redriven += messages
        if not messages and checks.at_rest(world):
            break
    return redriven


def _violations(world: World, feeds: list[_Feed]) -> list[str]:
    """The invariants of every schedule, and in addition: everything sent has arrived, in order."""
    platform = Platform(world)
    for feed in feeds:
        platform.accepted += feed.accepted
        for transaction in feed.sent:
            platform.truth[feed.place.feed_id, transaction["id"]] = [transaction]
    violations = [] if checks.at_rest(world) else ["nothing lost: the world did not come to rest"]
    for feed in feeds:
        violations += scale_checks.arrived(world, feed.place, [transaction["id"] for transaction in feed.sent])
    violations += scale_checks.operations_succeeded(world, platform)
    return violations + scale_checks.limits(world) + checks.after_all(world, platform)


if __name__ == "__main__":
    sys.exit(main())
