"""The content of a push: its transactions as lines, checked as far as possible without the ledger."""

from __future__ import annotations

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
    """If `errors` is empty, every transaction has its line."""

    lines: tuple[Line, ...]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def fingerprint(self) -> str:
        """The same for the same transactions in the same order, however their JSON was written."""
        return fingerprint("\x1e".join("\x1f".join(line.as_strings()) for line in self.lines))


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
    """`sent` is parsed JSON; `today` is the date in the organisation's time zone."""
    if not isinstance(sent, list) or not sent:
        return _invalid_content("must be a list with at least one transaction", "Required")
    if len(sent) > PUSH_TRANSACTIONS_MAX:
        return _invalid_content(
            f"has {len(sent)} transactions; a push can have at most {PUSH_TRANSACTIONS_MAX}", "MaximumCount"
        )
    lines: list[Line] = []
    errors: list[Finding] = []
    warnings: list[Finding] = []
    earliest, latest = years_before(today).isoformat(), today.isoformat()
    latest_so_far = ""
    positions: dict[str, int] = {}
    for position, transaction in enumerate(sent):
        line, line_errors, line_warnings = parse_transaction(position, transaction)
        errors += line_errors
        warnings += line_warnings
        if line is None:
            continue
        if not max(latest_so_far, earliest) <= line.date <= latest:
            errors += _date_errors(line, latest_so_far, earliest, latest)
        first = positions.setdefault(line.id, position)
        if first != position:
            errors.append(_twice(line.id, first, position))
        latest_so_far = max(latest_so_far, line.date)
        lines.append(line)
    return PushContent(tuple(lines), tuple(errors), tuple(warnings))


def _date_errors(line: Line, latest_so_far: str, earliest: str, latest: str) -> list[Finding]:
    if line.date < latest_so_far:
        message = f"date {line.date} follows {latest_so_far} in the same push; order must be chronological"
        return [Finding(item_id=line.id, message=message, validator="Chronological")]
    if line.date > latest:
        message = f"date {line.date} is in the future (today is {latest})"
        return [Finding(item_id=line.id, message=message, validator="NotInTheFuture")]
    if line.date < earliest:
        message = f"date {line.date} is more than a year ago (before {earliest}); Xero accepts nothing older"
        return [Finding(item_id=line.id, message=message, validator="NotOlderThanAYear")]
    return []


def _twice(id: str, first: int, second: int) -> Finding:
    """Even if all else is equal: two purchases that got one id must not become one."""
    places = f"transactions[{first}] and transactions[{second}]"
    message = f"id is used twice in this push, by {places}; an id identifies one transaction"
    return Finding(item_id=id, message=message, validator="UniqueInPush")


def _invalid_content(message: str, validator: str) -> PushContent:
    return PushContent((), (Finding(item_id="transactions", message=message, validator=validator),), ())
