"""`python -m cli`: deploys; API keys, dead letters and the table with AWS credentials; the rest over HTTP."""

from __future__ import annotations

import click

from cli import api_keys, connections, dead_letters, feeds, holds, holes, table, upstream, webhooks
from cli.deployment.command import deploy
from cli.files.push import push

ENVIRONMENT_HELP = "FEEDLANE_API_URL, FEEDLANE_API_KEY and FEEDLANE_STACK replace --api-url, --api-key and --stack."


@click.group(epilog=ENVIRONMENT_HELP)
def cli() -> None:
    """Operate a Feedlane deployment."""


cli.add_command(api_keys.group)
cli.add_command(connections.group)
cli.add_command(dead_letters.group)
cli.add_command(deploy)
cli.add_command(feeds.group)
cli.add_command(holds.group)
cli.add_command(holes.group)
cli.add_command(push)
cli.add_command(table.group)
cli.add_command(upstream.group)
cli.add_command(webhooks.group)

if __name__ == "__main__":
    cli(prog_name="python -m cli")
