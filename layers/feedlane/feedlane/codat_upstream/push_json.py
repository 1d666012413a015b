"""A statement as one push of Codat's API, byte for byte the same each time it is built.

The frozen request is the body of the push, behind a first line that says where it goes: a statement written down stays
one for the connection and the account it was made for. Built by hand, as for Xero: amounts must be exact JSON numbers.
"""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring as _text
from typing import NamedTuple
from urllib.parse import quote

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Statement
from feedlane.lengths import truncate
from feedlane.money import plain

# Xero's, which is behind Codat: Codat names none of its own.
DESCRIPTION_LENGTH_MAX = 2000
COUNTERPARTY_LENGTH_MAX = 255
REFERENCE_LENGTH_MAX = 255


class FeedPlace(NamedTuple):
    """What a feed connection's id says: the connection and the source account at Codat."""

    connection_id: str
    account_id: str

    @classmethod
    def of(cls, feed_connection_id: str) -> FeedPlace:
        connection_id, _, account_id = feed_connection_id.partition("/")
        return cls(connection_id, account_id)

    @property
    def feed_connection_id(self) -> str:
        return f"{self.connection_id}/{self.account_id}"


class FrozenPush(NamedTuple):
    place: FeedPlace
    body: bytes

    @classmethod
    def of(cls, request: bytes) -> FrozenPush:
        head, _, body = request.partition(b"\n")
        return cls(FeedPlace.of(head.decode()), body)

    def path(self, company_id: str) -> str:
        account = quoted(self.place.account_id)
        return f"{connection_path(company_id, self.place.connection_id)}/push/bankAccounts/{account}/bankTransactions"


def statement_request(statement: Statement) -> bytes:
    """Codat derives Xero's statement from the balance after each line. So they are added up from the opening balance:
    for a statement whose lines add up, they are the lines' own."""
    place, balance, lines = FeedPlace.of(statement.feed_connection_id), statement.start_balance, []
    for line in statement.lines:
        balance += line.amount
        lines.append(_line(line, balance))
    return _bytes(
        f'{place.feed_connection_id}\n{{"accountId":{_text(place.account_id)},"transactions":[{",".join(lines)}]}}'
    )


def line_bytes(line: Line) -> int:
    """The length of the line's JSON, with the comma that joins it to the next."""
    return len(_bytes(_line(line, line.balance))) + 1


def connection_path(company_id: str, connection_id: str) -> str:
    return f"/companies/{quoted(company_id)}/connections/{quoted(connection_id)}"


def quoted(id: str) -> str:
    """As a part of a path: an account's id may have slashes."""
    return quote(id, safe="")


def _line(line: Line, balance: Decimal) -> str:
    id, day, amount, _, description, payee, reference, type = line
    parts = [
        # A local date: Codat ignores any time zone.
        f'{{"id":{_text(id)},"date":"{day}T00:00:00"',
        f'"description":{_text(truncate(description, DESCRIPTION_LENGTH_MAX))}',
    ]
    if payee:
        parts.append(f'"counterparty":{_text(truncate(payee, COUNTERPARTY_LENGTH_MAX))}')
    if reference:
        parts.append(f'"reference":{_text(truncate(reference, REFERENCE_LENGTH_MAX))}')
    parts.append(f'"amount":{plain(amount)},"balance":{plain(balance)}')
    parts.append(f'"transactionType":{_text(type or "Unknown")}}}')
    return ",".join(parts)


def _bytes(text: str) -> bytes:
    """A lone surrogate has no UTF-8 form: it becomes a question mark, so that it does not stop its feed for ever."""
    return text.encode("utf-8", "replace")
