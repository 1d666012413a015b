"""The control routes: every setting can be read, set and reset, and wrong input names its field."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from local.codat_simulator.behaviour import Behaviour
from local.simulator.behaviour import positions
from tests.contract.codat_simulator.driver import BAKERY, Driver

SIMULATOR = Path(__file__).parents[3] / "local" / "codat_simulator"
VIEWS = (
    "health",
    "orgs",
    "behaviour",
    "behaviour/switches",
    "timing",
    "limits",
    "link",
    "profile",
    "integration",
    "keys",
    "clock",
    "faults",
    "outcomes",
    "connections",
    "consumers",
    "messages",
    "operations",
    "ledgers",
    "calls",
)


@pytest.mark.parametrize("name", VIEWS)
def test_everything_can_be_read(codat: Driver, name: str) -> None:
    assert codat.control("GET", name)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("timing", {"pushSeconds": -1}, "pushSeconds"),
        ("timing", {"webhookCopies": 0}, "webhookCopies"),
        ("limits", {"day": "many"}, "day"),
        ("link", {"mode": "never"}, "mode"),
        ("link", {"outcome": "maybe"}, "outcome"),
        ("link", {"tenantId": "nobody"}, "tenantId"),
        ("profile", {"name": 1}, "name"),
        ("integration", {"enabled": "no"}, "enabled"),
        ("keys", {"keys": [1]}, "keys"),
        ("behaviour", {"appears": "never"}, "appears"),
        ("behaviour", {"mood": "good"}, "mood"),
        ("connections/none", {"status": "Linked"}, "id"),
        ("consumers/none", {}, "id"),
        ("orgs/none/throttle", {"seconds": 1}, "tenantId"),
        (f"orgs/{BAKERY}/throttle", {"seconds": "x"}, "seconds"),
    ],
)
def test_wrong_input_names_its_field(codat: Driver, path: str, body: Any, field: str) -> None:
    answer = codat.http.put(f"/_simulator/{path}", json=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    "body", [{"status": "Perhaps"}, {"status": "Failed", "errors": [{}]}, {"status": "Never", "x": 1}]
)
def test_a_wrong_outcome_is_refused(codat: Driver, body: Any) -> None:
    assert codat.http.post("/_simulator/outcomes", json=body).status_code == 400


def test_a_reset_restores_everything_and_keeps_the_redirect(codat: Driver) -> None:
    codat.ready()
    for path, body in (("keys", {"keys": ["x"]}), ("timing", {"pushSeconds": 9}), ("link", {"mode": "auto"})):
        codat.control("PUT", path, body)
    codat.control("POST", "reset")
    assert codat.control("GET", "connections")["connections"] == []
    assert codat.control("GET", "timing")["pushSeconds"] == 1
    assert codat.call("GET", "/companies").json()["totalResults"] == 0


def test_outcomes_and_faults_can_be_cleared(codat: Driver) -> None:
    codat.control("POST", "outcomes", {"status": "Never", "times": 3})
    codat.fault("GET", "/companies", "status", status=503, times=None)
    assert codat.call("GET", "/companies").status_code == 503
    assert codat.control("DELETE", "faults") == {"faults": []}
    assert codat.control("DELETE", "outcomes") == {"outcomes": []}
    assert codat.call("GET", "/companies").status_code == 200


def test_every_switch_is_in_the_readme_with_its_positions() -> None:
    readme = (SIMULATOR / "README.md").read_text()
    for name, field in Behaviour.model_fields.items():
        row = next((row for row in readme.splitlines() if row.startswith(f"| `{field.alias}` |")), "")
        listed = [position.strip() for position in row.split("|")[2].split(",")] if row else []
        shown = [
            str(position).lower() if isinstance(position, bool) else str(position)
            for position in positions(name, Behaviour)
        ]
        if name == "listed_after_seconds":
            shown = ["0", "or any number"]
        assert listed == shown, name


def test_every_switch_is_tried_by_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [field.alias for field in Behaviour.model_fields.values() if f'"{field.alias}"' not in tests] == []


def test_the_product_does_not_import_the_simulator() -> None:
    root = SIMULATOR.parents[1]
    for folder in ("layers", "functions", "cli"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom):
                    assert not (node.module or "").startswith("local.codat_simulator"), path


def test_the_simulator_does_not_import_the_product() -> None:
    for path in SIMULATOR.glob("*.py"):
        assert "feedlane." not in path.read_text(), path
