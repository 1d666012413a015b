"""The built layers hold all that functions import. MiniStack would hide a missing package: it has its own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from local import deployment
from tests.stack.template import ROOT, functions, variables_of

LAYERS = [deployment.BUILT / name / "python" for name in ("DependenciesLayer", "FeedlaneLayer")]
# On Lambda these come from the runtime.
ENVIRONMENT = {"PATH": os.environ["PATH"], "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    deployment.build(tmp_path_factory.mktemp("logs") / "build.log")


@pytest.mark.parametrize("function", functions())
def test_a_function_imports_with_the_layers_alone(function: str) -> None:
    done = _python(f"import sys; sys.path[:0] = {_paths(function)}; import app; app.handler", variables_of(function))
    assert done.returncode == 0, done.stderr


def test_a_layer_has_trusted_bytecode_for_every_module() -> None:
    for layer in LAYERS:
        sources = [path for path in layer.rglob("*.py") if path.stem.isidentifier()]
        assert sources
        for source in sources:
            tag = sys.implementation.cache_tag
            compiled = (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").read_bytes()
            # Flags: hash-based, not to be checked against the source (PEP 552).
            assert compiled[4:8] == b"\x01\x00\x00\x00", source


def test_the_layers_tell_nothing_of_the_machine_that_built_them() -> None:
    for layer in LAYERS:
        for file in layer.rglob("*"):
            assert not file.is_file() or str(ROOT).encode() not in file.read_bytes(), file


def _paths(function: str) -> list[str]:
    built_functions = {path.name.lower(): path for path in deployment.BUILT.iterdir()}
    folder: Path = built_functions[function.replace("_", "")]
    return [str(folder), *map(str, LAYERS)]


def _python(code: str, variables: Iterable[str]) -> "subprocess.CompletedProcess[str]":
    # Isolated, and without site-packages.
    command = [sys.executable, "-I", "-S", "-c", code]
    environment = ENVIRONMENT | dict.fromkeys(variables, "INFO")
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
