"""What a push says: its transactions as lines, with everything that can be known without the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from feedlane.clock import years_before
from feedlane.errors import Finding, Invalid
from feedlane.ids import fingerprint
from feedlane.money import loads
from feedlane.transaction import Line, line_of

MOST_TRANSACTIONS = 1000


@dataclass(frozen=True)
class Content:
    """`errors` empty means that every transaction is a line."""

    lines: tuple[Line, ...]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.lines)


def fingerprint_of(lines: Sequence[Line]) -> str:
    """The same for the same transactions in the same order, however their JSON was written."""
    return fingerprint("\x1e".join("\x1f".join(line.as_texts()) for line in lines))


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


def content_of(sent: Any, today: date) -> Content:
    """The transactions as they were sent; `today` is the date where the organisation is."""
    if not isinstance(sent, list) or not sent:
        return _refused("must be a list of at least one transaction", "Required")
    if len(sent) > MOST_TRANSACTIONS:
        return _refused(f"has {len(sent)} transactions; a push has at most {MOST_TRANSACTIONS}", "MaximumCount")
    lines: list[Line] = []
    errors: list[Finding] = []
    warnings: list[Finding] = []
    earliest, latest = years_before(today).isoformat(), today.isoformat()
    before = ""
    for position, transaction in enumerate(sent):
        line, wrong, doubtful = line_of(position, transaction)
        errors += wrong
        warnings += doubtful
        if line is None:
            continue
        errors += _date_errors(line, before, earliest, latest)
        before = max(before, line.date)
        lines.append(line)
    return Content(tuple(lines), tuple(errors), tuple(warnings))


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


def _refused(message: str, validator: str) -> Content:
    return Content((), (Finding(item_id="transactions", message=message, validator=validator),), ())
