"""The demo's transactions, and the check that Xero received them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from local.demo.generate import FILE, LAST_DAY
from local.demo.platform import Row
from local.progress import Failure


def year_until(last: date) -> dict[str, list[Row]]:
    """The committed year of each account, shifted so that it ends on `last`."""
    shift = last - LAST_DAY
    rows: dict[str, list[Row]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            shifted = {**row, "date": (date.fromisoformat(row["date"]) + shift).isoformat()}
            rows.setdefault(row["account"], []).append(shifted)
    return rows


def yesterday() -> date:
    return datetime.now().astimezone().date() - timedelta(days=1)


@dataclass(frozen=True)
class Arrival:
    """An account's ledger as Xero has it."""

    account: str
    sent: int
    delivered: int
    statements: int
    opening: Decimal
    closing: Decimal


def verify_arrival(name: str, rows: list[Row], statements: list[dict[str, Any]]) -> Arrival:
    """Checks that every line was delivered once, in order, to the penny. Raises `Failure` with the first deviation."""
    delivered = [statement for statement in statements if statement["status"] == "DELIVERED"]
    lines = [line for statement in delivered for line in statement["lines"]]
    ids, expected = [line["transactionId"] for line in lines], [row["id"] for row in rows]
    if sorted(ids) != sorted(expected):
        missing, duplicates = len(set(expected) - set(ids)), len(ids) - len(set(ids))
        raise Failure(
            f"{name}: {len(ids)} of {len(expected)} lines arrived; {missing} missing, {duplicates} duplicated."
        )
    if ids != expected or any(line.get("dropped") for line in lines):
        raise Failure(f"{name}: the lines did not arrive in the order they were sent.")
    for line, row in zip(lines, rows, strict=True):
        if (line["postedDate"], _signed(line)) != (row["date"], Decimal(row["amount"])):
            raise Failure(f"{name}: {row['id']} arrived as {line['postedDate']} {_signed(line)}.")
        # Codat's lines have one each; Xero's statements have one at each end.
        if Decimal(line.get("balance", row["balance"])) != Decimal(row["balance"]):
            raise Failure(f"{name}: {row['id']} arrived with the balance {line['balance']}.")
    opening, closing = _signed(delivered[0]["startBalance"]), _signed(delivered[-1]["endBalance"])
    first, last = Decimal(rows[0]["balance"]) - Decimal(rows[0]["amount"]), Decimal(rows[-1]["balance"])
    if (opening, closing) != (first, last):
        raise Failure(f"{name}: the balances run from {opening} to {closing} instead of {first} to {last}.")
    for before, after in pairwise(delivered):
        if _signed(before["endBalance"]) != _signed(after["startBalance"]):
            raise Failure(f"{name}: statement {after['id']} does not continue from the previous one.")
    return Arrival(name, len(rows), len(lines), len(delivered), opening, closing)


def _signed(amount: dict[str, Any]) -> Decimal:
    number = Decimal(str(amount["amount"]))
    return number if amount["creditDebitIndicator"] == "CREDIT" else -number
