"""The rows of the form "Connect a new account": read, filled in beforehand, and checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from feedlane.clock import is_date
from feedlane.companies.source_account import SourceAccount
from feedlane.feeds.upstream import TargetAccount

ROWS_MAX = 20
NEW_ACCOUNT = "new"
"""The choice to have a new account created in Xero."""


@dataclass
class Row:
    """`number` counts from 1. `errors` are by field: source, target, start."""

    number: int
    source: str = ""
    target: str = ""
    start: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def rows_in(values: Mapping[str, str]) -> list[Row]:
    """The rows that were sent: `rows` says how many, and `source-1`, `target-1`, `start-1`… what is in them."""
    said = values.get("rows", "")
    count = min(int(said), ROWS_MAX) if said.isascii() and said.isdigit() else 0
    return [
        Row(
            number,
            values.get(f"source-{number}", ""),
            values.get(f"target-{number}", ""),
            values.get(f"start-{number}", ""),
        )
        for number in range(1, count + 1)
    ]


def first_rows(unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]], today: date) -> list[Row]:
    """One row for the first account, with the Xero account that is evidently the same, from today on."""
    if not unmapped:
        return []
    account = unmapped[0]
    same = [one for one in targets.get(account.id, []) if _is_same(one, account)]
    return [Row(1, account.id, same[0].id if len(same) == 1 else "", today.isoformat())]


def with_one_more_row(rows: Sequence[Row], unmapped: Sequence[SourceAccount], today: date) -> list[Row]:
    """The rows and another one, for an account that is in none of them."""
    if len(rows) >= min(ROWS_MAX, len(unmapped)):
        return list(rows)
    chosen = {row.source for row in rows}
    rest = [account.id for account in unmapped if account.id not in chosen]
    return [*rows, Row(len(rows) + 1, rest[0] if rest else "", "", today.isoformat())]


def check_rows(
    rows: Sequence[Row], unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]]
) -> list[Row]:
    """The rows that somebody filled in, each with its errors."""
    meant = [row for row in rows if row.source or row.target] or [Row(1)]
    names = {account.id: account for account in unmapped}
    seen: set[str] = set()
    for row in meant:
        account = names.get(row.source)
        if account is None:
            row.errors["source"] = "Choose an account that is not connected yet."
        elif row.source in seen:
            row.errors["source"] = "This account is in another row already."
        if not row.target:
            row.errors["target"] = "Choose a Xero bank account, or create a new one."
        elif account is not None and row.target != NEW_ACCOUNT:
            _check_target(row, account, targets.get(row.source, []), seen)
        if row.start and not is_date(row.start):
            row.errors["start"] = "Enter a date such as 2026-05-01."
        seen |= {row.source, row.target} - {NEW_ACCOUNT}
    return meant


def renumber(rows: Sequence[Row]) -> list[Row]:
    """As they are shown next, from 1 on: those that are done are gone."""
    for number, row in enumerate(rows, 1):
        row.number = number
    return list(rows)


def _check_target(row: Row, account: SourceAccount, options: Sequence[TargetAccount], seen: set[str]) -> None:
    if row.target in seen:
        row.errors["target"] = "This Xero account is in another row already."
    elif row.target not in {option.id for option in options}:
        kind = "credit card" if account.kind == "CREDITCARD" else "bank account"
        row.errors["target"] = (
            f"Choose a Xero {kind} in {account.currency} that is not connected yet, or create a new one."
        )


def _is_same(target: TargetAccount, account: SourceAccount) -> bool:
    """Its number ends as the account's does: Xero keeps a bank's code in front of it."""
    number = "".join(filter(str.isdigit, account.account_number))
    return len(number) >= 4 and "".join(filter(str.isdigit, target.number)).endswith(number)
