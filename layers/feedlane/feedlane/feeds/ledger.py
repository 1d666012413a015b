"""The rules of the ledger: what may be appended to a feed, and what a push's lines become. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from feedlane.errors import Finding
from feedlane.feeds.day_order import oldest_first
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line, is_same_booking
from feedlane.feeds.rules import ChangedTransactions, Rules
from feedlane.money import plain

# So many balances in one push that do not run are no gaps: they are not what the account had after the line.
MANY_GAPS = 10
DELIVERED_ELSEWHERE = "DeliveredElsewhere"
# Of a Xero account's name: a thousand findings have to fit into an item.
NAME_LENGTH_MAX = 50
# The warnings for a known id: its transaction is in the ledger, as it was recorded first.
SET_ASIDE = "SetAside"
KNOWN_VALIDATORS = frozenset({"Duplicate", "Changed", DELIVERED_ELSEWHERE, SET_ASIDE})
DEFAULT_RULES = Rules()
_ERRORS = frozenset({"UniqueId", "Chronological"})


@dataclass(frozen=True)
class RecordedTransaction:
    """What a feed has recorded under a transaction id: the number of its line, its content, and whether it is set
    aside."""

    sequence: int
    fingerprint: str
    is_aside: bool = False


@dataclass(frozen=True)
class Gap:
    """A line whose balance does not follow from the line before it: something is missing in between."""

    transaction_id: str
    date: str
    expected_balance: Decimal
    given_balance: Decimal


@dataclass(frozen=True)
class Addition:
    """What a push adds. `through` is the last line, old or new, with one of its transactions; `ids` are those added.

    `feed` is the feed with the lines added; its version rises when it is written.
    """

    feed: Feed
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
    feed: Feed,
    lines: Sequence[Line],
    recorded: Mapping[str, RecordedTransaction],
    rules: Rules = DEFAULT_RULES,
    is_backfill: bool = False,
) -> Addition | RejectedPush:
    """Decides what a push's lines add to the feed. One error rejects the whole push.

    A recorded id is skipped with a warning; with a different content it may be an error (`rules`). A date before the
    latest recorded one is an error, except in a backfill: its lines are in order among themselves, come behind what is
    recorded, and leave the date and the balance that the next push has to follow as they are.
    """
    known = [(line, recorded[line.id]) for line in lines if line.id in recorded]
    new, repeated = _without_repeats([line for line in lines if line.id not in recorded])
    findings = [_known(feed, line, earlier, rules.changed_transactions) for line, earlier in known] + repeated
    goes_back = is_backfill and bool(new) and new[0].date < feed.recorded_date
    placed = _place(new, *(("", None) if goes_back else (feed.recorded_date, feed.recorded_balance)), rules)
    findings += placed.findings
    errors = _ERRORS | ({"Gap"} if rules.gap_is_error else set())
    if any(finding.validator in errors for finding in findings):
        return RejectedPush(tuple(finding for finding in findings if finding.validator in errors))
    if goes_back:
        findings.insert(0, _backfilled(new, feed.recorded_date))
    findings += [_before_start(line, feed.start_date) for line in lines_before_start(feed, placed.lines)]
    first = feed.recorded_through + 1
    ids = {
        line.id: RecordedTransaction(first + at, line.fingerprint, is_aside=line.date < feed.start_date)
        for at, line in enumerate(placed.lines)
    }
    through = max((entry.sequence for entry in (*(earlier for _, earlier in known), *ids.values())), default=0)
    after = _feed_after(feed, placed.lines, goes_back).but(gaps=feed.gaps + len(placed.gaps))
    return Addition(after, placed.lines, through, tuple(findings), placed.gaps, ids)


class _Placed(NamedTuple):
    """New lines in the order of the ledger, and what is to be said of their places."""

    lines: tuple[Line, ...]
    findings: list[Finding]
    gaps: tuple[Gap, ...]


def _place(lines: list[Line], latest: str, balance: Decimal | None, rules: Rules) -> _Placed:
    """`latest` and `balance` are those of the line that they follow; empty and None if that does not matter."""
    early = [_too_early(line, latest) for line in lines if line.date < latest]
    if early or rules.synthetic_balances:
        return _Placed(tuple(lines), early, ())
    ordered, turned = oldest_first(lines, balance)
    gaps = _gaps(ordered, balance)
    many = [_many_gaps(len(gaps), len(lines))] if len(gaps) >= MANY_GAPS else []
    return _Placed(tuple(ordered), [*many, *map(_newest_first, turned), *map(_gap, gaps)], tuple(gaps))


def _feed_after(feed: Feed, added: Sequence[Line], goes_back: bool) -> Feed:
    if not added:
        return feed
    early, delivered_through = len(lines_before_start(feed, added)), delivered_after(feed, added)
    has_passed = delivered_through > feed.delivered_through
    after = feed.but(
        delivered_through=delivered_through,
        set_aside=feed.set_aside + early,
        set_aside_ahead=0 if has_passed else feed.set_aside_ahead + early,
        id_turn=0 if has_passed else feed.id_turn,
        recorded_through=feed.recorded_through + len(added),
    )
    last = added[-1]
    if goes_back and last.date <= feed.recorded_date:
        return after
    return after.but(recorded_date=last.date, recorded_balance=last.balance)


def _without_repeats(lines: Sequence[Line]) -> tuple[list[Line], list[Finding]]:
    """The lines, each id once, and what is wrong with the others."""
    first: dict[str, Line] = {}
    findings = []
    for line in lines:
        earlier = first.setdefault(line.id, line)
        if earlier is not line:
            findings.append(_duplicate(line) if earlier == line else _other_transaction(line))
    return list(first.values()), findings


def _gaps(lines: Sequence[Line], balance: Decimal | None) -> list[Gap]:
    gaps = []
    for line in lines:
        if balance is not None and balance + line.amount != line.balance:
            gaps.append(Gap(line.id, line.date, balance + line.amount, line.balance))
        balance = line.balance
    return gaps


def _known(feed: Feed, line: Line, earlier: RecordedTransaction, rule: ChangedTransactions) -> Finding:
    """A repeat. What the present Xero account lacks, because it was set aside or another one has it, is named so."""
    finding = _repeat(line, earlier, rule)
    if finding.validator not in KNOWN_VALIDATORS:
        return finding
    if earlier.is_aside:
        message = "is already recorded, and set aside: it is never sent"
        return Finding(item_id=line.id, message=message, validator=SET_ASIDE)
    other = feed.elsewhere(earlier.sequence)
    if other is None:
        return finding
    name = other.account_name[:NAME_LENGTH_MAX] or other.account_id
    message = f"was delivered to another Xero account before ({name}), not to the present one"
    return Finding(item_id=line.id, message=message, validator=DELIVERED_ELSEWHERE)


def _repeat(line: Line, earlier: RecordedTransaction, rule: ChangedTransactions) -> Finding:
    if line.fingerprint == earlier.fingerprint:
        return _duplicate(line)
    if rule is ChangedTransactions.REFUSE:
        return _other_transaction(line)
    if is_same_booking(line.fingerprint, earlier.fingerprint):
        return _changed(line, "another text, type or balance")
    if rule is ChangedTransactions.REFUSE_AMOUNTS:
        return _other_transaction(line, "another date or amount")
    return _changed(line, "another date or amount")


def lines_before_start(feed: Feed, lines: Sequence[Line]) -> Sequence[Line]:
    """Those dated before the feed's start, which are never sent. They are the first ones: lines are in order."""
    return lines[: sum(line.date < feed.start_date for line in lines)] if feed.start_date else ()


def delivered_after(feed: Feed, lines: Sequence[Line]) -> int:
    """`delivered_through` once the lines are added: those before the feed's start are passed if nothing waits."""
    early = len(lines_before_start(feed, lines))
    return feed.delivered_through if feed.waiting or not early else feed.recorded_through + early


def _duplicate(line: Line) -> Finding:
    return Finding(item_id=line.id, message="is already recorded and is not sent again", validator="Duplicate")


def _changed(line: Line, what: str) -> Finding:
    message = f"is already recorded, with {what}; what is recorded stays, and it is not sent again"
    return Finding(item_id=line.id, message=message, validator="Changed")


def _other_transaction(line: Line, what: str = "different content") -> Finding:
    message = f"id is already recorded with {what}; an id always identifies the same transaction"
    return Finding(item_id=line.id, message=message, validator="UniqueId")


def _before_start(line: Line, start_date: str) -> Finding:
    message = f"date {line.date} is before {start_date}, the feed's start date: it is set aside and never sent"
    return Finding(item_id=line.id, message=message, validator="BeforeFeedStart")


def _too_early(line: Line, latest: str) -> Finding:
    message = f"date {line.date} is before {latest}, the latest date so far; transactions must be in date order"
    return Finding(item_id=line.id, message=message, validator="Chronological")


def _backfilled(lines: Sequence[Line], latest: str) -> Finding:
    early = sum(line.date < latest for line in lines)
    message = f"{early} dated before {latest}, the latest date so far: sent behind it, as a backfill"
    return Finding(item_id="transactions", message=message, validator="Backfill")


def _newest_first(day: str) -> Finding:
    message = f"of {day} run backwards by their balances: they are recorded and sent the other way round"
    return Finding(item_id="transactions", message=message, validator="NewestFirst")


def _many_gaps(gaps: int, lines: int) -> Finding:
    message = (
        f"have {gaps} balances (of {lines}) that do not follow from the line before. Each begins a statement of its "
        "own, which costs two calls of Xero's daily limit. If the balances of this account do not run, such as the "
        "current balance on every line, set syntheticBalances for its feed"
    )
    return Finding(item_id="transactions", message=message, validator="ManyStatements")


def _gap(gap: Gap) -> Finding:
    message = (
        f"balance {plain(gap.given_balance)} does not follow from the previous line: "
        f"expected {plain(gap.expected_balance)}; transactions may be missing"
    )
    return Finding(item_id=gap.transaction_id, message=message, validator="Gap")
