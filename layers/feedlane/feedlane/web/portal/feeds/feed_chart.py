"""The picture of a feed: what was delivered on each of the last thirty days, and the balance that it came to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from feedlane.statements.statement import StatementRecord, StatementState

DAYS = 30
WIDTH, HEIGHT = 600, 130
_GAP = 4
# The line of the balance keeps away from the edges, so that it is seen whole.
_MARGIN = 8


@dataclass(frozen=True)
class Day:
    """`balance` is that of the latest statement so far; None before the first one that is known."""

    day: date
    delivered: int
    balance: Decimal | None


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """`line` are the points of the balance, from the first day that has one; empty if fewer than two days have."""

    days: tuple[Day, ...]
    bars: tuple[Bar, ...]
    line: str

    @property
    def delivered(self) -> int:
        return sum(day.delivered for day in self.days)

    @property
    def busiest(self) -> Day:
        return max(self.days, key=lambda day: day.delivered)

    @property
    def busy_days(self) -> list[Day]:
        """Those on which something was delivered, the latest first."""
        return [day for day in reversed(self.days) if day.delivered]


def chart(latest: Sequence[StatementRecord], today: date, read_max: int) -> Chart | None:
    """Of the latest statements, the last one first: `read_max` of them, or all. None if there is nothing to show."""
    delivered = [(one.ended_on.date(), one) for one in latest if one.state is StatementState.DELIVERED and one.ended_on]
    first = today - timedelta(days=DAYS - 1)
    if len(latest) >= read_max and delivered:
        # What came before is not known, so the picture begins with the first whole day.
        first = max(first, min(day for day, _ in delivered) + timedelta(days=1))
    if not any(first <= day <= today for day, _ in delivered):
        return None
    days = _days(delivered, first, today)
    most = max(day.delivered for day in days)
    width = WIDTH / len(days)
    bars = tuple(
        Bar(round(at * width + _GAP / 2, 1), round(HEIGHT - height, 1), round(width - _GAP, 1), round(height, 1))
        for at, day in enumerate(days)
        if (height := day.delivered / most * (HEIGHT - _MARGIN))
    )
    return Chart(days, bars, _line(days, width))


def _days(delivered: Sequence[tuple[date, StatementRecord]], first: date, last: date) -> tuple[Day, ...]:
    days, balance = [], None
    in_order = sorted(delivered, key=lambda pair: pair[1].number)
    for before in (one for day, one in in_order if day < first):
        balance = before.end_balance
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        of_day = [one for ended, one in in_order if ended == day]
        balance = of_day[-1].end_balance if of_day else balance
        days.append(Day(day, sum(one.line_count for one in of_day), balance))
    return tuple(days)


def _line(days: Sequence[Day], width: float) -> str:
    known = [(at, day.balance) for at, day in enumerate(days) if day.balance is not None]
    if len(known) < 2:
        return ""
    low, high = min(balance for _, balance in known), max(balance for _, balance in known)
    room = HEIGHT - 2 * _MARGIN
    points = []
    for at, balance in known:
        share = float((balance - low) / (high - low)) if high > low else 0.5
        points.append(f"{round((at + 0.5) * width, 1)},{round(HEIGHT - _MARGIN - share * room, 1)}")
    return " ".join(points)
