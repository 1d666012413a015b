"""Webhook consumers: their deliveries, replays and secrets."""

from __future__ import annotations

import time
from typing import Any

import click

from cli.http_api import HttpApi, with_api

POLL_SECONDS = 2.0
POLLS_MAX = 30
consumer = click.argument("webhook_id")
since = click.option("--since", help="Start of the period, such as 2026-05-04T09:00:00Z.")
company = click.option("--company", help="Only this company's events.")


@click.group("webhooks")
def group() -> None:
    """Manage webhook consumers and replay deliveries."""


@group.command("list")
@with_api
def list_consumers(api: HttpApi) -> None:
    """List the consumers: id, state, when it began to fail, URL."""
    for listed in api.ask("GET", "/webhooks")["results"]:
        state = "disabled" if listed["disabled"] else "enabled"
        click.echo(f"{listed['id']}  {state}  {listed['failingSince'] or '-'}  {listed['url'].split('?')[0]}")


@group.command()
@with_api
@consumer
@since
@company
@click.option("--failed", is_flag=True, help="Only deliveries that have not arrived.")
def deliveries(api: HttpApi, webhook_id: str, since: str | None, company: str | None, failed: bool) -> None:
    """List the deliveries to WEBHOOK_ID, newest first.

    Each line has event id, time, type, status, number of attempts and the last response.
    """
    filters = {"since": since, "companyId": company, "status": "failed" if failed else None}
    query = {name: value for name, value in filters.items() if value}
    for delivery in api.linked(f"/webhooks/{webhook_id}/deliveries", **query):
        attempts = delivery["attempts"]
        last = f"{attempts[-1]['status'] or attempts[-1]['error']}" if attempts else "-"
        words = [delivery[name] for name in ("id", "generatedDate", "eventType", "status")]
        click.echo("  ".join([*words, str(len(attempts)), last]))


@group.command()
@with_api
@consumer
@click.option("--delivery", "event_id", help="Replay only the delivery of this event id.")
@since
@company
@click.option("--all", "everything", is_flag=True, help="Include deliveries that arrived.")
@click.option("--no-wait", is_flag=True, help="Start the replay and return at once.")
def replay(
    api: HttpApi, webhook_id: str, event_id: str | None, since: str | None, company: str | None,
    everything: bool, no_wait: bool,
) -> None:  # fmt: skip
    """Send failed deliveries to WEBHOOK_ID again.

    Sends either one delivery, or all since a given time in the order of their events.
    """
    if bool(event_id) == bool(since):
        raise click.UsageError("Give either --since or --delivery.")
    if event_id:
        sent = api.ask("POST", f"/webhooks/{webhook_id}/deliveries/{event_id}/replay")
        click.echo(f"{sent['id']}  {sent['status']}")
        return
    body = {"since": since, "which": "all" if everything else "failed", "companyId": company}
    _follow(api, api.ask("POST", f"/webhooks/{webhook_id}/replays", body), wait=not no_wait)


@group.command()
@with_api
@consumer
@click.option("--no-wait", is_flag=True, help="Return at once, without waiting for the kept events to be sent.")
def enable(api: HttpApi, webhook_id: str, no_wait: bool) -> None:
    """Enable WEBHOOK_ID and send the events kept for it."""
    _follow(api, api.ask("POST", f"/webhooks/{webhook_id}/enable")["replay"], wait=not no_wait)


@group.command()
@with_api
@consumer
def disable(api: HttpApi, webhook_id: str) -> None:
    """Disable WEBHOOK_ID. Its events are kept until it is enabled."""
    api.ask("POST", f"/webhooks/{webhook_id}/disable")
    click.echo("Disabled.", err=True)


@group.command("rotate-secret")
@with_api
@consumer
def rotate_secret(api: HttpApi, webhook_id: str) -> None:
    """Create and print a new signing secret for WEBHOOK_ID. It is shown only once.

    The previous secret stays valid for 24 hours.
    """
    click.echo(api.ask("POST", f"/webhooks/{webhook_id}/secret/rotate")["signingSecret"])


@group.command()
@with_api
@consumer
def test(api: HttpApi, webhook_id: str) -> None:
    """Send a test event to WEBHOOK_ID.

    Prints the result of the first attempt, and fails if the consumer did not accept it.
    """
    delivery = api.ask("POST", f"/webhooks/{webhook_id}/test")
    for _ in range(POLLS_MAX):
        if delivery["attempts"]:
            break
        time.sleep(POLL_SECONDS)
        delivery = api.ask("GET", f"/webhooks/{webhook_id}/deliveries/{delivery['id']}")
    else:
        raise click.ClickException(f"Delivery {delivery['id']} was not attempted within a minute.")
    first = delivery["attempts"][0]
    answer = f"{first['status'] or first['error']}  {first['durationMs']} ms  {first['response']}"
    click.echo(f"{delivery['id']}  {answer.rstrip()}")
    if not 200 <= (first["status"] or 0) < 300:
        raise click.ClickException("The consumer did not accept the test event.")


def _follow(api: HttpApi, replay: dict[str, Any], wait: bool) -> None:
    while wait and replay["status"] == "Running":
        time.sleep(POLL_SECONDS)
        replay = api.ask("GET", f"/webhooks/{replay['webhookId']}/replays/{replay['id']}")
    click.echo(f"{replay['id']}  {replay['status']}  {replay['succeeded']} sent, {replay['failed']} failed")
    if replay["status"] == "Stopped":
        raise click.ClickException("The replay stopped because the consumer was disabled.")
