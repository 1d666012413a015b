"""Feeds and their progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO
from urllib.parse import quote

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release
from cli.wording import counted

OUTCOMES = {"delivered": "delivered", "not-delivered": "notDelivered"}
# What one call to the API takes.
SET_ASIDE_MAX = 1000
SET_ASIDE_BYTES_MAX = 90_000


@click.group("feeds")
def group() -> None:
    """List feeds, release them, set transactions aside, and resolve statements in doubt."""


@group.command("list")
@with_api
@click.option("--company", help="List only this company's feeds.")
def list_feeds(api: HttpApi, company: str | None) -> None:
    """List the feeds: id, transactions recorded, delivered, waiting; the hold or a statement in doubt; holes."""
    filters = {"companyId": company} if company else {}
    for feed in api.linked("/feeds", **filters):
        holes = f"  {counted(feed['holes'], 'hole')}" if feed["holes"] else ""
        numbers = f"{feed['recorded']}  {feed['delivered']}  {feed['waiting']}"
        click.echo(f"{feed['id']}  {numbers}  {_stopped_by(feed)}{holes}")


@group.command()
@with_release
@click.argument("feed_id")
def release(api: HttpApi, feed_id: str, set_aside: tuple[str, ...]) -> None:
    """Release every hold that stops FEED_ID, including those on its organisation and on the app.

    Prints the push operations that send the waiting transactions.
    """
    http_api.release(api, f"/feeds/{path_of(feed_id)}", set_aside)


@group.command("set-aside")
@with_api
@click.argument("feed_id")
@click.argument("transactions", nargs=-1)
@click.option("--file", "listed", type=click.File(), help="A file with more transactions, one id a line.")
def set_aside(api: HttpApi, feed_id: str, transactions: tuple[str, ...], listed: TextIO | None) -> None:
    """Set TRANSACTIONS of the held FEED_ID aside, any number of them, and keep the hold.

    They stay in the ledger, marked, and are never sent. The release then sends the others.
    """
    ids = [*transactions, *(line.strip() for line in listed or () if line.strip())]
    if not ids:
        raise click.UsageError("Name at least one transaction.")
    for part in _parts(ids):
        feed = api.ask("POST", f"/setAside/{path_of(feed_id)}", {"setAside": part})
    click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}  {_stopped_by(feed)}")


@group.command()
@with_api
@click.argument("feed_id")
@click.argument("number", type=int)
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(list(OUTCOMES)),
    help="delivered: you have seen its transactions in Xero. not-delivered: they are not in Xero, and Feedlane sends "
    "them again; if Xero has them after all, nothing is posted twice. Where the event gave the reason duplicate, they "
    "get other ids, so that Xero takes them: be sure.",
)
@click.option(
    "--set-aside",
    multiple=True,
    metavar="TRANSACTION",
    help="With not-delivered, for a statement that Xero has never accepted: a transaction that is not to be sent any "
    "more. It stays in the ledger, marked. May be repeated.",
)
def resolve(api: HttpApi, feed_id: str, number: int, outcome: str, set_aside: tuple[str, ...]) -> None:
    """Record what became of statement NUMBER of FEED_ID, of which Xero does not show whether it has the lines.

    The event bankFeeds.statement.stuck names both. What Xero has never accepted is first searched in Xero's list; if it
    is not there, its transactions are sent again in smaller statements.
    """
    body: dict[str, object] = {"outcome": OUTCOMES[outcome]}
    if set_aside:
        body["setAside"] = list(set_aside)
    feed = api.ask("POST", f"/feeds/{path_of(feed_id)}/statements/{number}/resolve", body)
    click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}")


def path_of(feed_id: str) -> str:
    """The feed in a path of the API. An id that is none ends the command."""
    connection_id, _, account_id = feed_id.partition("/")
    if not connection_id or not account_id:
        raise click.BadParameter(
            "It has two parts, CONNECTION/ACCOUNT, as `feeds list` shows it.", param_hint="FEED_ID"
        )
    return f"{connection_id}/{quote(account_id, safe='')}"


def _stopped_by(feed: dict[str, Any]) -> str:
    if feed["hold"]:
        return f"held: {feed['hold']['reason']}"
    last = feed["lastStatement"]
    if last and last["doubt"]:
        return f"in doubt: statement {last['number']} ({last['doubt']})"
    return "-"


def _parts(ids: list[str]) -> Iterator[list[str]]:
    """As many of the ids at a time as one call takes."""
    part: list[str] = []
    size = 0
    for id in ids:
        id_bytes = len(json.dumps(id)) + 2
        if part and (len(part) == SET_ASIDE_MAX or size + id_bytes > SET_ASIDE_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(id)
        size += id_bytes
    yield part
