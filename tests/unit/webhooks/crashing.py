"""Faults for crash tests: the function dies before or after any call that leaves the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """Ends the function: nothing in it catches this."""


class Faults:
    """Crashes before or after the calls with the given numbers. Counts all calls that leave the process."""

    def __init__(self, before: set[int], after: set[int]) -> None:
        self.before, self.after, self.calls = before, after, 0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(*args: Any, **named: Any) -> Any:
            self.calls += 1
            number = self.calls
            if number in self.before:
                raise Crash
            result = call(*args, **named)
            if number in self.after:
                raise Crash
            return result

        return faulty
