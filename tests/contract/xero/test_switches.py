"""Each switch of the simulator, at each of its positions: the main job, what differs, and what the manual says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel

from local.simulator.behaviour import Behaviour, positions
from tests.contract.xero.conftest import REDIRECT, Xero
from tests.contract.xero.switches import scenarios
from tests.contract.xero.switches.job import Job
from tests.contract.xero.switches.row import Row
from tests.contract.xero.switches.table import ROWS, markdown

MANUAL = Path(__file__).parents[3] / "docs" / "xero-unknowns.md"
by_name = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def at(xero: Xero, row: Row) -> Job:
    """A company whose Xero is at this position."""
    xero.control("PUT", "behaviour", {to_camel(row.switch): row.position})
    if row.position == "registered":
        xero.control("PUT", "app", {"redirectUris": [REDIRECT]})  # as the setup guide has the operator do
    return Job(xero)


def test_every_position_of_every_switch_has_one_row() -> None:
    every = [(name, position) for name in Behaviour.model_fields for position in positions(name)]
    assert sorted(map(str, every)) == sorted(str((row.switch, row.position)) for row in ROWS)


@by_name
def test_what_feedlane_does(xero: Xero, row: Row) -> None:
    job = at(xero, row)
    row.happens(job)
    assert job.did() == row.did


@by_name
def test_the_main_job(xero: Xero, row: Row) -> None:
    job = at(xero, row)
    scenarios.main_job(job)
    assert job.did() == row.main_job


def test_the_manual_has_the_same_table() -> None:
    expected = markdown()
    assert expected in MANUAL.read_text(), f"the tables in {MANUAL.name} should be:\n\n{expected}"
