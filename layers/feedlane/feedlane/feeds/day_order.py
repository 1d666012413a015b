"""The order of a day's lines. Many banks list the newest first, and their balances prove it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise

from feedlane.feeds.line import Line

# So many lines whose balances run backwards are no coincidence, whatever came before them.
CERTAIN_LINES = 3


def oldest_first(lines: Sequence[Line], balance: Decimal | None) -> tuple[list[Line], list[str]]:
    """The lines with each day's oldest first, and the days that were newest first.

    `lines` are in order of their dates; `balance` is the one before them, if it is known. A day is turned round only if
    its balances run backwards and not forwards: otherwise the order of arrival counts.
    """
    ordered: list[Line] = []
    turned: list[str] = []
    for day, group in groupby(lines, key=lambda line: line.date):
        of_day = list(group)
        if _is_newest_first(of_day, balance):
            of_day.reverse()
            turned.append(day)
        ordered += of_day
        balance = of_day[-1].balance
    return ordered, turned


def _is_newest_first(lines: Sequence[Line], balance: Decimal | None) -> bool:
    oldest = lines[-1]
    if len(lines) == 1 or _run(lines) or not _run(lines[::-1]):
        return False
    return len(lines) >= CERTAIN_LINES or balance is None or balance + oldest.amount == oldest.balance


def _run(lines: Sequence[Line]) -> bool:
    return all(before.balance + after.amount == after.balance for before, after in pairwise(lines))
