"""A chart of days as the sizes of an inline SVG: bars, with one scale and the words that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedlane.feeds.totals import Delivered
from feedlane.web.filters import day

WIDTH, HEIGHT, GAP = 720, 160, 4


@dataclass(frozen=True)
class Bar:
    """In the units of the chart, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    delivered: Delivered


@dataclass(frozen=True)
class Chart:
    """`summary` is the text alternative."""

    bars: Sequence[Bar]
    highest: int
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(days: Sequence[Delivered]) -> Chart:
    """The transactions of each day. A day with any has a bar that can be seen."""
    highest = max((one.transactions for one in days), default=0)
    step = WIDTH / max(1, len(days))
    bars = []
    for number, one in enumerate(days):
        height = max(2.0, HEIGHT * one.transactions / highest) if one.transactions else 0.0
        bars.append(
            Bar(round(number * step + GAP / 2, 1), round(HEIGHT - height, 1), step - GAP, round(height, 1), one)
        )
    transactions, statements = sum(one.transactions for one in days), sum(one.statements for one in days)
    if not transactions:
        return Chart(bars, highest, f"Nothing was delivered in the last {len(days)} days.")
    best = max(days, key=lambda one: one.transactions)
    summary = (
        f"{transactions:,} transactions in {statements:,} statements were delivered in {len(days)} days. "
        f"The most were {best.transactions:,} on {day(best.day)}; today there are {days[-1].transactions:,}."
    )
    return Chart(bars, highest, summary)
