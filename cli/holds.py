"""Holds: why something is not sent, and its release."""

from __future__ import annotations

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release


@click.group("holds")
def group() -> None:
    """Holds and their release."""


@group.command("list")
@with_api
def list_holds(api: HttpApi) -> None:
    """Prints each hold: id, scope, since when, how many transactions wait, why."""
    for hold in api.ask("GET", "/holds")["results"]:
        problem = hold["problem"]
        why = f"{hold['reason']} ({problem['status']} {problem['title']}: {problem['detail']})"
        waiting = f"{hold['waiting']}{' or more' if hold.get('moreWaiting') else ''}"
        goes_on = "  being released" if hold.get("releasing") else ""
        click.echo(f"{hold['id']}  {hold['scope']}  {hold['since']}  {waiting}  {why}{goes_on}")


@group.command()
@with_release
@click.argument("hold_id")
def release(api: HttpApi, hold_id: str, set_aside: tuple[str, ...]) -> None:
    """Lifts HOLD_ID and prints the push operations under which what waits is sent."""
    http_api.release(api, f"/holds/{hold_id}", set_aside)
