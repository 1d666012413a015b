"""Only the wings' `events.py` make events, so that the tests of their payloads cover every event."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from feedlane.events import event as event_types
from tests.handlers import ROOT

PACKAGE = ROOT / "layers" / "feedlane" / "feedlane"
# `envelope` reads an event back from the bus, without its payload.
MAKERS = {"companies/events.py", "webhooks/events.py", "events/envelope.py"}
CONSTANTS = {name: value for name, value in vars(event_types).items() if isinstance(value, str) and name.isupper()}


def source_files() -> list[Path]:
    return [*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


def test_no_other_module_makes_an_event() -> None:
    makers = {
        str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else str(path)
        for path in source_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"
    }
    assert makers == MAKERS


def test_only_the_wings_events_build_one() -> None:
    builders = {path.name for path in source_files() if "build_event" in path.read_text()}
    assert builders == {"events.py"}


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_type_is_made_somewhere(name: str) -> None:
    assert any(f"event_types.{name}" in path.read_text() for path in PACKAGE.glob("*/events.py"))
