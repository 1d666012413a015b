"""An instance: one complete local system with its own name, ports and folder.

`up` is the instance that people work with. The others have other ports, so that all can run at once: `test` and `demo`
their own, and one with any other name those that are free.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.ports import any_free_ports, free_ports
from local.progress import Failure

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
REGION = "us-east-1"
STACK = "feedlane"
# Of AWS, the API, the Xero simulator and the Codat simulator, which runs only if it is asked for.
PORTS = {"up": (4566, 8480, 8490, 8500), "test": (4576, 8481, 8491, 8501), "demo": (4586, 8482, 8492, 8502)}
PORT_NAMES = ("FEEDLANE_AWS_PORT", "FEEDLANE_API_PORT", "FEEDLANE_SIMULATOR_PORT", "FEEDLANE_CODAT_PORT")
# Also a folder in build/, whose other folders are those of the build.
NAME = re.compile(r"(?!(sam|layer-cache|audit|clients)$)[a-z][a-z0-9-]{0,30}")

# MiniStack treats this key as the account's root user, who may do everything. Functions do not get it: each runs with
# the credentials of its own role.
ROOT_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


@dataclass(frozen=True)
class Instance:
    name: str
    aws_port: int
    api_port: int
    simulator_port: int
    codat_port: int

    @classmethod
    def named(cls, name: str) -> Instance:
        """The instance with its ports.

        `PORT_NAMES` are the variables that set the ports of `up`, on whose addresses people rely. The other instances
        take free ports if theirs are in use, and keep them until they are stopped.
        """
        require_name(name)
        if name == "up":
            given = [os.environ.get(key) for key in PORT_NAMES]
            return cls(name, *(int(one or port) for one, port in zip(given, PORTS[name], strict=True)))
        file = BUILD / name / "ports.json"
        if not file.exists() or len(json.loads(file.read_text())) != len(PORTS["up"]):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(_choose_ports(name)))
        return cls(name, *json.loads(file.read_text()))

    @classmethod
    def existing(cls, name: str) -> Instance | None:
        """The instance, unless it is not running: then nothing is kept about it."""
        require_name(name)
        return cls.named(name) if name == "up" or (BUILD / name / "ports.json").exists() else None

    @property
    def folder(self) -> Path:
        return BUILD / self.name

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def api_url(self) -> str:
        return f"http://localhost:{self.api_port}"

    @property
    def simulator_url(self) -> str:
        return f"http://localhost:{self.simulator_port}"

    @property
    def codat_simulator_url(self) -> str:
        return f"http://localhost:{self.codat_port}"

    @property
    def xero_api_url(self) -> str:
        return os.environ.get("FEEDLANE_XERO_API_URL", "").rstrip("/") or self.simulator_url

    @property
    def xero_identity_url(self) -> str:
        return os.environ.get("FEEDLANE_XERO_IDENTITY_URL", "").rstrip("/") or self.simulator_url

    @property
    def codat_api_url(self) -> str:
        """For connections whose upstream is Codat. The simulator listens there only if it is asked for."""
        return os.environ.get("FEEDLANE_CODAT_API_URL", "").rstrip("/") or self.codat_simulator_url

    @property
    def simulates_codat(self) -> bool:
        return self.codat_api_url == self.codat_simulator_url

    @property
    def description(self) -> Path:
        """The file with the addresses: `build/local.json` for the instance `up`."""
        return BUILD / "local.json" if self.name == "up" else self.folder / "local.json"

    def client(self, service: str) -> Any:
        """A boto3 client with the rights of the account's root user."""
        return boto3.client(
            service,
            endpoint_url=self.aws_url,
            region_name=REGION,
            aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def outputs(self) -> dict[str, str]:
        """The deployed stack's outputs."""
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def read_description(self) -> dict[str, Any]:
        description: dict[str, Any] = json.loads(self.description.read_text())
        return description


def _choose_ports(name: str) -> tuple[int, ...]:
    return free_ports(PORTS[name]) if name in PORTS else any_free_ports(len(PORTS["up"]))


def require_name(name: str) -> None:
    """Raises `Failure` if an instance cannot have the name."""
    if not NAME.fullmatch(name):
        raise Failure(
            f"An instance cannot be called {name!r}. Its name has up to 31 small letters, digits and hyphens, begins"
            " with a letter, and is none of the build's own folders."
        )


def runtime() -> str:
    """The Lambda runtime of this interpreter: MiniStack runs functions with the interpreter it runs on."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def architecture() -> str:
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
