"""Who does not use Codat does not load its adapter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.stack.template import of_type

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
SCRIPT = """
import importlib, sys
sys.path[:0] = [{root!r}, {layer!r}]
for name in {functions!r}:
    sys.path.insert(0, {root!r} + "/functions/" + name)
    importlib.import_module("functions." + name + ".app")
    sys.path.pop(0)
    adapter = ("feedlane.codat_upstream", "feedlane.wiring.codat")
    loaded = [module for module in sys.modules if module.startswith(adapter)]
    assert "functions." + name + ".app" in sys.modules, name
    assert not loaded, (name, loaded)
print("none")
"""


def test_no_function_loads_the_adapter_to_codat() -> None:
    """In a process of its own, as other tests have loaded it here."""
    in_template = {
        function["Properties"]["CodeUri"].strip("/").rpartition("/")[2]
        for function in of_type("AWS::Serverless::Function").values()
    }
    assert set(FUNCTIONS) == in_template, "each that is deployed is looked at"
    script = SCRIPT.format(root=str(ROOT), layer=str(ROOT / "layers/feedlane"), functions=FUNCTIONS)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ), timeout=120
    )
    assert done.stdout.strip() == "none", done.stderr[-2000:]
