"""`python -m local up|down|status|open`: the local system, running in the background."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click

from local import interruption, system, welcome
from local.instance import Instance
from local.progress import Failure, stop

INSTANCE = click.option(
    "--instance",
    "name",
    default="up",
    help="The instance, of any name: each has its own ports and data.",
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
    print(f"\n{welcome.text(instance, description)}")


@commands.command()
@INSTANCE
def down(name: str) -> None:
    """Stop the system and delete its data."""
    instance = Instance.existing(name)
    with interruption.deferred():
        was_running = instance is not None and system.stop(instance)
    print("Stopped." if was_running else f"The system '{name}' was not running.")


@commands.command()
@INSTANCE
def status(name: str) -> None:
    """Show which parts are running."""
    instance = Instance.existing(name)
    if instance is None:
        print(f"The system '{name}' is not running.")
        return
    for part, running in system.status(instance).items():
        print(f"{part}: {'running' if running else 'not running'}")


@commands.command(name="open")
@INSTANCE
def open_portal(name: str) -> None:
    """Open the portal in the browser."""
    instance = Instance.existing(name)
    if instance is None or not instance.description.exists():
        command = "make up" if name == "up" else f"make up INSTANCE={name}"
        raise Failure(f"The system '{name}' is not running. Start it with `{command}`.")
    description = instance.read_description()
    print(f"{description['portalUrl']}\nSign in with {description['apiKey']}")
    if not _opens(description["portalUrl"]):
        print("No browser could be started here: open the address yourself.")


def _opens(url: str) -> bool:
    """Whether a browser was told to open the address."""
    has_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if not has_screen or opener is None:
        return False
    try:
        return subprocess.run([opener, url], capture_output=True, timeout=15, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    interruption.heed_all()
    try:
        commands(standalone_mode=False)
    except Failure as failure:
        stop(failure)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(130) from None
