"""The upstream: whether connections to come go to Xero itself or through Codat."""

from __future__ import annotations

import click

from cli.http_api import HttpApi, with_api

SETTINGS = "/integrations/gbol/settings"
NAMES = ("xero", "codat")


@click.group("upstream")
def group() -> None:
    """Show or choose the upstream of connections to come. A connection keeps its own."""


@group.command()
@with_api
@click.option("--company", help="Show this company's own choice.")
def show(api: HttpApi, company: str | None) -> None:
    """Print the upstream of connections to come."""
    default = api.ask("GET", SETTINGS)["upstream"]
    own = api.ask("GET", f"/companies/{company}")["upstream"] if company else None
    click.echo(own or default)


@group.command()
@with_api
@click.argument("name", type=click.Choice([*NAMES, "default"]))
@click.option("--company", help="Choose for this company alone. With `default`, it follows the settings again.")
def choose(api: HttpApi, name: str, company: str | None) -> None:
    """Choose the upstream NAME for connections to come."""
    if company:
        api.ask("PATCH", f"/companies/{company}", {"upstream": None if name == "default" else name})
    elif name == "default":
        raise click.UsageError("Only a company can follow the settings: name it with --company.")
    else:
        api.ask("PUT", SETTINGS, {"upstream": name})
