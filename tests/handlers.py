"""Loads a function's handler as Lambda does: `app` of its folder, as a module with its own name."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from feedlane.aws.dead_letters import Waiting
from tests.rights import acting_as

ROOT = Path(__file__).parents[1]


def load(function: str) -> ModuleType:
    """Its handler acts with the function's role. There are no dead letters, until a test says otherwise."""
    path = ROOT / "functions" / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"functions_{function}_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if function == "tend_connections":
        module.dead_letters = SimpleNamespace(waiting=Waiting)  # type: ignore[attr-defined]
    module.handler = acting_as(function)(module.handler)  # type: ignore[attr-defined]
    return module


def sample(function: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{function}.json").read_text())
    return event


class Context:
    """The context that Lambda passes to a handler with the event. `alias`: through which the function was invoked."""

    function_name = "feedlane-test"
    memory_limit_in_mb = 512
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def __init__(self, alias: str = "", seconds_left: int = 60) -> None:
        arn = "arn:aws:lambda:eu-west-2:123456789012:function:feedlane-test"
        self.invoked_function_arn = f"{arn}:{alias}" if alias else arn

        self.seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return self.seconds_left * 1000
