"""Ctrl-C, and what ends a program otherwise: as an interruption that comes only where it can be dealt with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# SIGHUP: the terminal is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed_all() -> None:
    """Has every signal that asks the program to end raise KeyboardInterrupt, as Ctrl-C does.

    Not what it was started to ignore, by `nohup` for one.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


@contextmanager
def deferred() -> Iterator[None]:
    """Interruptions come after the block: what is in it is done as a whole.

    In another thread than the main one, which alone is interrupted, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    former: dict[signal.Signals, Any] = {
        number: signal.signal(number, lambda number, _frame: came.append(number)) for number in SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
