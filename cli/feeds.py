"""Feeds and their progress."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release

OUTCOMES = {"delivered": "delivered", "not-delivered": "notDelivered"}


@click.group("feeds")
def group() -> None:
    """List feeds, release them, and resolve statements in doubt."""


@group.command("list")
@with_api
@click.option("--company", help="List only this company's feeds.")
def list_feeds(api: HttpApi, company: str | None) -> None:
    """List the feeds: id, transactions recorded, delivered and waiting, and the hold or a statement in doubt."""
    filters = {"companyId": company} if company else {}
    for feed in api.linked("/feeds", **filters):
        click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}  {_stopped_by(feed)}")


@group.command()
@with_release
@click.argument("feed_id")
def release(api: HttpApi, feed_id: str, set_aside: tuple[str, ...]) -> None:
    """Release every hold that stops FEED_ID, including those on its organisation and on the app.

    Prints the push operations that send the waiting transactions.
    """
    connection_id, _, account_id = feed_id.partition("/")
    http_api.release(api, f"/feeds/{connection_id}/{quote(account_id, safe='')}", set_aside)


@group.command()
@with_api
@click.argument("feed_id")
@click.argument("number", type=int)
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(list(OUTCOMES)),
    help="delivered: you have seen its transactions in Xero. not-delivered: they are not in Xero, and Feedlane sends "
    "the same statement again; if Xero has it after all, it reports a duplicate and nothing is posted twice. Where "
    "the event gave the reason duplicate, they get other ids, so that Xero takes them: be sure.",
)
def resolve(api: HttpApi, feed_id: str, number: int, outcome: str) -> None:
    """Record what became of statement NUMBER of FEED_ID, of which Xero does not show whether it has the lines.

    The event bankFeeds.statement.stuck names both.
    """
    connection_id, _, account_id = feed_id.partition("/")
    path = f"/feeds/{connection_id}/{quote(account_id, safe='')}/statements/{number}/resolve"
    feed = api.ask("POST", path, {"outcome": OUTCOMES[outcome]})
    click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}")


def _stopped_by(feed: dict[str, Any]) -> str:
    if feed["hold"]:
        return f"held: {feed['hold']['reason']}"
    last = feed["lastStatement"]
    return f"in doubt: statement {last['number']} ({last['doubt']})" if last and last["doubt"] else "-"
