"""Feeds: where each stands."""

from __future__ import annotations

from urllib.parse import quote

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release


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
