"""The guides name files that exist: whoever follows CONTRIBUTING.md or docs/architecture.md finds each path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/feedlane/feedlane"
PATH = re.compile(r"`((?:[\w.]+/)*[\w.]+\.(?:py|md|html|yaml|toml|json)|(?:[\w.]+/)+)`")


@pytest.mark.parametrize("guide", ["CONTRIBUTING.md", "docs/architecture.md", "docs/security.md"])
def test_every_path_in_a_guide_exists(guide: str) -> None:
    paths = set(PATH.findall((ROOT / guide).read_text()))
    assert paths
    assert [path for path in sorted(paths) if not _exists(path)] == []


def _exists(path: str) -> bool:
    """A name without a folder, such as `items.py`, stands for the file of that name in any wing."""
    if "/" not in path and any(PACKAGE.rglob(path)):
        return True
    return (ROOT / path).exists() or (PACKAGE / path).exists()
