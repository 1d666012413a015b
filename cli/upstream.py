"""The upstream: whether connections to come go to Xero itself or through Codat, and Codat's keys."""

from __future__ import annotations

from typing import Any

import click

from cli.http_api import HttpApi, with_api

SETTINGS = "/integrations/gbol/settings"
CREDENTIALS = "/integrations/gbol/credentials"
NAMES = ("xero", "codat")


@click.group("upstream")
def group() -> None:
    """Show or choose the upstream of connections to come, and keep Codat's keys. A connection keeps its upstream."""


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


@group.command("feed-connections")
@with_api
@click.argument("version", type=click.Choice(["1", "2"]))
def feed_connections(api: HttpApi, version: str) -> None:
    """Choose the VERSION of Xero's API by which accounts are connected from now on."""
    api.ask("PUT", SETTINGS, {"feedConnections": int(version)})


@group.command("codat-key")
@with_api
@click.option("--key", prompt="Codat's API key", hide_input=True, help="Asked for if it is left out.")
def codat_key(api: HttpApi, key: str) -> None:
    """Check Codat's API key and store it. The former one stays as the second."""
    _show(api.ask("PUT", f"{CREDENTIALS}/codatKey", {"apiKey": key}))


@group.command("drop-codat-key")
@with_api
@click.argument("which", type=click.Choice(["first", "second"]))
def drop_codat_key(api: HttpApi, which: str) -> None:
    """Delete the first or second of two keys, if Codat accepts the other."""
    _show(api.ask("DELETE", f"{CREDENTIALS}/{which}CodatKey"))


@group.command("codat-webhook-secret")
@with_api
@click.option("--secret", prompt="The secret of Codat's webhooks", hide_input=True, help="Asked for if it is left out.")
def codat_webhook_secret(api: HttpApi, secret: str) -> None:
    """Store the secret that Codat signs its webhooks with."""
    _show(api.ask("PUT", f"{CREDENTIALS}/codatWebhookSecret", {"webhookSecret": secret}))


def _show(stored: dict[str, Any]) -> None:
    for name in ("codatKey", "secondCodatKey", "codatWebhookSecret"):
        click.echo(f"{name}: {stored[name] or '-'}")
    if stored["message"]:
        click.echo(stored["message"], err=True)
