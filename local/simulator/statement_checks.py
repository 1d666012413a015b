"""Reads a received statement and checks Xero's rules for it. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from local.simulator.bank_feeds import Refused, invalid, is_guid, length, missing, too_long
from local.simulator.behaviour import Behaviour
from local.simulator.problems import Problem, problem

LENGTHS_MAX = {"description": 2000, "payeeName": 255, "reference": 255, "chequeNumber": 20, "transactionType": 30}
AMOUNT_MAX = Decimal(10) ** 15  # decimal(19,4)


@dataclass(frozen=True)
class StatementDraft:
    """A received statement, parsed. Amounts are signed: CREDIT adds, DEBIT subtracts."""

    feed_connection_id: str
    start_date: date
    end_date: date
    start_balance: Decimal
    end_balance: Decimal
    line_amounts: list[Decimal]
    transaction_ids: list[str | None]
    received: dict[str, Any]


def read_statement(item: dict[str, Any], behaviour: Behaviour) -> StatementDraft:
    """Raises Refused with an `invalid-request` for a field that is missing, too long or malformed."""
    feed_connection_id = _required(item, "feedConnectionId", "")
    if not (is_guid(feed_connection_id) or (behaviour.ids == "opaque" and isinstance(feed_connection_id, str))):
        raise Refused(invalid("FeedConnectionId"))
    lines = _required(item, "statementLines", "")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise Refused(invalid("StatementLines"))
    for line in lines:
        _check_line(line, behaviour)
    signed_amounts = behaviour.signed_amounts == "accept"
    return StatementDraft(
        feed_connection_id=feed_connection_id.lower(),
        start_date=_date(item, "startDate", ""),
        end_date=_date(item, "endDate", ""),
        start_balance=_balance(item, "startBalance", signed_amounts),
        end_balance=_balance(item, "endBalance", signed_amounts),
        line_amounts=[_amount(line, "StatementLine.", signed_amounts) for line in lines],
        transaction_ids=[line.get("transactionId") for line in lines],
        received=item,
    )


def date_fault(draft: StatementDraft, today: date) -> Problem | None:
    """`today` is the organisation's date. Start and end date may be equal."""
    if draft.end_date < draft.start_date:
        detail = f"The end date {draft.end_date} must be later than the start date {draft.start_date}."
        return problem("invalid-start-and-end-date", detail)
    if draft.start_date < one_year_before(today):
        return problem("invalid-start-date")
    if draft.end_date > today:
        return problem("invalid-end-date")
    return None


def balance_fault(draft: StatementDraft) -> Problem | None:
    if draft.start_balance + sum(draft.line_amounts, Decimal(0)) != draft.end_balance:
        return problem("invalid-end-balance")
    return None


def lines_fault(draft: StatementDraft, behaviour: Behaviour) -> Problem | None:
    """The rules about lines that only a switch turns on."""
    if not draft.transaction_ids and behaviour.zero_lines == "refuse":
        return missing("StatementLines")
    if behaviour.lines_outside_period == "refuse":
        for line in draft.received["statementLines"]:
            if not draft.start_date <= date.fromisoformat(line["postedDate"]) <= draft.end_date:
                return invalid("StatementLine.PostedDate")
    return None


def one_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def _check_line(line: dict[str, Any], behaviour: Behaviour) -> None:
    for name, maximum in LENGTHS_MAX.items():
        value = line.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise Refused(invalid(_label(name, "StatementLine.")))
        if length(value, behaviour) > maximum:
            raise Refused(too_long(_label(name, "StatementLine."), maximum))
    if not isinstance(line.get("transactionId"), str | None):
        raise Refused(invalid("StatementLine.TransactionId"))
    _date(line, "postedDate", "StatementLine.")


def _balance(item: dict[str, Any], name: str, signed_amounts: bool) -> Decimal:
    balance = _required(item, name, "")
    if not isinstance(balance, dict):
        raise Refused(invalid(_label(name, "")))
    return _amount(balance, f"{_label(name, '')}.", signed_amounts)


def _amount(content: Mapping[str, Any], prefix: str, signed_amounts: bool) -> Decimal:
    """A number, or a string of one. The indicator gives the direction: a sign is ignored or refused."""
    value = _required(content, "amount", prefix)
    label = _label("amount", prefix)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Refused(invalid(label))
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise Refused(invalid(label)) from None
    if not amount.is_finite() or abs(amount) >= AMOUNT_MAX or amount != round(amount, 4):
        raise Refused(invalid(label))
    if amount < 0 and not signed_amounts:
        raise Refused(invalid(label))
    direction = _required(content, "creditDebitIndicator", prefix)
    if direction not in ("CREDIT", "DEBIT"):
        raise Refused(invalid(_label("creditDebitIndicator", prefix)))
    return abs(amount) if direction == "CREDIT" else -abs(amount)


def _date(content: Mapping[str, Any], name: str, prefix: str) -> date:
    value = _required(content, name, prefix)
    if not isinstance(value, str) or len(value) != len("YYYY-MM-DD"):
        raise Refused(invalid(_label(name, prefix)))
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Refused(invalid(_label(name, prefix))) from None


def _required(content: Mapping[str, Any], name: str, prefix: str) -> Any:
    if content.get(name) is None:
        raise Refused(missing(_label(name, prefix)))
    return content[name]


def _label(name: str, prefix: str) -> str:
    return f"{prefix}{name[0].upper()}{name[1:]}"
