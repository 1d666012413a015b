"""Holds: why transactions are not sent, and how to release them."""

from __future__ import annotations

import click

from cli import http_api
from cli.http_api import HttpApi, with_api, with_release


@click.group("holds")
def group() -> None:
    """List and release holds."""


@group.command("list")
@with_api
def list_holds(api: HttpApi) -> None:
    """List the holds: id, scope, start, number of waiting transactions, reason, and the transaction that is refused."""
    for hold in api.linked("/holds"):
        problem = hold["problem"]
        reason = f"{hold['reason']} ({problem['status']} {problem['title']}: {problem['detail']})"
        waiting = f"{hold['waiting']}{' or more' if hold.get('moreWaiting') else ''}"
        progress = "  being released" if hold.get("releasing") else ""
        refused = f"  transaction: {hold['transactionId']}" if "transactionId" in hold else ""
        click.echo(f"{hold['id']}  {hold['scope']}  {hold['since']}  {waiting}  {reason}{refused}{progress}")


@group.command()
@with_release
@click.argument("hold_id")
def release(api: HttpApi, hold_id: str, set_aside: tuple[str, ...]) -> None:
    """Release HOLD_ID and print the push operations that send the waiting transactions."""
    http_api.release(api, f"/holds/{hold_id}", set_aside)
