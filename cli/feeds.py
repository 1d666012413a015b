"""Feeds: where each stands."""

from __future__ import annotations

from urllib.parse import quote

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release

OUTCOMES = {"delivered": "delivered", "not-delivered": "notDelivered"}


@click.group("feeds")
def group() -> None:
    """Feeds and their ledgers."""


@group.command("list")
@with_api
@click.option("--company", help="Only the feeds of this company.")
def list_feeds(api: HttpApi, company: str | None) -> None:
    """Prints each feed: id, recorded, delivered, waiting, what holds it."""
    chosen = {"companyId": company} if company else {}
    for feed in api.pages("/feeds", **chosen):
        held = f"held: {feed['hold']['reason']}" if feed["hold"] else "-"
        click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}  {held}")


@group.command()
@with_release
@click.argument("feed_id")
def release(api: HttpApi, feed_id: str, set_aside: tuple[str, ...]) -> None:
    """Lifts every hold that stops FEED_ID, the organisation's and the app's included.

    Prints the push operations under which what waits is sent.
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
    help="delivered: its transactions are in Xero, you have seen them there. not-delivered: they are not, and the same "
    "statement is sent again; if Xero has it after all, it says so and nothing is doubled.",
)
def resolve(api: HttpApi, feed_id: str, number: int, outcome: str) -> None:
    """Says what became of statement NUMBER of FEED_ID, which Xero took more than 24 hours ago and never ended.

    The event bankFeeds.statement.stuck names both.
    """
    connection_id, _, account_id = feed_id.partition("/")
    path = f"/feeds/{connection_id}/{quote(account_id, safe='')}/statements/{number}/resolve"
    feed = api.ask("POST", path, {"outcome": OUTCOMES[outcome]})
    click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}")
