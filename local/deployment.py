"""Runs `sam build` and `sam deploy` on the real template, unless nothing has changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.instance import BUILD, REGION, ROOT, ROOT_CREDENTIALS, STACK, Instance, architecture, runtime
from local.processes import run_in_session
from local.progress import Failure, tail

SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers")
BUILT = BUILD / "sam"
BUCKET = "feedlane-artifacts"
# In an environment of its own: it pins versions of packages that others need newer.
SAM = Path(sys.prefix) / "sam" / "bin" / "sam"
# Each environment is a local process that takes a CPU second to start. On AWS the maxima are 10 and 50.
ENVIRONMENTS_MAX = {"route_events": 2, "deliver_webhooks": 4}


def fingerprint() -> str:
    """A hash of the sources, the runtime and the architecture."""
    digest = hashlib.sha256(f"{runtime()} {architecture()}".encode())
    for path in sorted(path for source in SOURCES for path in _files(ROOT / source)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build(log: Path) -> bool:
    """Returns whether anything had changed."""
    with _exclusive():
        stamp = BUILT / "fingerprint"
        current = fingerprint()
        if stamp.exists() and stamp.read_text() == current:
            return False
        stamp.unlink(missing_ok=True)
        _sam(["build", "--build-dir", str(BUILT)], log)
        stamp.write_text(current)
        return True


def deploy(instance: Instance, log: Path) -> bool:
    """Returns whether anything had changed."""
    parameters = _parameters(instance)
    current = f"{(BUILT / 'fingerprint').read_text()} {parameters}"
    stamp = instance.folder / "deployed"
    if stamp.exists() and stamp.read_text() == current:
        return False
    _create_bucket(instance)
    with _exclusive():
        arguments = ["deploy", "--template-file", str(BUILT / "template.yaml"), "--s3-bucket", BUCKET]
        _sam([*arguments, "--parameter-overrides", *parameters], log, AWS_ENDPOINT_URL=instance.aws_url)
    _limit_environments(instance)
    stamp.write_text(current)
    return True


def _parameters(instance: Instance) -> list[str]:
    values = {
        "PythonRuntime": runtime(),
        "Architecture": architecture(),
        "PublicUrl": instance.api_url,
        "XeroApiUrl": instance.xero_api_url,
        "XeroIdentityUrl": instance.xero_identity_url,
        "XeroLoginUrl": instance.xero_identity_url,
        "CodatApiUrl": instance.codat_api_url,
        "WebhookTargets": "any",
        "DeletionProtection": "false",
        "LogRetentionDays": "1",
    }
    return [f"{key}={value}" for key, value in values.items()]


def _limit_environments(instance: Instance) -> None:
    """Keeps a burst of events from starting an environment per message and overloading the machine."""
    functions = instance.client("lambda")
    for name, maximum in ENVIRONMENTS_MAX.items():
        mappings = functions.list_event_source_mappings(FunctionName=f"{STACK}-{name}")["EventSourceMappings"]
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": maximum})


def _create_bucket(instance: Instance) -> None:
    s3 = instance.client("s3")
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)


def _sam(arguments: list[str], log: Path, **extra: str) -> None:
    overrides = ["--parameter-overrides", f"PythonRuntime={runtime()}", f"Architecture={architecture()}"]
    tools = Path(sys.executable).parent
    command = [str(SAM), *arguments, "--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
    if "--parameter-overrides" not in arguments:
        command += overrides
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | {
        **ROOT_CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
        "SAM_CLI_TELEMETRY": "0",
        "FEEDLANE_PYTHON": sys.executable,
        "RUNTIME": runtime(),
        "ARCHITECTURE": architecture(),
        "LAYER_CACHE": str(BUILD / "layer-cache"),
        **extra,
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        code = run_in_session(command, cwd=ROOT, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    if code:
        raise Failure(f"`sam {arguments[0]}` failed:\n{tail(log)}")


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in path.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


@contextmanager
def _exclusive() -> Iterator[None]:
    """Locks the build, which the instances share: only one builds or deploys at a time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "sam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
