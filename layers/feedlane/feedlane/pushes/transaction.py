"""A bank transaction as the platform sends it: its rules, and the ledger line that it becomes."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from feedlane.clock import is_date
from feedlane.errors import Finding
from feedlane.feeds.line import Line
from feedlane.ids import TRANSACTION_ID_LENGTH_MAX
from feedlane.money import amount, plain
from feedlane.text import CONTROL_RULE, REPLACEMENT, has_controls, is_plain, text_fault, without_controls

TRANSACTION_TYPES = frozenset(
    {
        "Unknown", "Credit", "Debit", "Int", "Div", "Fee", "SerChg", "Dep", "Atm", "Pos", "Xfer", "Check", "Payment",
        "Cash", "DirectDep", "DirectDebit", "RepeatPmt", "Other",
    }
)  # fmt: skip
# Types for money coming in, and for money going out. The sign decides; a type that contradicts it is a warning.
CREDIT_TYPES = frozenset({"Credit", "Int", "Div", "Dep", "DirectDep"})
DEBIT_TYPES = frozenset({"Debit", "Fee", "SerChg", "DirectDebit"})

_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_FIELD_LENGTHS_MAX = {"description": 2000, "counterparty": 255, "reference": 255}


def parse_transaction(position: int, sent: Any) -> tuple[Line | None, list[Finding], list[Finding]]:
    """The line that a transaction becomes, or None; then the errors, then the warnings.

    `sent` is parsed JSON with numbers as `Decimal`. Findings name the transaction by its id, or else by its position.
    """
    if not isinstance(sent, dict):
        return None, [_finding(f"transactions[{position}]", "", "must be an object", "Type")], []
    sent_id = sent.get("id")
    name = sent_id if isinstance(sent_id, str) and sent_id else f"transactions[{position}]"
    errors: list[Finding] = []
    warnings: list[Finding] = []
    if not is_plain(name) and (rule := text_fault(name)):
        name = f"transactions[{position}]"
        errors.append(_finding(name, "id", rule, "Unicode"))
    elif not is_plain(name) and has_controls(name):
        name = f"transactions[{position}]"
        errors.append(_finding(name, "id", CONTROL_RULE, "ControlCharacter"))
    elif not isinstance(sent_id, str) or not 1 <= len(sent_id) <= TRANSACTION_ID_LENGTH_MAX:
        errors.append(
            _finding(name, "id", f"must be a string of 1 to {TRANSACTION_ID_LENGTH_MAX} characters", "Required")
        )
    day = _date(name, sent.get("date"), errors)
    sum = _money(name, "amount", sent.get("amount"), errors)
    balance = _money(name, "balance", sent.get("balance"), errors)
    description = _text(name, "description", sent, errors, warnings)
    payee = _text(name, "counterparty", sent, errors, warnings)
    reference = _text(name, "reference", sent, errors, warnings)
    type = sent.get("transactionType") or "Unknown"
    if not isinstance(type, str) or type not in TRANSACTION_TYPES:
        errors.append(
            _finding(name, "transactionType", f"must be one of {' '.join(sorted(TRANSACTION_TYPES))}", "Enum")
        )
    if errors or day is None or sum is None or balance is None:
        return None, errors, []
    if REPLACEMENT in name:
        warnings.insert(0, _unreadable(name, "id"))
    line = Line(name, day, sum, balance, description, payee, reference, type)
    return line, [], [*warnings, *_warnings(line)]


def _date(name: str, value: Any, errors: list[Finding]) -> str | None:
    """The local calendar date. Time and offset are ignored, as Codat ignores them."""
    day = _day_of(value) if isinstance(value, str) else None
    if day is None:
        errors.append(_finding(name, "date", "must be a date such as 2026-05-01 or 2026-05-01T09:30:00", "Date"))
    return day


# Most transactions of a push have the same few dates.
@lru_cache(maxsize=400)
def _day_of(text: str) -> str | None:
    match = _DATE.fullmatch(text)
    return match[1] if match is not None and is_date(match[1]) else None


def _money(name: str, field: str, value: Any, errors: list[Finding]) -> Decimal | None:
    if value is None:
        errors.append(_finding(name, field, "is required", "Required"))
        return None
    try:
        return amount(value)
    except ValueError as error:
        errors.append(_finding(name, field, str(error), "Decimal"))
        return None


def _text(name: str, field: str, sent: dict[str, Any], errors: list[Finding], warnings: list[Finding]) -> str:
    """The text as it is recorded: no push fails because of a control character that a bank's system left in it."""
    value = sent.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        errors.append(_finding(name, field, "must be a string", "Type"))
        return ""
    if len(value) > _FIELD_LENGTHS_MAX[field]:
        errors.append(
            _finding(name, field, f"must have at most {_FIELD_LENGTHS_MAX[field]} characters", "MaximumLength")
        )
    if is_plain(value):
        return value
    if rule := text_fault(value):
        errors.append(_finding(name, field, rule, "Unicode"))
    if REPLACEMENT in value:
        warnings.append(_unreadable(name, field))
    if has_controls(value):
        value = without_controls(value)
        message = "had control characters, which Xero may refuse; each is recorded as a space"
        warnings.append(_finding(name, field, message, "ControlCharacter"))
    return value


def _unreadable(name: str, field: str) -> Finding:
    message = "contains U+FFFD, which stands for characters that could not be read; send texts in UTF-8"
    return _finding(name, field, message, "ReplacementCharacter")


def _warnings(line: Line) -> list[Finding]:
    if (line.amount < 0 and line.type in CREDIT_TYPES) or (line.amount > 0 and line.type in DEBIT_TYPES):
        message = f"the amount {plain(line.amount)} contradicts the type {line.type}; the sign of the amount decides"
        return [_finding(line.id, "transactionType", message, "SignAndType")]
    return []


def _finding(item_id: str, field: str, message: str, validator: str) -> Finding:
    return Finding(item_id=item_id, message=f"{field} {message}".strip(), validator=validator)
