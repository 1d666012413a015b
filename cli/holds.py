"""Holds: why something is not sent, and its release."""

from __future__ import annotations

import click

from cli.http_api import HttpApi, with_api


@click.group("holds")
def group() -> None:
    """Holds and their release."""


@group.command("list")
@with_api
def list_holds(api_url: str, api_key: str) -> None:
    """Prints each hold: id, scope, since when, how many transactions wait, why."""
    for hold in HttpApi(api_url, api_key).ask("GET", "/holds")["results"]:
        problem = hold["problem"]
        why = f"{hold['reason']} ({problem['status']} {problem['title']}: {problem['detail']})"
        click.echo(f"{hold['id']}  {hold['scope']}  {hold['since']}  {hold['waiting']}  {why}")


@group.command()
@with_api
@click.argument("hold_id")
def release(api_url: str, api_key: str, hold_id: str) -> None:
    """Lifts HOLD_ID and prints the push operations under which what waits is sent."""
    started = HttpApi(api_url, api_key).ask("POST", f"/holds/{hold_id}/release")["results"]
    for operation in started:
        click.echo(operation["pushOperationKey"])
    click.echo(f"released; {len(started)} push operation(s) started", err=True)
