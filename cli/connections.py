"""Connections: the move to another Xero organisation."""

from __future__ import annotations

import click

from cli.http_api import HttpApi, with_api


@click.group("connections")
def group() -> None:
    """Move a connection to another Xero organisation."""


@group.command()
@click.argument("company_id")
@click.argument("connection_id")
@click.confirmation_option(prompt="Nothing more is sent to the connection's present organisation. Go on?")
@with_api
def move(api: HttpApi, company_id: str, connection_id: str) -> None:
    """End CONNECTION_ID, and create one with the same source accounts for another organisation.

    What waits in the old connection's feeds stays held there.
    """
    new = api.ask("POST", f"/companies/{company_id}/connections/{connection_id}/move")
    click.echo(f"The new connection is {new['id']}. The customer links it at {new['linkUrl']}")
