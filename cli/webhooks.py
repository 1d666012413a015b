"""Webhook consumers: what reached them, what did not, and sending it again."""

from __future__ import annotations

import time
from typing import Any

import click

from cli.http_api import HttpApi, with_api

SECONDS_BETWEEN_LOOKS = 2.0
MOST_LOOKS = 30
consumer = click.argument("webhook_id")
since = click.option("--since", help="From this time on, such as 2026-05-04T09:00:00Z.")
company = click.option("--company", help="Only the events of this company.")


@click.group("webhooks")
def group() -> None:
    """Webhook consumers and their deliveries."""


@group.command("list")
@with_api
def list_consumers(api: HttpApi) -> None:
    """Prints each consumer: id, whether it is enabled, since when it fails, where it is."""
    for one in api.ask("GET", "/webhooks")["results"]:
        state = "disabled" if one["disabled"] else "enabled"
        click.echo(f"{one['id']}  {state}  {one['failingSince'] or '-'}  {one['url'].split('?')[0]}")


@group.command()
@with_api
@consumer
@since
@company
@click.option("--failed", is_flag=True, help="Only those that have not arrived.")
def deliveries(api: HttpApi, webhook_id: str, since: str | None, company: str | None, failed: bool) -> None:
    """Prints the deliveries to WEBHOOK_ID, newest first: event id, when, type, status, attempts, the last answer."""
    asked = {"since": since, "companyId": company, "status": "failed" if failed else None}
    given = {name: value for name, value in asked.items() if value}
    for one in api.linked(f"/webhooks/{webhook_id}/deliveries", **given):
        attempts = one["attempts"]
        last = f"{attempts[-1]['status'] or attempts[-1]['error']}" if attempts else "-"
        click.echo(f"{one['id']}  {one['generatedDate']}  {one['eventType']}  {one['status']}  {len(attempts)}  {last}")


@group.command()
@with_api
@consumer
@click.option("--delivery", "event_id", help="Only this one, by its event id.")
@since
@company
@click.option("--all", "everything", is_flag=True, help="What arrived as well.")
@click.option("--no-wait", is_flag=True, help="Start it, and do not wait for its end.")
def replay(
    api: HttpApi, webhook_id: str, event_id: str | None, since: str | None, company: str | None,
    everything: bool, no_wait: bool,
) -> None:  # fmt: skip
    """Sends again what did not reach WEBHOOK_ID: one delivery, or all since a time, in the order of the events."""
    if bool(event_id) == bool(since):
        raise click.UsageError("Give either --since or --delivery.")
    if event_id:
        sent = api.ask("POST", f"/webhooks/{webhook_id}/deliveries/{event_id}/replay")
        click.echo(f"{sent['id']}  {sent['status']}")
        return
    wanted = {"since": since, "which": "all" if everything else "failed", "companyId": company}
    _follow(api, api.ask("POST", f"/webhooks/{webhook_id}/replays", wanted), wait=not no_wait)


@group.command()
@with_api
@consumer
@click.option("--no-wait", is_flag=True, help="Do not wait until what was kept is sent.")
def enable(api: HttpApi, webhook_id: str, no_wait: bool) -> None:
    """Enables WEBHOOK_ID, and sends what was kept for it meanwhile."""
    _follow(api, api.ask("POST", f"/webhooks/{webhook_id}/enable")["replay"], wait=not no_wait)


@group.command()
@with_api
@consumer
def disable(api: HttpApi, webhook_id: str) -> None:
    """Disables WEBHOOK_ID: its events are kept until it is enabled."""
    api.ask("POST", f"/webhooks/{webhook_id}/disable")
    click.echo("disabled", err=True)


@group.command("rotate-secret")
@with_api
@consumer
def rotate_secret(api: HttpApi, webhook_id: str) -> None:
    """Prints a new signing secret of WEBHOOK_ID, this once; the one before signs for 24 hours more."""
    click.echo(api.ask("POST", f"/webhooks/{webhook_id}/secret/rotate")["signingSecret"])


@group.command()
@with_api
@consumer
def test(api: HttpApi, webhook_id: str) -> None:
    """Sends a test event to WEBHOOK_ID and prints what came of the first attempt; fails if it was not taken."""
    delivery = api.ask("POST", f"/webhooks/{webhook_id}/test")
    for _ in range(MOST_LOOKS):
        if delivery["attempts"]:
            break
        time.sleep(SECONDS_BETWEEN_LOOKS)
        delivery = api.ask("GET", f"/webhooks/{webhook_id}/deliveries/{delivery['id']}")
    else:
        raise click.ClickException(f"Delivery {delivery['id']} was not attempted within a minute.")
    first = delivery["attempts"][0]
    answer = f"{first['status'] or first['error']}  {first['durationMs']} ms  {first['response']}"
    click.echo(f"{delivery['id']}  {answer.rstrip()}")
    if not 200 <= (first["status"] or 0) < 300:
        raise click.ClickException("The consumer did not take it.")


def _follow(api: HttpApi, replay: dict[str, Any], wait: bool) -> None:
    while wait and replay["status"] == "Running":
        time.sleep(SECONDS_BETWEEN_LOOKS)
        replay = api.ask("GET", f"/webhooks/{replay['webhookId']}/replays/{replay['id']}")
    click.echo(f"{replay['id']}  {replay['status']}  {replay['succeeded']} sent, {replay['failed']} failed")
    if replay["status"] == "Stopped":
        raise click.ClickException("The consumer was disabled meanwhile.")
