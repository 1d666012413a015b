"""The rules of a push of bank transactions: what is refused, and what only gets a warning."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from local.codat_simulator.bodies import Body
from local.codat_simulator.errors import CodatError, Finding
from local.codat_simulator.state import Codat
from local.simulator.organisations import Organisation

Json = dict[str, Any]

LINES_MAX = 1000
TYPES = (
    "Unknown", "Credit", "Debit", "Int", "Div", "Fee", "SerChg", "Dep", "Atm", "Pos", "Xfer", "Check", "Payment",
    "Cash", "DirectDep", "DirectDebit", "RepeatPmt", "Other",
)  # fmt: skip
FIELDS = (
    "id", "date", "description", "counterparty", "reference", "reconciled", "amount", "balance", "transactionType",
)  # fmt: skip
VALIDATOR = "BankTransactions"


def check_push(sim: Codat, organisation: Organisation | None, account_id: str, data: Any) -> list[Finding]:
    """What is wrong with a push, in findings whose item is the line's id. Raises a 400 for what is no push at all."""
    body = Body(data, VALIDATOR)
    body.known(("accountId", "transactions"), sim.behaviour)
    lines = body.fields.get("transactions")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise CodatError(400, "The transactions must be an array of objects.")
    if body.text("accountId", required=True) not in (account_id, None):
        body.find("accountId", "must be the account of the path")
    if not lines:
        body.find("transactions", "must have at least one transaction")
    if len(lines) > LINES_MAX:
        body.find("transactions", f"must have at most {LINES_MAX} transactions")
    findings = list(body.findings)
    for number, line in enumerate(lines[:LINES_MAX]):
        findings += _line_findings(sim, organisation, line, f"transactions[{number}]")
    return findings + _order_findings(sim, lines)


def warnings_of(data: Json) -> list[Finding]:
    """A sign that contradicts its type is not an error: the sign counts."""
    return [
        Finding(str(line["id"]), f"The sign of {line['amount']} contradicts {line['transactionType']}", VALIDATOR)
        for line in data["transactions"]
        if _contradicts(Decimal(line["amount"]), line["transactionType"])
    ]


def local_date(text: Any) -> date | None:
    """The calendar date as written: Codat ignores any offset. None if it is none."""
    try:
        return datetime.fromisoformat(text).date()
    except (ValueError, TypeError):
        return None


def _line_findings(sim: Codat, organisation: Organisation | None, line: Json, position: str) -> list[Finding]:
    named = str(line.get("id") or position)
    body = Body(line, VALIDATOR)
    body.known(FIELDS, sim.behaviour)
    body.text("id", required=True)
    body.text("description", required=True)
    body.text("counterparty")
    body.text("reference")
    body.flag("reconciled", False)
    body.number("amount", required=True)
    body.number("balance", required=sim.behaviour.balance == "required")
    body.one_of("transactionType", TYPES, required=True)
    _check_date(sim, organisation, body)
    return [Finding(named, f"{finding.item_id}: {finding.message}", VALIDATOR) for finding in body.findings]


def _check_date(sim: Codat, organisation: Organisation | None, body: Body) -> None:
    text = body.text("date", required=True)
    if text is None:
        return
    day = local_date(text)
    if day is None:
        body.find("date", "must be a date")
        return
    zone = "UTC" if sim.behaviour.today == "UTC" or organisation is None else organisation.time_zone
    today = organisation.today(sim.now(), zone) if organisation is not None else sim.now().date()
    if day > today:
        body.find("date", "must not be in the future")
    if day < _a_year_before(today):
        body.find("date", "must not be older than one year")


def _order_findings(sim: Codat, lines: list[Json]) -> list[Finding]:
    """Lines go from the oldest to the newest within a push; nothing is said about pushes before it."""
    findings = []
    seen: set[Any] = set()
    latest: date | None = None
    for line in lines:
        day, named = local_date(line.get("date")), str(line.get("id"))
        if day is not None and latest is not None and day < latest:
            findings.append(Finding(named, "Transactions must be in chronological order", VALIDATOR))
        latest = max(day, latest) if day and latest else day or latest
        if named in seen and sim.behaviour.repeated_ids == "refused":
            findings.append(Finding(named, "The id must be unique", VALIDATOR))
        seen.add(named)
    return findings


def _contradicts(amount: Decimal, kind: str) -> bool:
    return (amount < 0 and kind == "Credit") or (amount > 0 and kind == "Debit")


def _a_year_before(today: date) -> date:
    try:
        return today.replace(year=today.year - 1)
    except ValueError:
        return today.replace(year=today.year - 1, day=28)
