"""What a push says: its transactions as lines, with everything that can be known without the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from feedlane.clock import years_before
from feedlane.errors import Finding, Invalid
from feedlane.feeds.line import Line
from feedlane.ids import fingerprint
from feedlane.money import loads
from feedlane.pushes.transaction import parse_transaction

PUSH_TRANSACTIONS_MAX = 1000


@dataclass(frozen=True)
class PushContent:
    """`errors` empty means that every transaction is a line."""

    lines: tuple[Line, ...]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.lines)


def fingerprint_of(lines: Sequence[Line]) -> str:
    """The same for the same transactions in the same order, however their JSON was written."""
    return fingerprint("\x1e".join("\x1f".join(line.as_strings()) for line in lines))


def object_in(body: str) -> dict[str, Any]:
    """The body as a JSON object. Raises `Invalid`."""
    try:
        parsed = loads(body)
    except ValueError as error:
        raise Invalid.field("body", f"is not valid JSON: {error}", "Json") from None
    except RecursionError:
        raise Invalid.field("body", "is nested too deeply", "Json") from None
    if not isinstance(parsed, dict):
        raise Invalid.field("body", "must be a JSON object", "Type")
    return parsed


def parse_content(sent: Any, today: date) -> PushContent:
    """The transactions as they were sent; `today` is the date where the organisation is."""
    if not isinstance(sent, list) or not sent:
        return _invalid_content("must be a list of at least one transaction", "Required")
    if len(sent) > PUSH_TRANSACTIONS_MAX:
        return _invalid_content(
            f"has {len(sent)} transactions; a push has at most {PUSH_TRANSACTIONS_MAX}", "MaximumCount"
        )
    lines: list[Line] = []
    errors: list[Finding] = []
    warnings: list[Finding] = []
    earliest, latest = years_before(today).isoformat(), today.isoformat()
    before = ""
    for position, transaction in enumerate(sent):
        line, wrong, doubtful = parse_transaction(position, transaction)
        errors += wrong
        warnings += doubtful
        if line is None:
            continue
        errors += _date_errors(line, before, earliest, latest)
        before = max(before, line.date)
        lines.append(line)
    return PushContent(tuple(lines), tuple(errors), tuple(warnings))


def _date_errors(line: Line, before: str, earliest: str, latest: str) -> list[Finding]:
    if line.date < before:
        message = f"date {line.date} comes after {before} in the same push; order is chronological"
        return [Finding(item_id=line.id, message=message, validator="Chronological")]
    if line.date > latest:
        message = f"date {line.date} is in the future (today is {latest})"
        return [Finding(item_id=line.id, message=message, validator="NotInTheFuture")]
    if line.date < earliest:
        message = f"date {line.date} is more than a year ago (before {earliest}); Xero takes nothing older"
        return [Finding(item_id=line.id, message=message, validator="NotOlderThanAYear")]
    return []


def _invalid_content(message: str, validator: str) -> PushContent:
    return PushContent((), (Finding(item_id="transactions", message=message, validator=validator),), ())
