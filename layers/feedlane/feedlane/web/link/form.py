"""The rows of the form "Connect your accounts", one for each account: parsed, prefilled and validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from feedlane.clock import is_date, years_before
from feedlane.companies.bank_codes import number_at_xero
from feedlane.companies.source_account import SourceAccount
from feedlane.doors import whole_number
from feedlane.feeds.upstream import TargetAccount
from feedlane.texts import say
from feedlane.web.filters import day

# Each row is a call to Xero, and all have to be answered within the 30 seconds of the gateway.
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
    included: bool = True
    errors: dict[str, str] = field(default_factory=dict)


def rows_in(values: Mapping[str, str]) -> list[Row]:
    """The rows that were sent: `rows` is their number, and `source-1`, `target-1`, `start-1`… are their fields.

    A row without `include-1` is left out. Raises `Invalid` for a number that none of our pages sends.
    """
    number_of_rows = values.get("rows", "")
    count = whole_number("rows", number_of_rows, 0, ROWS_MAX) if number_of_rows else 0
    return [
        Row(
            number,
            values.get(f"source-{number}", ""),
            values.get(f"target-{number}", ""),
            values.get(f"start-{number}", ""),
            bool(values.get(f"include-{number}")),
        )
        for number in range(1, count + 1)
    ]


def first_rows(
    unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]], today: date, country: str
) -> list[Row]:
    """A row for each account, with the Xero account of the same number if there is one, or else a new one.

    If several have its number, the customer chooses. `country` is the organisation's.
    """
    rows: list[Row] = []
    for account in unmapped[:ROWS_MAX]:
        proposed = {row.target for row in rows}
        matches = [target.id for target in targets.get(account.id, []) if _has_same_number(target, account, country)]
        target = NEW_ACCOUNT if not matches or matches[0] in proposed else matches[0] if len(matches) == 1 else ""
        rows.append(Row(len(rows) + 1, account.id, target, usual_start(target, today)))
    return rows


def usual_start(target: str, today: date) -> str:
    """All there is for a new account; an account in use may have the transactions up to today already."""
    return (years_before(today) if target == NEW_ACCOUNT else today).isoformat()


def check_rows(
    rows: Sequence[Row], unmapped: Sequence[SourceAccount], targets: Mapping[str, list[TargetAccount]], today: date
) -> None:
    """Notes what is wrong with each row that the customer wants."""
    accounts = {account.id: account for account in unmapped}
    taken: set[str] = set()
    for row in rows:
        if not row.included:
            continue
        account = accounts.get(row.source)
        if account is None:
            row.errors["source"] = say("form.unknown-source")
        elif row.source in taken:
            row.errors["source"] = say("form.twice")
        if not row.target:
            row.errors["target"] = say("form.target")
        elif account is not None and row.target != NEW_ACCOUNT:
            _check_target(row, account, targets.get(row.source, []), taken)
        _check_start(row, today)
        taken |= {row.source, row.target} - {NEW_ACCOUNT}


def renumber(rows: Sequence[Row]) -> list[Row]:
    """Numbered from 1 again, after finished rows were removed."""
    for number, row in enumerate(rows, 1):
        row.number = number
    return list(rows)


def _check_target(row: Row, account: SourceAccount, options: Sequence[TargetAccount], taken: set[str]) -> None:
    if row.target in taken:
        row.errors["target"] = say("form.target-twice")
    elif row.target not in {option.id for option in options}:
        kind = "card" if account.kind == "CREDITCARD" else "bank"
        row.errors["target"] = say(f"form.target-{kind}", currency=account.currency)


def _check_start(row: Row, today: date) -> None:
    """Without a date, everything is sent."""
    earliest, latest = years_before(today).isoformat(), today.isoformat()
    if row.start and not is_date(row.start):
        row.errors["start"] = say("form.start")
    elif row.start and not earliest <= row.start <= latest:
        row.errors["start"] = say("form.start-range", earliest=day(earliest), latest=day(latest))


def _has_same_number(target: TargetAccount, account: SourceAccount, country: str) -> bool:
    """Whether the target has the account's number, with its bank's code or without; with any code if it has none."""
    number, at_xero, of_target = map(_digits, (account.account_number, number_at_xero(account, country), target.number))
    if len(number) < DIGITS_COMPARED_MIN:
        return False
    return of_target in (number, at_xero) or (number == at_xero and of_target.endswith(number))


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
