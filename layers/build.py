"""Builds a layer: `build.py dependencies|feedlane FOLDER`, for $RUNTIME on $ARCHITECTURE. Needs uv.

Bytecode is compiled as unchecked-hash: packaging sets every file's date to 1980, so that bytecode checked by date
is never valid and each cold start compiles everything again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

RUNTIME = os.environ.get("RUNTIME") or "python3.13"
ARCHITECTURE = os.environ.get("ARCHITECTURE") or "arm64"
PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}
# The rest of botocore's data describes services that no function calls: 28 of its 31 MB.
AWS_SERVICES = {"dynamodb", "events", "lambda", "secretsmanager", "sqs"}
HERE = Path(__file__).resolve().parent


def main(layer: str, artifacts: Path) -> None:
    packages = artifacts / "python"
    if layer == "dependencies":
        _dependencies(packages)
    else:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / "feedlane" / "feedlane", packages / "feedlane", ignore=ignored)
        _compile(packages)


def _dependencies(packages: Path) -> None:
    """Taken from $LAYER_CACHE when nothing that makes them up has changed since."""
    kept = _cached()
    if kept and kept.exists():
        shutil.copytree(kept, packages)
        return
    _install(packages)
    _trim(packages)
    _compile(packages)
    if kept:
        shutil.rmtree(kept.parent, ignore_errors=True)
        shutil.copytree(packages, kept)


def _cached() -> Path | None:
    cache = os.environ.get("LAYER_CACHE")
    if not cache:
        return None
    parts = [HERE / "dependencies" / "requirements.txt", HERE / "build.py"]
    content = b"".join(part.read_bytes() for part in parts) + f"{RUNTIME} {ARCHITECTURE}".encode()
    return Path(cache) / hashlib.sha256(content).hexdigest()[:16]


def _install(packages: Path) -> None:
    requirements = HERE / "dependencies" / "requirements.txt"
    command = [
        *(_uv(), "pip", "install", "--quiet", "--target", str(packages), "--requirements", str(requirements)),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"),
        *("--python-version", RUNTIME.removeprefix("python"), "--python-platform", PLATFORMS[ARCHITECTURE]),
        # Any interpreter will do to run uv: version and platform are given above.
        *("--python", sys.executable),
    ]
    subprocess.run(command, check=True)


def _trim(packages: Path) -> None:
    for path in (packages / "botocore" / "data").iterdir():
        if path.is_dir() and path.name not in AWS_SERVICES:
            shutil.rmtree(path)
    for path in [packages / "bin", *packages.glob("boto3/examples"), *packages.rglob("__pycache__")]:
        shutil.rmtree(path, ignore_errors=True)
    for path in packages.rglob("*.dist-info/RECORD"):
        path.unlink()
    (packages / ".lock").unlink(missing_ok=True)


def _compile(packages: Path) -> None:
    interpreter = _interpreter(RUNTIME)
    if interpreter is None:
        print("The layer has no bytecode: it works, but a cold start takes about twice as long.")
        return
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    # Without the build machine's folders in tracebacks.
    command = [interpreter, "-m", "compileall", *options, "-s", str(packages), "-p", "/opt/python", str(packages)]
    subprocess.run(command, check=True)


def _interpreter(runtime: str) -> str | None:
    """One of the runtime's minor version: bytecode of another would be ignored."""
    version = runtime.removeprefix("python")
    candidates = [sys.executable, shutil.which(runtime), *_found_by_uv(version), *_found_in_pyenv(version)]
    found = next((path for path in candidates if path and _version(path) == version), None)
    print(f"Compiling with {found}" if found else f"There is no {runtime} on this machine", flush=True)
    return found


def _found_by_uv(version: str) -> list[str]:
    command = [_uv(), "python", "find", "--system", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split()


def _found_in_pyenv(version: str) -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return [str(path) for path in root.glob(f"versions/{version}.*/bin/python{version}")]


def _version(interpreter: str) -> str:
    command = [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    # A version manager's shim may be on the path without anything behind it.
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        sys.exit("uv is missing: `make build` brings it, or `pip install -r requirements/uv.txt`.")
    return found


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
