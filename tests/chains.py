"""Lambda's recursive loop detection, for every stand-in that hands messages to functions.

Each message carries its lineage: how often each function ran in the chain of messages that led to it. A function's
seventeenth run in one chain does not happen. Its message goes to the dead-letter queue instead, unless the template
lets the function run in loops. A retry of a message is the same message, so its lineage does not grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

RUNS_MAX = 16

Lineage = Mapping[str, int]
NEW: Lineage = MappingProxyType({})
"""The lineage of a message that no function sent: a chain begins."""


def is_stopped(function: str, lineage: Lineage) -> bool:
    """Whether Lambda would not give the function a message with this lineage."""
    if lineage.get(function, 0) < RUNS_MAX:
        return False
    # Imported late: reading the template takes a second, which tests without long chains need not spend.
    from tests.stack.template import allows_recursion

    return not allows_recursion(function)


def lineage_of_run(function: str, messages: Iterable[Lineage]) -> Lineage:
    """The lineage of whatever a run sends that got messages with these lineages: their highest counts, and itself."""
    counts: dict[str, int] = {}
    for lineage in messages:
        for name, runs in lineage.items():
            counts[name] = max(runs, counts.get(name, 0))
    return MappingProxyType(counts | {function: counts.get(function, 0) + 1})
