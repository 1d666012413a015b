"""Transactions in a CSV file. Its first row names the columns, as the API names the fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

REQUIRED = ("id", "date", "amount", "balance")
COLUMNS = (*REQUIRED, "description", "counterparty", "reference", "transactionType")


class Unreadable(Exception):
    """The file is not such a CSV file. The text names the row and the rule."""


@dataclass(frozen=True)
class Row:
    """A transaction as the file has it: texts by the name of the field, without those that are empty."""

    number: int
    """The line of the file where it ends, from 1, as an editor counts."""
    transaction: dict[str, str]


def read_rows(content: bytes, delimiter: str = ",") -> list[Row]:
    """The transactions, oldest first: a file whose dates descend is read from its end. Raises `Unreadable`."""
    rows = list(_rows(_text(content), delimiter))
    dates = [row.transaction.get("date", "") for row in rows]
    return rows[::-1] if dates and dates[0] > dates[-1] else rows


def _text(content: bytes) -> str:
    """Excel writes a byte order mark in front."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"Line {line} is not UTF-8. Save the file as “CSV UTF-8”.") from None


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader, []), delimiter)
        for fields in reader:
            if any(field.strip() for field in fields):
                yield Row(reader.line_num, _transaction(columns, fields, reader.line_num))
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is not CSV: {error}.") from None


def _columns(header: Sequence[str], delimiter: str) -> list[str]:
    columns = [name.strip() for name in header]
    if len(columns) == 1 and columns[0] not in COLUMNS:
        raise Unreadable(
            f"The first row has one column, {columns[0]!r}: the columns may be separated by something other than "
            f"{delimiter!r} (--delimiter)."
        )
    faults = (
        ("lacks the columns", [name for name in REQUIRED if name not in columns]),
        ("has unknown columns", [name for name in columns if name not in COLUMNS]),
        ("names twice", sorted({name for name in columns if columns.count(name) > 1})),
    )
    for fault, names in faults:
        if names:
            raise Unreadable(f"The first row {fault}: {', '.join(names)}. There may be: {', '.join(COLUMNS)}.")
    return columns


def _transaction(columns: Sequence[str], fields: Sequence[str], line: int) -> dict[str, str]:
    if len(fields) != len(columns):
        raise Unreadable(f"Line {line} has {len(fields)} fields, and the first row {len(columns)}.")
    return {name: field.strip() for name, field in zip(columns, fields, strict=True) if field.strip()}
