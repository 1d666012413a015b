"""How MiniStack starts the environments of functions: a few at a time.

MiniStack starts one for each call that finds none free. Each takes a CPU second or two, and on this machine they share
the CPUs, which on AWS they do not: of forty calls at once, some waited longer than the API does for its function.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime

# Of one function. Others' do not count: a function that calls another one must not wait for its own kind.
STARTS_MAX = 2
# How soon a waiting call sees that an environment is free.
LOOK_SECONDS = 0.02

_lease = lambda_runtime.acquire_worker
_starts: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(STARTS_MAX))


def lease(
    name: str, config: dict[str, Any], code: bytes, qualifier: str = "$LATEST", max_concurrency: int | None = None
) -> tuple[Any, str]:
    """An environment that is free, or else a new one, as soon as it is the call's turn to start one.

    It waits in the thread of its call. It cannot wait for ever: starting an environment waits for nothing.
    """
    key = lambda_runtime._worker_key(name, config, qualifier)
    while (worker := _take_free(key)) is None:
        if _starts[key].acquire(timeout=LOOK_SECONDS):
            try:
                return _started(_lease(name, config, code, qualifier, max_concurrency))
            finally:
                _starts[key].release()
    return worker, "reused"


def _take_free(key: str) -> Any:
    with lambda_runtime._lock:
        for worker in lambda_runtime._workers.get(key, []):
            if not worker.in_use:
                worker.in_use, worker.last_used = True, time.time()
                return worker
    return None


def _started(leased: tuple[Any, str]) -> tuple[Any, str]:
    worker, reason = leased
    if reason == "spawn":
        # If it cannot start, the call finds that out itself, and answers it as MiniStack does.
        with suppress(Exception):
            lambda_runtime.ensure_spawned(worker)
    return leased
