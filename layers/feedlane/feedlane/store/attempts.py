"""Attempts at a commit that others may contend for: read, decide, commit, and all of it again if a condition failed.

    for attempt in attempts(f"feed {feed_id}"):
        feed = ledger.feed(store, feed_id)
        with attempt:
            store.commit(ledger.put_feed(changed(feed)))
    queues.wake(feed_id)

The first block that is completed, or left with `return` or `break`, ends the loop. What follows the commit stands in
the block or after the loop; what prepares another attempt stands behind a block that ends with `break`. An attempt that
never gets to its block (`continue`) counts as failed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from feedlane.store.table import ConditionFailed

TIMES = 10
DELAY_SECONDS_FIRST = 0.02
DELAY_SECONDS_MAX = 0.2

# The tests and the simulated worlds put another one here, so that they do not wait.
sleep: Callable[[float], None] = time.sleep


class AttemptsExhausted(ConditionFailed):
    """All attempts failed: others were faster each time. `keys` are those of the last failure."""

    def __init__(self, contended: str, times: int, last: ConditionFailed | None) -> None:
        super().__init__(last.keys if last else ())
        self.args = (f"{contended}: none of {times} attempts succeeded, others were faster each time",)


class Attempt:
    """One attempt. A `ConditionFailed` ends its block silently; any other error passes through."""

    def __init__(self) -> None:
        self.is_done = False
        self.failure: ConditionFailed | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, ConditionFailed):
            self.failure = error
            return True
        self.is_done = error is None
        return False


def attempts(
    contended: str, *, times: int = TIMES, delay_max: float = DELAY_SECONDS_MAX, otherwise: Exception | None = None
) -> Iterator[Attempt]:
    """At most so many attempts; with seconds of delay between them, so that those who contend come apart.

    `contended` names what others may change at the same time. After the last attempt `otherwise` is raised, or else
    `AttemptsExhausted`.
    """
    last: ConditionFailed | None = None
    for number in range(times):
        if number:
            _wait_before_retry(number, delay_max)
        attempt = Attempt()
        yield attempt
        if attempt.is_done:
            return
        last = attempt.failure
    exhausted = AttemptsExhausted(contended, times, last)
    if otherwise is not None:
        raise otherwise from exhausted
    raise exhausted from last


def _wait_before_retry(number: int, delay_max: float) -> None:
    """Full jitter. The first retry goes at once: whoever was faster has committed by then."""
    if number > 1:
        sleep(random.uniform(0, min(delay_max, DELAY_SECONDS_FIRST * 2 ** (number - 2))))
