"""The rows of the form "Connect a new account": parsed, prefilled and validated. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from feedlane.clock import is_date
from feedlane.companies.bank_codes import number_at_xero
from feedlane.companies.source_account import SourceAccount
from feedlane.doors import whole_number
from feedlane.feeds.upstream import TargetAccount

ROWS_MAX = 20
DIGITS_COMPARED_MIN = 4
NEW_ACCOUNT = "new"
"""The option to create a new account in Xero."""


@dataclass
class Row:
    """`number` counts from 1. `errors` are by field: source, target, start."""

    number: int
    source: str = ""
    target: str = ""
    start: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def rows_in(values: Mapping[str, str]) -> list[Row]:
    """The rows that were sent: `rows` is their number, and `source-1`, `target-1`, `start-1`… are their fields.

    Raises `Invalid` for a number that none of our pages sends.
    """
    number_of_rows = values.get("rows", "")
    count = whole_number("rows", number_of_rows, 0, ROWS_MAX) if number_of_rows else 0
    return [
        Row(
            number,
            values.get(f"source-{number}", ""),
            values.get(f"target-{number}", ""),
            values.get(f"start-{number}", ""),
        )
        for number in range(1, count + 1)
    ]


def first_rows(
    unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]], today: date, country: str
) -> list[Row]:
    """One row for the first account, from today on, with its Xero account if exactly one has the same number.

    `country` is the organisation's.
    """
    if not unmapped:
        return []
    account = unmapped[0]
    matches = [target for target in targets.get(account.id, []) if _has_same_number(target, account, country)]
    return [Row(1, account.id, matches[0].id if len(matches) == 1 else "", today.isoformat())]


def with_one_more_row(rows: Sequence[Row], unmapped: Sequence[SourceAccount], today: date) -> list[Row]:
    """The rows, and one more for an account that none of them has."""
    if len(rows) >= min(ROWS_MAX, len(unmapped)):
        return list(rows)
    chosen = {row.source for row in rows}
    remaining = [account.id for account in unmapped if account.id not in chosen]
    return [*rows, Row(len(rows) + 1, remaining[0] if remaining else "", "", today.isoformat())]


def check_rows(
    rows: Sequence[Row], unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]]
) -> list[Row]:
    """The rows that were filled in, each with its errors."""
    filled_in = [row for row in rows if row.source or row.target] or [Row(1)]
    accounts = {account.id: account for account in unmapped}
    taken: set[str] = set()
    for row in filled_in:
        account = accounts.get(row.source)
        if account is None:
            row.errors["source"] = "Choose an account that is not connected yet."
        elif row.source in taken:
            row.errors["source"] = "This account is already in another row."
        if not row.target:
            row.errors["target"] = "Choose a Xero bank account, or create a new one."
        elif account is not None and row.target != NEW_ACCOUNT:
            _check_target(row, account, targets.get(row.source, []), taken)
        if row.start and not is_date(row.start):
            row.errors["start"] = "Enter a date such as 2026-05-01."
        taken |= {row.source, row.target} - {NEW_ACCOUNT}
    return filled_in


def renumber(rows: Sequence[Row]) -> list[Row]:
    """Numbered from 1 again, after finished rows were removed."""
    for number, row in enumerate(rows, 1):
        row.number = number
    return list(rows)


def _check_target(row: Row, account: SourceAccount, options: Sequence[TargetAccount], taken: set[str]) -> None:
    if row.target in taken:
        row.errors["target"] = "This Xero account is already in another row."
    elif row.target not in {option.id for option in options}:
        kind = "credit card" if account.kind == "CREDITCARD" else "bank account"
        row.errors["target"] = (
            f"Choose a Xero {kind} in {account.currency} that is not connected yet, or create a new one."
        )


def _has_same_number(target: TargetAccount, account: SourceAccount, country: str) -> bool:
    """Whether the target has the account's number, with its bank's code or without; with any code if it has none."""
    number, at_xero, of_target = map(_digits, (account.account_number, number_at_xero(account, country), target.number))
    if len(number) < DIGITS_COMPARED_MIN:
        return False
    return of_target in (number, at_xero) or (number == at_xero and of_target.endswith(number))


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
