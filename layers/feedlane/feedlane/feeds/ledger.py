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
    """What a feed has recorded under a transaction id: the number of its line, and its content."""

    sequence: int
    fingerprint: str


@dataclass(frozen=True)
class Gap:
    """A line whose balance does not follow from the line before it: something is missing in between."""

    transaction_id: str
    date: str
    expected_balance: Decimal
    given_balance: Decimal


@dataclass(frozen=True)
class Addition:
    """What a push adds. `through` is the last line, old or new, with one of its transactions; `ids` are those added."""

    lines: tuple[Line, ...]
    through: int
    warnings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    ids: dict[str, RecordedTransaction] = field(default_factory=dict)


@dataclass(frozen=True)
class RejectedPush:
    """A push of which nothing is recorded, and why."""

    errors: tuple[Finding, ...]


def append(
    feed: Feed, lines: Sequence[Line], recorded: Mapping[str, RecordedTransaction], gap_is_error: bool = False
) -> Addition | RejectedPush:
    """Decides what a push's lines add to the feed.

    A recorded id with the same content is skipped with a warning; with different content it is an error. A date before
    the latest recorded one is an error. One error rejects the whole push.
    """
    errors: list[Finding] = []
    warnings: list[Finding] = []
    added: list[Line] = []
    gaps: list[Gap] = []
    added_ids: dict[str, RecordedTransaction] = {}
    latest, balance, through = feed.recorded_date, feed.recorded_balance, 0
    for line in lines:
        same_id = added_ids.get(line.id) or recorded.get(line.id)
        if same_id is not None:
            through = max(through, same_id.sequence)
            if same_id.fingerprint == line.fingerprint:
                warnings.append(_duplicate(line))
            else:
                errors.append(_different_content(line))
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
        added_ids[line.id] = RecordedTransaction(through, line.fingerprint)
    if errors:
        return RejectedPush(tuple(errors))
    return Addition(tuple(added), through, tuple(warnings), tuple(gaps), added_ids)


def feed_after(feed: Feed, addition: Addition) -> Feed:
    """The feed with the lines added. Its version rises when it is written."""
    if not addition.lines:
        return feed
    last = addition.lines[-1]
    return feed.but(
        recorded_through=feed.recorded_through + len(addition.lines),
        recorded_date=last.date,
        recorded_balance=last.balance,
    )


def _duplicate(line: Line) -> Finding:
    return Finding(item_id=line.id, message="is already recorded and is not sent again", validator="Duplicate")


def _different_content(line: Line) -> Finding:
    message = "id is already recorded with different content; an id always identifies the same transaction"
    return Finding(item_id=line.id, message=message, validator="UniqueId")


def _too_early(line: Line, latest: str) -> Finding:
    message = f"date {line.date} is before {latest}, the latest date so far; transactions must be in date order"
    return Finding(item_id=line.id, message=message, validator="Chronological")


def _gap(gap: Gap) -> Finding:
    message = (
        f"balance {plain(gap.given_balance)} does not follow from the previous line: "
        f"expected {plain(gap.expected_balance)}; transactions may be missing"
    )
    return Finding(item_id=gap.transaction_id, message=message, validator="Gap")
