"""Pushes a file of transactions, part by part, as a platform would over the API."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from cli.files.csv_file import Row, Unreadable, read_rows
from cli.http_api import HttpApi, RefusedByApi, with_api
from cli.wording import counted

# What the API takes at once: 5,000,000 bytes, of which some are around the transactions.
TRANSACTIONS_MAX, BYTES_MAX = 1000, 4_900_000
FINDINGS_SHOWN_MAX = 20
POLL_SECONDS = 2
_POSITION = re.compile(r"transactions\[(\d+)\]")


@click.command("push")
@with_api
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--company", required=True, help="The company's id.")
@click.option("--connection", required=True, help="The connection's id.")
@click.option("--account", required=True, help="The source account's id.")
@click.option("--delimiter", default=",", show_default=True, help="What separates the columns.")
@click.option("--check", is_flag=True, help="Only say what would be refused; record and send nothing.")
@click.option("--no-wait", is_flag=True, help="Do not wait until Xero has them: the push operations tell later.")
def push(
    api: HttpApi, file: Path, company: str, connection: str, account: str, delimiter: str, check: bool, no_wait: bool
) -> None:
    """Push the transactions of FILE, a CSV file in UTF-8, to the feed of a source account.

    The first row names the columns: id, date, amount and balance; and, if there are any, description, counterparty,
    reference and transactionType. They mean what they mean in the API. A file with the newest first is read from its
    end.

    It stops at the first part of a thousand that is refused. Once the file is mended, push it again: what is recorded
    already is not sent twice.
    """
    try:
        rows = read_rows(file.read_bytes(), _delimiter(delimiter))
    except Unreadable as error:
        raise click.ClickException(str(error)) from None
    if not rows:
        raise click.ClickException("The file has no transactions.")
    path = f"/companies/{_part(company)}/connections/{_part(connection)}/push/bankAccounts/{_part(account)}"
    parts = list(_parts(rows))
    if check:
        _check(api, f"{path}/bankTransactions/validate", account, parts)
    else:
        _push_all(api, f"{path}/bankTransactions", company, account, parts, wait=not no_wait)


def _check(api: HttpApi, path: str, account: str, parts: Sequence[list[Row]]) -> None:
    """Prints what would be refused, and warnings of the first part: those of others miss what is before them."""
    refused = 0
    for number, part in enumerate(parts):
        validation = api.ask("POST", path, _body(account, part))["validation"]
        refused += len(validation["errors"])
        _show(part, validation["errors"])
        _show(part, validation["warnings"] if number == 0 else [])
    if refused:
        raise click.ClickException(f"{counted(refused, 'error')}. Nothing was pushed.")
    click.echo(f"{counted(sum(map(len, parts)), 'transaction')} may be pushed.", err=True)


def _push_all(api: HttpApi, path: str, company: str, account: str, parts: Sequence[list[Row]], wait: bool) -> None:
    done = 0
    for part in parts:
        try:
            _push(api, path, company, account, part, wait)
        except RefusedByApi as refused:
            _show(part, refused.findings)
            before = f"The {counted(done, 'transaction')} before were pushed." if done else "Nothing was pushed."
            raise click.ClickException(f"{refused.message} {before}") from None
        done += len(part)
    click.echo(f"{counted(done, 'transaction')} pushed.", err=True)


def _push(api: HttpApi, path: str, company: str, account: str, part: Sequence[Row], wait: bool) -> None:
    """Prints the push operation. Raises `RefusedByApi` if the API does not take it."""
    operation = api.ask("POST", path, _body(account, part))
    while wait and operation["status"] == "Pending":
        time.sleep(POLL_SECONDS)
        operation = api.ask("GET", f"/companies/{_part(company)}/push/{operation['pushOperationKey']}")
    click.echo(f"{operation['pushOperationKey']}  {operation['status']}  {counted(len(part), 'transaction')}")
    validation = operation["validation"] or {}
    _show(part, validation.get("warnings", []))
    if operation["status"] not in ("Success", "Pending"):
        _show(part, validation.get("errors", []))
        raise click.ClickException(f"The push operation has failed: {operation['errorMessage']}")


def _body(account: str, part: Sequence[Row]) -> dict[str, Any]:
    return {"accountId": account, "transactions": [row.transaction for row in part]}


def _show(part: Sequence[Row], findings: Sequence[dict[str, Any]]) -> None:
    """Each finding with the line of the file that it is about."""
    lines = {row.transaction.get("id"): row.number for row in part}
    for finding in findings[:FINDINGS_SHOWN_MAX]:
        item = finding["itemId"]
        place = _POSITION.fullmatch(item)
        line = part[int(place[1])].number if place else lines.get(item)
        where = f"line {line}, {item}" if line else item
        click.echo(f"{where}: {finding['message']}", err=True)
    if len(findings) > FINDINGS_SHOWN_MAX:
        click.echo(f"… and {len(findings) - FINDINGS_SHOWN_MAX} more", err=True)


def _parts(rows: Sequence[Row]) -> Iterator[list[Row]]:
    part, size = list[Row](), 0
    for row in rows:
        bytes_more = len(json.dumps(row.transaction, ensure_ascii=False).encode()) + 2
        if part and (len(part) == TRANSACTIONS_MAX or size + bytes_more > BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(row)
        size += bytes_more
    yield part


def _delimiter(given: str) -> str:
    """A tab is hard to type in a shell."""
    delimiter = {"\\t": "\t", "tab": "\t"}.get(given, given)
    if len(delimiter) != 1:
        raise Unreadable("--delimiter must be one character, or tab.")
    return delimiter


def _part(id: str) -> str:
    return quote(id, safe="")
