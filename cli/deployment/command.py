"""Deploys to AWS. The order: what can be refused at once, then the build, then the SAM CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.deployment import account, file, names, questions, stack
from cli.deployment.file import Deployment

ROOT = Path(__file__).resolve().parent.parent.parent
SAM = Path(sys.prefix) / "sam" / "bin" / "sam"


@click.command("deploy")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), default="deployment.toml", show_default=True)
@click.option("--guided", is_flag=True, help="Ask for everything first, and write it to the file.")
def deploy(config: Path, guided: bool) -> None:
    """Build and deploy the stack that the file `--config` describes. `make deploy` runs this."""
    deployment = _deployment(config, guided)
    if why := names.problem(deployment.stack):
        raise click.ClickException(why)
    session = boto3.Session(region_name=deployment.region)
    try:
        first = _ask_aws(session, deployment)
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"AWS cannot be asked: {error}") from None
    except account.TooLow as error:
        raise click.ClickException(str(error)) from None
    parameters = deployment.parameters
    _run("make", "--no-print-directory", "build", *_target(parameters))
    if first and parameters["DeletionProtection"] == "true":
        # A protected table could not be removed again if the rest of its stack fails, so it is protected at the end.
        _sam_deploy(config, parameters | {"DeletionProtection": "false"})
        if stack.was_created(session.client("cloudformation"), deployment.stack):
            click.echo("Deployed. The next step protects the table against deletion.")
            _sam_deploy(config, parameters, "--no-confirm-changeset")
    else:
        _sam_deploy(config, parameters)


def _deployment(config: Path, guided: bool) -> Deployment:
    if not guided:
        if not config.exists():
            raise click.ClickException(f"There is no {config} yet. `make deploy GUIDED=1` asks for what belongs there.")
        return file.read(config)
    deployment = questions.ask(file.read(config) if config.exists() else Deployment())
    file.write(config, deployment)
    click.echo(f"\nWritten to {config}.")
    return deployment


def _ask_aws(session: boto3.Session, deployment: Deployment) -> bool:
    """Says what the account lacks. Returns whether the stack is new. Raises `TooLow`."""
    concurrency = deployment.parameters["Concurrency"]
    if advice := account.advice(session.client("lambda"), deployment.stack, deployment.region, concurrency):
        click.echo(advice)
    return stack.is_new(session.client("cloudformation"), deployment.stack)


def _target(parameters: dict[str, str]) -> list[str]:
    """What to build for: what the functions will run on."""
    return [f"RUNTIME={parameters['PythonRuntime']}", f"ARCHITECTURE={parameters['Architecture']}"]


def _sam_deploy(config: Path, parameters: dict[str, str], *options: str) -> None:
    # All of them: the SAM CLI ignores those of the file as soon as one is on the command line.
    overrides = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]
    _run(str(SAM), "deploy", "--config-file", str(config.resolve()), *options, "--parameter-overrides", *overrides)


def _run(*command: str) -> None:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603, no input of others
    if code:
        sys.exit(code)
