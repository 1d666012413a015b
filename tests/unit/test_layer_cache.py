"""The cache of the functions' packages: never a half one."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.instance import ROOT


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("build_layer", ROOT / "layers" / "build.py")
    assert specification is not None
    assert specification.loader is not None
    build = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(build)
    monkeypatch.setenv("LAYER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "_install", lambda packages: _write(packages))
    monkeypatch.setattr(build, "_trim", lambda packages: None)
    return build


def _write(packages: Path) -> None:
    packages.mkdir(parents=True)
    for name in ("a", "b"):
        (packages / f"{name}.py").write_text("x = 1\n")


def test_an_interrupted_build_leaves_no_half_cache_to_the_next(
    build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = shutil.copytree

    def copy_half(source: Path, target: Path, *arguments: Any, **options: Any) -> None:
        target.mkdir(parents=True)
        shutil.copy(source / "a.py", target)
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copytree", copy_half)
    with pytest.raises(KeyboardInterrupt):
        build.main("dependencies", tmp_path / "first")
    monkeypatch.setattr(shutil, "copytree", copy)
    for attempt in ("second", "third"):
        build.main("dependencies", tmp_path / attempt)
        assert {path.name for path in (tmp_path / attempt / "python").glob("*.py")} == {"a.py", "b.py"}
