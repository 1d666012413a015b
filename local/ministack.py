"""MiniStack: AWS in one process, with IAM enforced on every call, including those of functions."""

from __future__ import annotations

import os
import sys

import httpx

from local.instance import REGION, ROOT, ROOT_CREDENTIALS, Instance
from local.processes import Processes

NAME = "aws"


def start(instance: Instance, processes: Processes) -> None:
    temporary = instance.folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    processes.start(NAME, [sys.executable, "-m", "local.aws"], _environment(instance), ROOT)
    processes.wait(NAME, lambda: is_ready(instance))


def is_ready(instance: Instance) -> bool:
    try:
        return httpx.get(f"{instance.aws_url}/_ministack/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


def _environment(instance: Instance) -> dict[str, str]:
    """MiniStack's environment, which functions inherit: nothing of this machine's AWS configuration or proxies."""
    return {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TZ") if key in os.environ} | {
        **ROOT_CREDENTIALS,
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(instance.aws_port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        # These would listen on fixed ports, and nothing here needs them.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(instance.folder / "tmp"),
        "S3_DATA_DIR": str(instance.folder / "tmp" / "s3"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }
