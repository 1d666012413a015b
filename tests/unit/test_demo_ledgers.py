"""What the demonstration verifies, it notices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from local.demo import ledgers
from local.demo.codat import CodatSimulator
from local.progress import Failure

TENANT = "tenant-1"
ROWS = [
    {"id": "t1", "date": "2026-05-01", "amount": "10.00", "balance": "110.00"},
    {"id": "t2", "date": "2026-05-01", "amount": "-4.50", "balance": "105.50"},
    {"id": "t3", "date": "2026-05-02", "amount": "0.10", "balance": "105.60"},
]


def arrived(push: str, row: dict[str, str], **changed: Any) -> dict[str, Any]:
    numbers = {"amount": Decimal(row["amount"]), "balance": Decimal(row["balance"])}
    date = f"{row['date']}T00:00:00"
    return {"id": row["id"], "date": date, "pushOperationKey": push, **numbers, **changed}


def verified(*lines: dict[str, Any]) -> ledgers.Arrival:
    """By the demonstration, after the Codat simulator has shown these lines, and those of another organisation."""
    simulator = CodatSimulator("http://codat.test")
    other = {"tenantId": "another", "targetAccountId": "b", "lines": [arrived("push-0", ROWS[0])]}
    views = {"ledgers": [{"tenantId": TENANT, "targetAccountId": "a", "lines": list(lines)}, other]}
    simulator._call = lambda method, path, body=None: views  # type: ignore[method-assign]
    return ledgers.verify_arrival("current", ROWS, simulator.statements(TENANT))


def test_what_arrived_through_codat_is_verified_push_by_push() -> None:
    arrival = verified(arrived("push-1", ROWS[0]), arrived("push-1", ROWS[1]), arrived("push-2", ROWS[2]))
    assert (arrival.delivered, arrival.statements) == (3, 2)
    assert (arrival.opening, arrival.closing) == (Decimal("100.00"), Decimal("105.60"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([arrived("p", ROWS[0]), arrived("p", ROWS[1])], "1 missing"),
        ([arrived("p", row) for row in (*ROWS, ROWS[2])], "1 duplicated"),
        ([arrived("p", ROWS[1]), arrived("p", ROWS[0]), arrived("p", ROWS[2])], "order"),
        ([arrived("p", ROWS[0]), arrived("p", ROWS[1], amount=Decimal("-4.51")), arrived("p", ROWS[2])], "-4.51"),
        ([arrived("p", ROWS[0], balance=Decimal("110.01")), *(arrived("p", row) for row in ROWS[1:])], "110.01"),
        ([*(arrived("p", row) for row in ROWS[:2]), arrived("p", ROWS[2], date="2026-05-03T00:00:00")], "05-03"),
    ],
    ids=["missing", "duplicated", "out of order", "another amount", "another balance", "another day"],
)
def test_whatever_is_wrong_with_it_is_noticed(lines: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(Failure, match=says):
        verified(*lines)
