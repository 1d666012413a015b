"""`python -m local up|down|status`: the local system, kept running in the background."""

from __future__ import annotations

import json

import click

from local import system
from local.instance import PORTS, Instance
from local.progress import Failure, stop

INSTANCE = click.option("--instance", "name", type=click.Choice(list(PORTS)), default="up", help="Which one.")


@click.group(help=__doc__)
def commands() -> None:
    pass


@commands.command()
@INSTANCE
@click.option("--empty", is_flag=True, help="Leave it as a new deployment is.")
def up(name: str, empty: bool) -> None:
    """Start it, and wait until it is ready."""
    instance = Instance.named(name)
    described = system.start(instance, empty)
    print(f"\nReady. The addresses are in {instance.description}:\n{json.dumps(described, indent=2)}")


@commands.command()
@INSTANCE
def down(name: str) -> None:
    """Stop it. Its data is gone then."""
    print("Stopped." if system.stop(Instance.named(name)) else "Nothing was running.")


@commands.command()
@INSTANCE
def status(name: str) -> None:
    """Which parts run."""
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
