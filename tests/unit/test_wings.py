"""The map of the house in docs/architecture.md is true: each wing imports what the table allows, and no more."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/feedlane/feedlane"
WINGS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)


def _allowed() -> dict[str, set[str]]:
    text = (ROOT / "docs/architecture.md").read_text()
    return {wing: set(re.findall(r"`(\w+)`", imports)) for wing, imports in ROW.findall(text) if wing in WINGS}


def _imported(wing: str) -> set[str]:
    """The wings that this wing's modules import, anywhere in their code."""
    names: set[str] = set()
    for path in (PACKAGE / wing).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    paths = [name.split(".") for name in names]
    return {path[1] for path in paths if path[0] == "feedlane" and path[1] in WINGS} - {wing}


def test_the_table_has_every_wing() -> None:
    assert sorted(_allowed()) == WINGS


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_imports_exactly_what_the_table_allows(wing: str) -> None:
    assert _imported(wing) == _allowed()[wing]


def test_the_ground_imports_no_wing_but_the_store() -> None:
    """`ports` bundles the store with the other ports; no other module of the ground imports a wing."""
    for path in PACKAGE.glob("*.py"):
        imported = {
            node.module.split(".")[1]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("feedlane.")
        }
        assert imported & set(WINGS) <= ({"store"} if path.name == "ports.py" else set()), path.name
