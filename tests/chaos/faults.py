"""Which fault strikes where: drawn from the seed, and counted by kind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.chaos.outages import DAY, HOUR, SERVICES, XERO, Outages
from tests.chaos.timeline import Crash, Task, Timeline


# The probability of each kind of fault per opportunity. A schedule scales them and leaves some out.
def crashes(upstream: str) -> dict[str, float]:
    return {
        f"crash_{side}_{what}": rate
        for what, rate in (("write", 0.006), ("read", 0.003), ("send", 0.008), (upstream, 0.02))
        for side in ("before", "after")
    }


CRASHES = crashes(XERO)
AWS = {
    "write_failed": 0.006,
    "write_answer_lost": 0.006,
    "write_contended": 0.006,
    "read_failed": 0.003,
    "index_late": 0.02,
    "send_failed": 0.008,
    "send_answer_lost": 0.008,
    "delete_lost": 0.02,
    "stalled": 0.004,
    "redelivered": 0.05,
    "duplicated": 0.05,
    "dead_letter": 0.01,
    "message_lost": 0.01,
    "vault_crashed": 0.06,
    "vault_answer_lost": 0.06,
    "secrets_failed": 0.05,
    "secrets_lag": 0.3,
}
XEROS = {
    "xero_unreachable": 0.02,
    "xero_request_lost": 0.02,
    "xero_answer_lost": 0.04,
    "xero_429_minute": 0.02,
    "xero_429_day": 0.008,
    "xero_429_concurrent": 0.02,
    "xero_429_appminute": 0.015,
    "xero_500": 0.02,
    "xero_500_after_work": 0.03,
    "xero_503": 0.02,
    "xero_401": 0.03,
    "xero_page_2xx": 0.02,
    "xero_page_401_403": 0.01,
    "xero_page_4xx": 0.02,
    "xero_page_429": 0.005,
    "xero_page_5xx": 0.02,
    "token_answer_lost": 0.08,
    "token_500": 0.08,
}
# Pages of something before Xero, at any endpoint, with one of these statuses.
PAGES = {
    "xero_page_2xx": (200, 202),
    "xero_page_401_403": (401, 403),
    "xero_page_4xx": (400, 404, 405, 408, 409, 410, 413, 422, 451),
    "xero_page_429": (429,),
    "xero_page_5xx": (500, 502, 503, 504, 520),
}
# Causes at Xero that last until they are fixed, and what platforms and people do: per opportunity.
CAUSES = {
    "xero_403_invalid-organisation-bank-feeds": 0.03,
    "xero_403_invalid-application": 0.02,
    "xero_403_suspended-or-terminated-application": 0.02,
    "xero_403_AuthenticationUnsuccessful": 0.03,
    "xero_403_invalid-feed-connection": 0.03,
    "xero_403_invalid-user-role": 0.02,
    "xero_403_invalid-organisation-multi-currency": 0.02,
    "xero_422_account-not-valid": 0.02,
    "statement_rejected": 0.05,
    "line_never_taken": 0.02,
}
ACTIONS = {
    "push_repeated": 0.08,
    "push_sent_again": 0.08,
    "push_reordered": 0.06,
    "push_overlapping": 0.06,
    "push_conflicting": 0.03,
    "push_timing_out": 0.1,
    "push_full": 0.05,
    "push_too_long": 0.03,
    "push_future": 0.05,
    "gap_is_error": 0.15,
    "poison_message": 0.03,
    "clock_jump_hours": 0.05,
    "clock_jump_days": 0.02,
    "released_too_early": 0.1,
    "unmapped": 0.03,
    "mapping_rejected": 0.9,
    "account_removed": 0.03,
    "zone_moved": 0.05,
    "redriven": 0.4,
    "token_revoked": 0.02,
    "feeds_switched_off": 0.02,
    "company_deleted": 0.04,
    "connection_deleted": 0.04,
}


# Outages of a whole service: per schedule.
def outages(services: Iterable[str]) -> dict[str, float]:
    return {
        f"outage_{length}_{service}": rate for service in services for length, rate in (("hour", 0.08), ("day", 0.03))
    }


OUTAGES = outages(SERVICES)
OUTAGE_SECONDS = {"hour": HOUR, "day": DAY}
RATES = CRASHES | AWS | XEROS | CAUSES | ACTIONS | OUTAGES


class Faults:
    def __init__(self, rng: random.Random, timeline: Timeline, rates: Mapping[str, float] = RATES) -> None:
        self.counts: Counter[str] = Counter()
        self.on = False
        self.kill_share = 0.0
        self.outages = Outages(timeline, rng)
        self._steps: dict[str, int] = {}
        self._rng = rng
        self._timeline = timeline
        strength = rng.choice((0.3, 1.0, 1.0, 2.5))
        self.rates = {kind: rate * strength for kind, rate in rates.items() if rng.random() < 0.6}

    def strike(self, kind: str) -> bool:
        """Whether this fault strikes now. Counts it, also for the task that it strikes."""
        rate = self.rates.get(kind, 0.0)
        if not self.on or rate == 0.0 or self._rng.random() >= rate:
            return False
        self.count(kind)
        return True

    def plan_outages(self, within: float) -> None:
        """Plans the outages of a schedule; each begins at any time in the next `within` seconds."""
        for kind in [kind for kind in self.rates if kind.startswith("outage_")]:
            if self.strike(kind):
                _, length, service = kind.split("_")
                start = self._timeline.seconds + self._rng.uniform(0, within)
                self.outages.plan(service, start, OUTAGE_SECONDS[length])

    def seconds(self, shortest: float, longest: float) -> float:
        return self._rng.uniform(shortest, longest)

    def choice(self, options: Sequence[Any]) -> Any:
        return self._rng.choice(options)

    def count(self, kind: str) -> None:
        self.counts[kind] += 1
        task = self._timeline.current()
        if task is not None:
            task.struck += 1

    def before(self, what: str, seconds: float) -> None:
        """A point before a step: time passes, and the process may stall or die."""
        task = self._timeline.current()
        if task is None:
            return
        self._require_alive(task)
        self._timeline.sleep(seconds * (0.2 + self._rng.random()))
        self._require_alive(task)
        self._count_step(task, what)
        if self.on:
            self._stall(task)
            if self.strike(f"crash_before_{what}"):
                task.dead = True
                raise Crash(what)

    def after(self, what: str, seconds: float = 0.0) -> None:
        """A point after a step, also where only its answer was lost."""
        task = self._timeline.current()
        if task is None:
            return
        if seconds:
            self._timeline.sleep(seconds * (0.2 + self._rng.random()))
        self._count_step(task, what)
        if self.strike(f"crash_after_{what}"):
            task.dead = True
            raise Crash(what)

    def doom(self, task: Task) -> None:
        """Kills `kill_share` of the invocations, each at one of the steps of its function's last run."""
        if self.kill_share and self._rng.random() < self.kill_share:
            task.dies_at = self._rng.randint(1, self._steps.get(task.name.split()[1], 20))

    def end(self, task: Task) -> None:
        """The work is done. An invocation that was to die at a later step dies now, before its result is known."""
        self._steps[task.name.split()[1]] = task.steps
        if task.dies_at > task.steps:
            self._kill(task, "end")

    def _count_step(self, task: Task, what: str) -> None:
        task.steps += 1
        if task.steps == task.dies_at:
            self._kill(task, what)

    def _kill(self, task: Task, what: str) -> None:
        self.count(f"killed_{task.name.split()[1]}")
        task.dead = True
        raise Crash(what)

    def _stall(self, task: Task) -> None:
        """Stalls beyond the visibility timeout, so that another invocation processes the same messages."""
        if task.in_vault or not task.name.startswith("function ") or not self.strike("stalled"):
            return
        task.stalled = task.was_stalled = True
        self._timeline.sleep(361 + 500 * self._rng.random())
        task.stalled = False

    @staticmethod
    def _require_alive(task: Task) -> None:
        if task.dead:
            raise Crash("dead")
