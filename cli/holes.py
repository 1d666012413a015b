"""Holes: refused pushes whose transactions are missing from a feed."""

from __future__ import annotations

import click

from cli.feeds import path_of
from cli.http_api import HttpApi, with_api


@click.group("holes")
def group() -> None:
    """List and close the holes that refused pushes leave in feeds."""


@group.command("list")
@with_api
@click.argument("feed_id")
def list_holes(api: HttpApi, feed_id: str) -> None:
    """List the holes of FEED_ID: push operation, time, number of missing transactions, their dates, and the refusal."""
    for hole in api.linked(f"/holes/{path_of(feed_id)}"):
        dates = " to ".join(filter(None, (hole["firstDate"], hole["lastDate"]))) or "-"
        unread = f", {hole['unread']} could not be read" if hole["unread"] else ""
        missing = f"{hole['missing']} of {hole['transactions']} missing{unread}"
        click.echo(f"{hole['pushOperationKey']}  {hole['requestedOn']}  {missing}  {dates}  {hole['errorMessage']}")


@group.command()
@with_api
@click.argument("feed_id")
@click.argument("push_operation")
def close(api: HttpApi, feed_id: str, push_operation: str) -> None:
    """Give up what is missing of PUSH_OPERATION in FEED_ID, for good: nothing more is expected of it.

    To mend the hole instead, push its transactions again with `backfill`.
    """
    feed = api.ask("POST", f"/holes/{path_of(feed_id)}/{push_operation}/close")
    click.echo(f"{feed['id']}  holes left: {feed['holes']}")
