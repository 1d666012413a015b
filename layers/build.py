"""Builds a layer: `build.py dependencies|feedlane FOLDER`, for $RUNTIME on $ARCHITECTURE. Needs uv.

Bytecode is compiled as unchecked-hash: packaging sets every file's date to 1980, so bytecode checked by date would
never be valid, and each cold start would compile everything again.
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
# 28 of the 31 MB of botocore's data describe services that no function calls.
AWS_SERVICES = {"dynamodb", "events", "lambda", "secretsmanager", "sns", "sqs"}
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
    """Copies the packages from $LAYER_CACHE if it has this exact build; otherwise installs them."""
    cached = _cache_folder()
    if cached and cached.exists():
        shutil.copytree(cached, packages)
        return
    _install(packages)
    _trim(packages)
    _compile(packages)
    if cached:
        shutil.rmtree(cached.parent, ignore_errors=True)
        # It gets its name once it is complete: an interrupted build must not leave a half one to the next.
        shutil.copytree(packages, unfinished := cached.with_suffix(".new"))
        unfinished.rename(cached)


def _cache_folder() -> Path | None:
    cache = os.environ.get("LAYER_CACHE")
    if not cache:
        return None
    sources = [HERE / "dependencies" / "requirements.txt", HERE / "build.py"]
    content = b"".join(source.read_bytes() for source in sources) + f"{RUNTIME} {ARCHITECTURE}".encode()
    return Path(cache) / hashlib.sha256(content).hexdigest()[:16]


def _install(packages: Path) -> None:
    requirements = HERE / "dependencies" / "requirements.txt"
    command = [
        *(_uv(), "pip", "install", "--quiet", "--target", str(packages), "--requirements", str(requirements)),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"),
        *("--python-version", RUNTIME.removeprefix("python"), "--python-platform", PLATFORMS[ARCHITECTURE]),
        # uv may run in any interpreter: the target's version and platform are given above.
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
        print("The layer has no bytecode. It works, but cold starts take about twice as long.")
        return
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    # Tracebacks show the path on Lambda, not on the build machine.
    command = [interpreter, "-m", "compileall", *options, "-s", str(packages), "-p", "/opt/python", str(packages)]
    subprocess.run(command, check=True)


def _interpreter(runtime: str) -> str | None:
    """An interpreter with the runtime's minor version: Python ignores bytecode of any other."""
    version = runtime.removeprefix("python")
    candidates = [sys.executable, shutil.which(runtime), *_uv_interpreters(version), *_pyenv_interpreters(version)]
    interpreter = next((path for path in candidates if path and _version(path) == version), None)
    print(
        f"Compiling with {interpreter}" if interpreter else f"{runtime} is not installed on this machine.", flush=True
    )
    return interpreter


def _uv_interpreters(version: str) -> list[str]:
    command = [_uv(), "python", "find", "--system", "--no-python-downloads", version]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.split()


def _pyenv_interpreters(version: str) -> list[str]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return [str(path) for path in root.glob(f"versions/{version}.*/bin/python{version}")]


def _version(interpreter: str) -> str:
    command = [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    # The command may be a version manager's shim without an interpreter behind it.
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _uv() -> str:
    neighbour = Path(sys.executable).parent / "uv"
    uv = str(neighbour) if neighbour.exists() else shutil.which("uv")
    if not uv:
        sys.exit("uv is missing. Run `make build`, or `pip install -r requirements/uv.txt`.")
    return uv


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
