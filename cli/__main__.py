"""`python -m cli`: API keys with the operator's own AWS credentials, feeds, holds and webhooks over the HTTP API."""

from __future__ import annotations

import click

from cli import api_keys, feeds, holds, webhooks

ENVIRONMENT = "FEEDLANE_API_URL and FEEDLANE_API_KEY stand in for --api-url and --api-key."


@click.group(epilog=ENVIRONMENT)
def cli() -> None:
    """Looks after a Feedlane deployment."""


cli.add_command(api_keys.group)
cli.add_command(feeds.group)
cli.add_command(holds.group)
cli.add_command(webhooks.group)

if __name__ == "__main__":
    cli(prog_name="python -m cli")
