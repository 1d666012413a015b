"""The rules of the ledger: what may be appended to a feed, and what a push's lines become. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from feedlane.errors import Finding
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.money import plain

DELIVERED_ELSEWHERE = "DeliveredElsewhere"
# Of a Xero account's name: a thousand findings have to fit into an item.
NAME_LENGTH_MAX = 50


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
                warnings.append(_known(feed, line, same_id.sequence))
            else:
                errors.append(_different_content(line))
            continue
        if line.date < latest:
            errors.append(_too_early(line, latest))
            continue
        if balance is not None and balance + line.amount != line.balance:
            gaps.append(Gap(line.id, line.date, balance + line.amount, line.balance))
            (errors if gap_is_error else warnings).append(_gap(gaps[-1]))
        if line.date < feed.start_date:
            warnings.append(_before_start(line, feed.start_date))
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
    early = len(lines_before_start(feed, addition.lines))
    delivered_through = delivered_after(feed, addition.lines)
    has_passed = delivered_through > feed.delivered_through
    return feed.but(
        delivered_through=delivered_through,
        set_aside=feed.set_aside + early,
        set_aside_ahead=0 if has_passed else feed.set_aside_ahead + early,
        recorded_through=feed.recorded_through + len(addition.lines),
        recorded_date=last.date,
        recorded_balance=last.balance,
    )


def lines_before_start(feed: Feed, lines: Sequence[Line]) -> Sequence[Line]:
    """Those dated before the feed's start, which are never sent. They are the first ones: lines are in order."""
    return lines[: sum(line.date < feed.start_date for line in lines)] if feed.start_date else ()


def delivered_after(feed: Feed, lines: Sequence[Line]) -> int:
    """`delivered_through` once the lines are added: those before the feed's start are passed if nothing waits."""
    early = len(lines_before_start(feed, lines))
    return feed.delivered_through if feed.waiting or not early else feed.recorded_through + early


def _known(feed: Feed, line: Line, number: int) -> Finding:
    """A repeat. If another Xero account has the line, the present one lacks it: that is said."""
    if (other := feed.elsewhere(number)) is not None:
        name = other.account_name[:NAME_LENGTH_MAX] or other.account_id
        message = f"was delivered to another Xero account before ({name}), not to the present one"
        return Finding(item_id=line.id, message=message, validator=DELIVERED_ELSEWHERE)
    return Finding(item_id=line.id, message="is already recorded and is not sent again", validator="Duplicate")


def _different_content(line: Line) -> Finding:
    message = "id is already recorded with different content; an id always identifies the same transaction"
    return Finding(item_id=line.id, message=message, validator="UniqueId")


def _before_start(line: Line, start_date: str) -> Finding:
    message = f"date {line.date} is before {start_date}, the feed's start date: it is set aside and never sent"
    return Finding(item_id=line.id, message=message, validator="BeforeFeedStart")


def _too_early(line: Line, latest: str) -> Finding:
    message = f"date {line.date} is before {latest}, the latest date so far; transactions must be in date order"
    return Finding(item_id=line.id, message=message, validator="Chronological")


def _gap(gap: Gap) -> Finding:
    message = (
        f"balance {plain(gap.given_balance)} does not follow from the previous line: "
        f"expected {plain(gap.expected_balance)}; transactions may be missing"
    )
    return Finding(item_id=gap.transaction_id, message=message, validator="Gap")
