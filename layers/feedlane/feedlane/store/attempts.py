"""Attempts at a contended commit: read, decide, commit, and start over if a condition failed.

    for attempt in attempts(f"feed {feed_id}"):
        feed = feed_items.find_feed(store, feed_id)
        with attempt:
            store.commit(feed_items.put_feed(changed(feed)))
    queues.wake(feed_id)

The first block that completes, or is left with `return` or `break`, ends the loop. Code that follows the commit is in
the block or after the loop; code that prepares another attempt is after a block that ends with `break`. An attempt that
never reaches its block (`continue`) counts as failed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from types import TracebackType

from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended, Write

ATTEMPTS_MAX = 10
DELAY_SECONDS_FIRST = 0.02
DELAY_SECONDS_MAX = 0.2

# Tests and simulated worlds replace it, so that they do not wait.
sleep: Callable[[float], None] = time.sleep


class AttemptsExhausted(ConditionFailed):
    """Every attempt failed, because another writer was faster. `keys` are those of the last failure."""

    def __init__(self, contended: str, attempts_max: int, last: ConditionFailed | None) -> None:
        super().__init__(last.keys if last else ())
        self.args = (f"{contended}: none of {attempts_max} attempts succeeded; another writer was faster each time",)


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
    contended: str,
    *,
    attempts_max: int = ATTEMPTS_MAX,
    delay_max: float = DELAY_SECONDS_MAX,
    otherwise: Exception | None = None,
) -> Iterator[Attempt]:
    """At most `attempts_max` attempts, with random delays (seconds) between them to separate the contenders.

    `contended` names what others may change at the same time. After the last attempt it raises `otherwise`, or
    `AttemptsExhausted` without it.
    """
    last: ConditionFailed | None = None
    for number in range(attempts_max):
        if number:
            _wait_before_retry(number, delay_max)
        attempt = Attempt()
        yield attempt
        if attempt.is_done:
            return
        last = attempt.failure
    exhausted = AttemptsExhausted(contended, attempts_max, last)
    if otherwise is not None:
        raise otherwise from exhausted
    raise exhausted from last


def commit_among_others(store: Store, *writes: Write) -> None:
    """Commits, again if another commit was writing the same items at that moment: what all count in one item, for
    example. Raises `ConditionFailed`."""
    for number in range(1, ATTEMPTS_MAX):
        try:
            store.commit(*writes)
            return
        except Contended:
            _wait_before_retry(number, DELAY_SECONDS_MAX)
    store.commit(*writes)


def _wait_before_retry(number: int, delay_max: float) -> None:
    """Full jitter. There is no delay before the first retry: the faster writer has committed by then."""
    if number > 1:
        sleep(random.uniform(0, min(delay_max, DELAY_SECONDS_FIRST * 2 ** (number - 2))))
