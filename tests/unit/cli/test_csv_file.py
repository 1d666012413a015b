"""A CSV file of transactions: what its rows become, and what is said about one that cannot be read."""

from __future__ import annotations

import pytest

from cli.files.csv_file import Unreadable, read_rows

HEADER = "id,date,amount,balance,description"


def file(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return end.join((header, *lines, "")).encode()


def ids(content: bytes, delimiter: str = ",") -> list[str]:
    return [row.transaction["id"] for row in read_rows(content, delimiter)]


def test_a_row_is_the_transaction_of_its_columns_with_the_texts_as_they_are() -> None:
    [row] = read_rows(file('tx-1,2026-05-01, -40.250 ,59.75,"Flour, ""fine"" & salt"'))
    assert row.transaction == {
        "id": "tx-1", "date": "2026-05-01", "amount": "-40.250", "balance": "59.75",
        "description": 'Flour, "fine" & salt',
    }  # fmt: skip


def test_columns_come_in_any_order_and_what_is_empty_is_left_out() -> None:
    [row] = read_rows(file("9.5,,T,2026-05-01,9.5", header="balance,reference,id,date,amount"))
    assert row.transaction == {"id": "T", "date": "2026-05-01", "amount": "9.5", "balance": "9.5"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_is_read_as_spreadsheets_write_it(end: str) -> None:
    content = b"\xef\xbb\xbf" + file("a,2026-05-01,1,1,caf\u00e9", "", ",,,,", "b,2026-05-01,1,2,x", end=end)
    rows = read_rows(content)
    assert [(row.number, row.transaction["description"]) for row in rows] == [(2, "caf\u00e9"), (5, "x")]


def test_a_text_of_several_lines_is_one_row_and_the_next_knows_its_line() -> None:
    rows = read_rows(file('a,2026-05-01,1,1,"one\ntwo"', "b,2026-05-01,1,2,x"))
    assert [(row.number, row.transaction["description"]) for row in rows] == [(3, "one\ntwo"), (4, "x")]


def test_other_delimiters() -> None:
    assert ids(file("a;2026-05-01;1;1;x", header=HEADER.replace(",", ";")), ";") == ["a"]
    assert ids(file("a\t2026-05-01\t1\t1\tx", header=HEADER.replace(",", "\t")), "\t") == ["a"]


def test_a_file_that_begins_with_the_newest_is_read_from_its_end() -> None:
    newest_first = ["d,2026-05-03,1,4,x", "c,2026-05-02,1,3,x", "b,2026-05-02,1,2,x", "a,2026-05-01,1,1,x"]
    assert ids(file(*newest_first)) == list("abcd")
    assert ids(file(*newest_first[::-1])) == list("abcd")
    assert ids(file("b,2026-05-02,1,2,x", "a,2026-05-02,1,1,x")) == ["b", "a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The first row lacks the columns: id, date, amount, balance"),
        (file(header="id,date,amount"), "The first row lacks the columns: balance."),
        (file(header=HEADER + ",Betrag"), "The first row has unknown columns: Betrag. There may be: id, date,"),
        (file(header=HEADER + ",id"), "The first row names twice: id."),
        (file(header="id;date;amount;balance"), "may be separated by something other than ','"),
        (file("a,2026-05-01,1,1"), "Line 2 has 4 fields, and the first row 5."),
        (file("a,2026-05-01,1,000.50,1,x"), "Line 2 has 6 fields, and the first row 5."),
        (file("a,2026-05-01,1,1,x", 'b,2026-05-01,1,1,"x'), "Line 3 is not CSV: unexpected end of data."),
        (file("a,2026-05-01,1,1,x") + b"b,2026-05-01,1,1,caf\xe9\n", "Line 3 is not UTF-8."),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_rows(content)
    assert said in str(refused.value)
