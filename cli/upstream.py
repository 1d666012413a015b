"""The upstream: whether connections go to Xero itself or through Codat, changing that, and Codat's keys."""

from __future__ import annotations

from typing import Any

import click

from cli.http_api import HttpApi, with_api

SETTINGS = "/integrations/gbol/settings"
CREDENTIALS = "/integrations/gbol/credentials"
NAMES = ("xero", "codat")


@click.group("upstream")
def group() -> None:
    """Choose the upstream of connections to come, change that of a connection, and keep Codat's keys."""


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


@group.command()
@with_api
@click.argument("company_id")
@click.argument("connection_id")
@click.argument("name", type=click.Choice(NAMES))
@click.confirmation_option(prompt="The customer will have to link the connection again. Go on?")
def change(api: HttpApi, company_id: str, connection_id: str, name: str) -> None:
    """Change the upstream of CONNECTION_ID to NAME. It keeps its accounts and ledgers; a repeat shows how far it is.

    The upstream that it has still cancels a change that waits for what is in flight.
    """
    connection = api.ask("POST", f"/companies/{company_id}/connections/{connection_id}/upstream", {"upstream": name})
    under_way = connection["upstreamChange"]
    if under_way is None:
        click.echo(f"The connection's upstream is {connection['upstream']}.")
    elif under_way["state"] == "awaitingConsent":
        click.echo(f"The customer links the connection at {connection['linkUrl']}, then its accounts are mapped.")
    elif under_way["state"] == "stopping":
        feeds = api.ask("GET", f"/feeds?connectionId={connection_id}&pageSize=100")["results"]
        waited_for = [feed["id"] for feed in feeds if feed["inFlight"]]
        click.echo(f"It goes on by itself once these feeds have nothing in flight: {', '.join(waited_for) or 'none'}")
    else:
        click.echo(f"It goes on by itself ({under_way['state']}).")


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
