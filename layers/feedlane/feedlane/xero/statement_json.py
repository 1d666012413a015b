"""A statement as Xero's JSON, byte for byte the same each time it is built.

Built by hand: amounts must be exact JSON numbers (`json` knows only floats), and this way a thousand lines take a few
milliseconds.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as _text

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Statement
from feedlane.lengths import truncate
from feedlane.money import plain

DESCRIPTION_LENGTH_MAX = 2000
PAYEE_LENGTH_MAX = 255
REFERENCE_LENGTH_MAX = 255
TYPE_LENGTH_MAX = 30


def statement_request(statement: Statement) -> bytes:
    """The body of `POST /Statements` with this one statement."""
    lines = ",".join(map(_line, statement.lines))
    return _bytes(
        f'{{"items":[{{"feedConnectionId":{_text(statement.feed_connection_id)},'
        f'"startDate":"{statement.start_date.isoformat()}","endDate":"{statement.end_date.isoformat()}",'
        f'"startBalance":{{{_sum(statement.start_balance)}}},"endBalance":{{{_sum(statement.end_balance)}}},'
        f'"statementLines":[{lines}]}}]}}'
    )


def line_bytes(line: Line) -> int:
    """The length of the line's JSON, with the comma that joins it to the next."""
    text = _line(line)
    return (len(text) if text.isascii() else len(_bytes(text))) + 1


# A line is measured when its statement is cut, and written right after: the cache builds it once.
@lru_cache(maxsize=STATEMENT_LINES_MAX)
def _line(line: Line) -> str:
    id, day, amount, _, description, payee, reference, type = line
    parts = [f'{{"postedDate":"{day}"']
    if description:
        parts.append(f'"description":{_text(truncate(description, DESCRIPTION_LENGTH_MAX))}')
    parts.append(_sum(amount))
    parts.append(f'"transactionId":{_text(id)}')
    if payee:
        parts.append(f'"payeeName":{_text(truncate(payee, PAYEE_LENGTH_MAX))}')
    if reference:
        parts.append(f'"reference":{_text(truncate(reference, REFERENCE_LENGTH_MAX))}')
    if type:
        parts.append(f'"transactionType":{_text(truncate(type, TYPE_LENGTH_MAX))}')
    return ",".join(parts) + "}"


def _sum(amount: Decimal) -> str:
    """Amounts are unsigned; only the indicator has the direction. Zero counts as CREDIT."""
    digits = plain(amount)
    if digits[0] == "-":
        return f'"amount":{digits[1:]},"creditDebitIndicator":"DEBIT"'
    return f'"amount":{digits},"creditDebitIndicator":"CREDIT"'


def _bytes(text: str) -> bytes:
    """A lone surrogate has no UTF-8 form: it becomes a question mark, so that it does not stop its feed for ever."""
    return text.encode("utf-8", "replace")
