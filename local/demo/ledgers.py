"""What arrived at Xero, compared with what was sent: nothing is printed that was not checked."""

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
    """The committed year of each account, moved so that it ends on `last`."""
    shift = last - LAST_DAY
    rows: dict[str, list[Row]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            moved = {**row, "date": (date.fromisoformat(row["date"]) + shift).isoformat()}
            rows.setdefault(row["account"], []).append(moved)
    return rows


def yesterday() -> date:
    return datetime.now().astimezone().date() - timedelta(days=1)


@dataclass(frozen=True)
class Arrived:
    """An account's ledger as the other side has it."""

    account: str
    sent: int
    delivered: int
    statements: int
    opening: Decimal
    closing: Decimal


def arrived(name: str, rows: list[Row], statements: list[dict[str, Any]]) -> Arrived:
    """Checks that every line was delivered once, in order, to the penny. Raises `Failure` with what does not hold."""
    delivered = [statement for statement in statements if statement["status"] == "DELIVERED"]
    lines = [line for statement in delivered for line in statement["lines"]]
    ids, wanted = [line["transactionId"] for line in lines], [row["id"] for row in rows]
    if sorted(ids) != sorted(wanted):
        missing, twice = len(set(wanted) - set(ids)), len(ids) - len(set(ids))
        raise Failure(f"{name}: {len(ids)} lines arrived of {len(wanted)}; {missing} missing, {twice} twice.")
    if ids != wanted or any(line.get("dropped") for line in lines):
        raise Failure(f"{name}: the lines did not arrive in the order in which they were sent.")
    for line, row in zip(lines, rows, strict=True):
        if (line["postedDate"], _signed(line)) != (row["date"], Decimal(row["amount"])):
            raise Failure(f"{name}: {row['id']} arrived as {line['postedDate']} {_signed(line)}.")
    opening, closing = _signed(delivered[0]["startBalance"]), _signed(delivered[-1]["endBalance"])
    first, last = Decimal(rows[0]["balance"]) - Decimal(rows[0]["amount"]), Decimal(rows[-1]["balance"])
    if (opening, closing) != (first, last):
        raise Failure(f"{name}: the balances are {opening} to {closing}, they should be {first} to {last}.")
    for before, after in pairwise(delivered):
        if _signed(before["endBalance"]) != _signed(after["startBalance"]):
            raise Failure(f"{name}: statement {after['id']} does not continue the one before it.")
    return Arrived(name, len(rows), len(lines), len(delivered), opening, closing)


def _signed(amount: dict[str, Any]) -> Decimal:
    number = Decimal(str(amount["amount"]))
    return number if amount["creditDebitIndicator"] == "CREDIT" else -number
