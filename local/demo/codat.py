"""Codat's side of the demo: Xero's, as it looks from behind Codat."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from local.demo.platform import Simulator


class CodatSimulator(Simulator):
    """Controls the Codat simulator and the organisations behind it, and reads what arrived in their books."""

    name = "Codat"
    post_ends = "/bankTransactions"
    record_path = "/_simulator/ledgers"

    def consent_to(self, tenant_id: str) -> None:
        self._call("PUT", "/_simulator/link", {"mode": "auto", "outcome": "linked", "tenantId": tenant_id})

    def statements(self, tenant_id: str) -> list[dict[str, Any]]:
        """Each push whose lines arrived, as the statement that Codat made of it at Xero."""
        ledgers = self._call("GET", "/_simulator/ledgers")["ledgers"]
        return [
            _statement(key, list(lines))
            for ledger in ledgers
            if ledger["tenantId"] == tenant_id
            for key, lines in groupby(ledger["lines"], itemgetter("pushOperationKey"))
        ]

    def calls(self, tenant_id: str) -> list[dict[str, Any]]:
        """Those about the companies at Codat that have this organisation."""
        connections = self._call("GET", "/_simulator/connections")["connections"]
        companies = {one["companyId"] for one in connections if one["tenantId"] == tenant_id}
        calls = self._call("GET", "/_simulator/calls")["calls"]
        return [call for call in calls if not companies.isdisjoint(call["path"].split("/"))]


def _statement(key: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    opening = Decimal(lines[0]["balance"]) - Decimal(lines[0]["amount"])
    return {
        "id": key,
        "status": "DELIVERED",
        "startBalance": _sided(opening),
        "endBalance": _sided(Decimal(lines[-1]["balance"])),
        "lines": [_line(line) for line in lines],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    amount = _sided(Decimal(line["amount"]))
    return {"transactionId": line["id"], "postedDate": line["date"][:10], "balance": line["balance"], **amount}


def _sided(amount: Decimal) -> dict[str, Any]:
    return {"amount": abs(amount), "creditDebitIndicator": "DEBIT" if amount < 0 else "CREDIT"}
