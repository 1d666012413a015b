"""The rules of the ledger: what may be appended to a feed, and what a push's lines become. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from feedlane.errors import Finding
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.money import plain


@dataclass(frozen=True)
class RecordedTransaction:
    """A transaction id that the feed has recorded: at which line, and with what content."""

    sequence: int
    fingerprint: str


@dataclass(frozen=True)
class Gap:
    """A line whose balance does not continue the one before it: something is missing in between."""

    transaction_id: str
    date: str
    expected: Decimal
    given: Decimal


@dataclass(frozen=True)
class Addition:
    """What a push adds. `through` is the last line, old or new, that stands for its transactions; `known` its ids."""

    lines: tuple[Line, ...]
    through: int
    warnings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    known: dict[str, RecordedTransaction] = field(default_factory=dict)


@dataclass(frozen=True)
class RejectedPush:
    """Why nothing of a push is recorded."""

    errors: tuple[Finding, ...]


def append(
    feed: Feed, lines: Sequence[Line], known: Mapping[str, RecordedTransaction], gap_is_error: bool = False
) -> Addition | RejectedPush:
    """What becomes of a push on the feed as it stands.

    A known id with the same content is skipped with a warning, with other content it is an error. A date before the
    latest recorded one is an error. One error refuses the whole push.
    """
    errors: list[Finding] = []
    warnings: list[Finding] = []
    added: list[Line] = []
    gaps: list[Gap] = []
    here: dict[str, RecordedTransaction] = {}
    latest, balance, through = feed.recorded_date, feed.recorded_balance, 0
    for line in lines:
        before = here.get(line.id) or known.get(line.id)
        if before is not None:
            through = max(through, before.sequence)
            if before.fingerprint == line.fingerprint:
                warnings.append(_duplicate(line))
            else:
                errors.append(_other_content(line))
            continue
        if line.date < latest:
            errors.append(_too_early(line, latest))
            continue
        if balance is not None and balance + line.amount != line.balance:
            gaps.append(Gap(line.id, line.date, balance + line.amount, line.balance))
            (errors if gap_is_error else warnings).append(_gap(gaps[-1]))
        added.append(line)
        latest, balance = line.date, line.balance
        through = feed.recorded_through + len(added)
        here[line.id] = RecordedTransaction(through, line.fingerprint)
    if errors:
        return RejectedPush(tuple(errors))
    return Addition(tuple(added), through, tuple(warnings), tuple(gaps), here)


def feed_after(feed: Feed, entry: Addition) -> Feed:
    """The feed after the entry. Its version rises when it is written."""
    if not entry.lines:
        return feed
    last = entry.lines[-1]
    return feed.but(
        recorded_through=feed.recorded_through + len(entry.lines),
        recorded_date=last.date,
        recorded_balance=last.balance,
    )


def added_ids(_feed: Feed, entry: Addition) -> dict[str, RecordedTransaction]:
    """The ids that the entry adds."""
    return entry.known


def _duplicate(line: Line) -> Finding:
    return Finding(item_id=line.id, message="was recorded before and is not sent again", validator="Duplicate")


def _other_content(line: Line) -> Finding:
    message = "id was recorded before with other content; an id stands for one transaction for ever"
    return Finding(item_id=line.id, message=message, validator="UniqueId")


def _too_early(line: Line, latest: str) -> Finding:
    message = f"date {line.date} is before {latest}, the latest date recorded before it; order is chronological"
    return Finding(item_id=line.id, message=message, validator="Chronological")


def _gap(gap: Gap) -> Finding:
    message = (
        f"balance {plain(gap.given)} does not continue the line before: {plain(gap.expected)} was expected; "
        "transactions may be missing"
    )
    return Finding(item_id=gap.transaction_id, message=message, validator="Gap")
