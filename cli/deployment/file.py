"""deployment.toml: the one place for a deployment's stack name, region and parameters.

It is a configuration file of the SAM CLI (`sam deploy --config-file deployment.toml` reads it too). Only the questions
of `make deploy GUIDED=1` write it.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from local.template import template

_OPTIONS = """\
[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
confirm_changeset = true
fail_on_empty_changeset = false
resolve_s3 = true
"""


@dataclass(frozen=True)
class Deployment:
    """`chosen` has the parameters that the file names. The others have the template's defaults."""

    stack: str = "feedlane"
    region: str = ""
    chosen: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, str]:
        """All of the template's. Named one by one: CloudFormation keeps the last value of what is left out."""
        return {name: self.chosen.get(name, default) for name, default in defaults().items()}


def defaults() -> dict[str, str]:
    return {name: str(facts.get("Default", "")) for name, facts in template()["Parameters"].items()}


def read(path: Path) -> Deployment:
    """Raises `ClickException` for what is no such file, or names a parameter that the template does not have."""
    try:
        environment = tomllib.loads(path.read_text())["default"]
        shared = environment["global"]["parameters"]
        chosen = environment["deploy"]["parameters"].get("parameter_overrides", {})
        deployment = Deployment(shared["stack_name"], shared["region"], {key: _text(chosen[key]) for key in chosen})
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} is not as `make deploy GUIDED=1` writes it: {error!r}") from None
    if unknown := chosen.keys() - defaults().keys():
        raise click.ClickException(f"{path} names parameters that the template does not have: {sorted(unknown)}")
    return deployment


def write(path: Path, deployment: Deployment) -> None:
    """Leaves out what is as the template has it, so that a later default reaches this deployment."""
    everything = deployment.parameters
    changed = {key: everything[key] for key, default in defaults().items() if everything[key] != default}
    path.write_text(
        "# Where and how Feedlane is deployed: edit this file, then run `make deploy`. A parameter that is not named\n"
        "# has the template's default. Keep a copy of the file: `make deploy CONFIG=path` takes another.\n"
        "version = 0.1\n\n"
        "[default.global.parameters]\n"
        f"stack_name = {json.dumps(deployment.stack)}\n"
        f"region = {json.dumps(deployment.region)}\n\n"
        f"{_OPTIONS}\n"
        "[default.deploy.parameters.parameter_overrides]\n"
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in changed.items())
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
