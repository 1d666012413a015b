"""A function that dies before or after any call that leaves the process: what tests of crashes are run with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """The function dies: nothing catches this."""


class Faults:
    """Dies before or after the calls whose turn it is, counted over everything that leaves the process."""

    def __init__(self, before: set[int], after: set[int]) -> None:
        self.before, self.after, self.calls = before, after, 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(*args: Any, **named: Any) -> Any:
            self.calls += 1
            turn = self.calls
            if turn in self.before:
                raise Crash
            result = call(*args, **named)
            if turn in self.after:
                raise Crash
            return result

        return faulty
