"""Generates `transactions.csv`: a year of two accounts of one business, always the same for the same seed.

`python -m local.demo.generate` generates the committed file again.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).with_name("transactions.csv")
SEED = 20260520
LAST_DAY = date(2026, 5, 19)
DAYS = 364
FIELDS = ("account", "id", "date", "description", "counterparty", "reference", "amount", "balance", "type")

SUPPLIERS = [
    ("Mill Street Flour", 180, 420),
    ("Dairy Lane Butter & Cream", 90, 260),
    ("Quayside Packaging", 40, 160),
    ("Harbour Energy", 310, 520),
    ("Anchor Insurance", 140, 150),
    ("Bright Cleaning", 60, 95),
]
CUSTOMERS = ["Gull Café", "Seafront Hotel", "Lighthouse Deli", "St. Mary's School", "Pier Kiosk", "O'Brien & Sons"]
SHOPS = ["Station Fuel", "Office Corner", "Rail Tickets", "Market Hall", "Tool Yard", "Cloud Till", "Parcel Desk"]


def main() -> None:
    chance = random.Random(SEED)
    rows = [*_current_account(chance), *_business_card(chance)]
    with FILE.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _current_account(chance: random.Random) -> Iterator[dict[str, str]]:
    """Income: card takings and transfers. Expenses: suppliers, wages and fees."""
    balance, number = Decimal("8250.40"), 0
    for day in _days():
        for amount, type, description, counterparty in _current_account_day(chance, day):
            balance, number = balance + amount, number + 1
            reference = f"INV{chance.randint(1000, 9999)}" if amount > 0 and chance.random() < 0.4 else ""
            yield _row("current", f"CUR-{number:05d}", day, description, counterparty, reference, amount, balance, type)


def _current_account_day(chance: random.Random, day: date) -> Iterator[tuple[Decimal, str, str, str]]:
    if day.weekday() == 0:
        yield -_amount(chance, 1900, 2450), "Payment", "Wages", "Payroll"
    if day.day == 1:
        yield -_amount(chance, 11, 14), "SerChg", "Account fee", ""
        yield _amount(chance, 1, 4), "Int", "Interest", ""
    if day.weekday() < 6:
        yield _amount(chance, 420, 980), "Dep", f"Card takings {day:%d %b}", "Till settlement"
    for _ in range(chance.choice((0, 1, 1, 2))):
        yield _amount(chance, 35, 310), "Credit", "Invoice payment", chance.choice(CUSTOMERS)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        supplier, lowest, highest = chance.choice(SUPPLIERS)
        yield -_amount(chance, lowest, highest), "DirectDebit", "Supplier invoice", supplier
    if chance.random() < 0.25:
        yield -_amount(chance, 8, 60), "Pos", "Card purchase", chance.choice(SHOPS)


def _business_card(chance: random.Random) -> Iterator[dict[str, str]]:
    """The debt on the card is a negative balance, paid off each month."""
    balance, number = Decimal("-312.77"), 0
    for day in _days():
        movements = [
            (-_amount(chance, 3, 145), "Pos", "Card purchase", chance.choice(SHOPS))
            for _ in range(chance.choice((1, 2, 2, 3, 4, 5)))
        ]
        if chance.random() < 0.03:
            movements.append((_amount(chance, 5, 40), "Credit", "Refund", chance.choice(SHOPS)))
        if day.day == 25 and balance < 0:
            movements.append((-balance, "Payment", "Card paid off", ""))
        for amount, type, description, counterparty in movements:
            balance, number = balance + amount, number + 1
            yield _row("card", f"CARD-{number:05d}", day, description, counterparty, "", amount, balance, type)


def _days() -> Iterator[date]:
    return (LAST_DAY - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1))


def _amount(chance: random.Random, lowest: int, highest: int) -> Decimal:
    return Decimal(chance.randint(lowest * 100, highest * 100)) / 100


def _row(
    account: str, id: str, day: date, description: str, counterparty: str, reference: str,
    amount: Decimal, balance: Decimal, type: str,
) -> dict[str, str]:  # fmt: skip
    sums = f"{amount:.2f}", f"{balance:.2f}"
    values = (account, id, day.isoformat(), description, counterparty, reference, *sums, type)
    return dict(zip(FIELDS, values, strict=True))


if __name__ == "__main__":
    main()
