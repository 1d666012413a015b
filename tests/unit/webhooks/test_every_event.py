"""Every event comes from one module, so that the payload tests over it are tests over all that is ever emitted."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from feedlane.companies import events as company_events
from feedlane.events import event as event_types
from tests.unit.handlers.handlers import ROOT

# `envelope` reads one back from the bus, without its payload.
MAKERS = {"event_payloads.py", "event_parts.py", "envelope.py"}
CONSTANTS = {name: value for name, value in vars(event_types).items() if isinstance(value, str) and name.isupper()}


def sources() -> list[Path]:
    return [*(ROOT / "layers" / "feedlane" / "feedlane").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


def test_no_other_module_makes_an_event() -> None:
    makers = {
        path.name
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"
    }
    assert makers == MAKERS
    of_parts = [path.name for path in sources() if "feedlane.event_parts" in path.read_text()]
    assert of_parts == ["event_payloads.py"]


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_type_is_made_somewhere(name: str) -> None:
    assert f"types.{name}" in inspect.getsource(company_events)
