"""Feeds: where each stands."""

from __future__ import annotations

import click

from cli.http_api import HttpApi, with_api


@click.group("feeds")
def group() -> None:
    """Feeds and their ledgers."""


@group.command("list")
@with_api
@click.option("--company", help="Only the feeds of this company.")
def list_feeds(api_url: str, api_key: str, company: str | None) -> None:
    """Prints each feed: id, recorded, delivered, waiting, what holds it."""
    chosen = {"companyId": company} if company else {}
    for feed in HttpApi(api_url, api_key).pages("/feeds", **chosen):
        held = f"held: {feed['hold']['reason']}" if feed["hold"] else "-"
        click.echo(f"{feed['id']}  {feed['recorded']}  {feed['delivered']}  {feed['waiting']}  {held}")


@group.command()
@with_api
@click.argument("feed_id")
def release(api_url: str, api_key: str, feed_id: str) -> None:
    """Lifts every hold that stops FEED_ID, the organisation's and the app's included."""
    started = HttpApi(api_url, api_key).ask("POST", f"/feeds/{feed_id}/release")["results"]
    for operation in started:
        click.echo(operation["pushOperationKey"])
    click.echo(f"released; {len(started)} push operation(s) started", err=True)
