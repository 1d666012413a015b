"""`python -m local up|down|status`: the local system, running in the background."""

from __future__ import annotations

import json

import click

from local import system
from local.instance import PORTS, Instance
from local.progress import Failure, stop

INSTANCE = click.option(
    "--instance",
    "name",
    type=click.Choice(list(PORTS)),
    default="up",
    help="The instance: each has its own ports and data.",
)

UPSTREAM = click.option(
    "--upstream",
    type=click.Choice(["xero", "codat"]),
    default="xero",
    help="What connections go through: codat starts a simulator of it too, and sets it up.",
)


@click.group(help=__doc__)
def commands() -> None:
    pass


@commands.command()
@INSTANCE
@click.option("--empty", is_flag=True, help="Leave the integration unconfigured, as in a new deployment.")
@UPSTREAM
def up(name: str, empty: bool, upstream: str) -> None:
    """Start the system and wait until it is ready."""
    instance = Instance.named(name)
    description = system.start(instance, empty, upstream)
    print(f"\nReady. {instance.description} has the addresses:\n{json.dumps(description, indent=2)}")


@commands.command()
@INSTANCE
def down(name: str) -> None:
    """Stop the system and delete its data."""
    print("Stopped." if system.stop(Instance.named(name)) else "The system was not running.")


@commands.command()
@INSTANCE
def status(name: str) -> None:
    """Show which parts are running."""
    for part, running in system.status(Instance.named(name)).items():
        print(f"{part}: {'running' if running else 'not running'}")


if __name__ == "__main__":
    try:
        commands(standalone_mode=False)
    except Failure as failure:
        stop(failure)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except click.Abort:
        raise SystemExit(130) from None
