"""`python -m cli`: keys and dead letters with the operator's own AWS credentials, feeds and holds over the HTTP API."""

from __future__ import annotations

import click

from cli import api_keys, dead_letters, feeds, holds, table

ENVIRONMENT = "FEEDLANE_API_URL, FEEDLANE_API_KEY and FEEDLANE_STACK stand in for --api-url, --api-key and --stack."


@click.group(epilog=ENVIRONMENT)
def cli() -> None:
    """Looks after a Feedlane deployment."""


cli.add_command(api_keys.group)
cli.add_command(dead_letters.group)
cli.add_command(feeds.group)
cli.add_command(holds.group)
cli.add_command(table.group)

if __name__ == "__main__":
    cli(prog_name="python -m cli")
