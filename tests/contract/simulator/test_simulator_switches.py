"""The record of switches: each is documented, can be set, and has a test of both positions."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from local import simulator
from local.simulator.behaviour import Behaviour, positions
from local.simulator.state import NEW_APP_CONNECTIONS_MAX, Simulator
from tests.contract.simulator.driver import Xero

SWITCHES = list(Behaviour.model_fields)


def test_a_fresh_simulator_has_every_switch_in_its_default_position(xero: Xero) -> None:
    assert xero.control("GET", "behaviour") == Behaviour().model_dump(by_alias=True)
    listed = {one["name"]: one for one in xero.control("GET", "behaviour/switches")["switches"]}
    assert set(listed) == set(xero.control("GET", "behaviour"))
    assert listed["missingScope"]["positions"] == [403, 401]


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_says_what_is_unknown_and_takes_each_of_its_positions(xero: Xero, name: str) -> None:
    alias = str(Behaviour.model_fields[name].alias)
    about = Behaviour.model_fields[name].description or ""
    assert about.endswith(".")
    assert "\n" not in about
    for position in reversed(positions(name)):
        xero.switch(alias, position)
        assert xero.control("GET", "behaviour")[alias] == position
        assert getattr(xero.state.behaviour, name) == position


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_is_tested_by_name(name: str) -> None:
    texts = [file.read_text() for file in Path(__file__).parent.glob("test_simulator_*.py") if file != Path(__file__)]
    alias = Behaviour.model_fields[name].alias
    assert any(f'"{alias}"' in text for text in texts), f"no test turns {alias}"


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("refreshEndsAccessToken", "no"),
        ("firstPage", 2),
        ("listedAfterSeconds", -1),
        ("today", "Mars/Olympus"),
        ("missingScope", "401"),
    ],
)
def test_no_switch_takes_anything_else(xero: Xero, name: str, position: Any) -> None:
    before = xero.control("GET", "behaviour")
    assert xero.control("PUT", "behaviour", {"ids": "opaque", name: position}, expect=400)["field"] == name
    assert xero.control("GET", "behaviour") == before


def test_in_the_same_process_a_switch_is_an_attribute_that_checks_its_value() -> None:
    sim = Simulator()
    sim.behaviour.first_page = 0
    with pytest.raises(ValidationError):
        sim.behaviour.first_page = 7  # type: ignore[assignment]
    sim.reset()
    assert sim.behaviour == Behaviour()


def test_a_new_app_starts_with_the_low_limit_and_only_registered_redirect_uris() -> None:
    sim = Simulator(new_app=True, redirect_uris=("https://feedlane.example/oauth/callback",))
    for _ in range(2):
        assert (sim.app.connection_limit, sim.behaviour.redirects) == (NEW_APP_CONNECTIONS_MAX, "registered")
        assert sim.app.redirect_uris == ["https://feedlane.example/oauth/callback"]
        sim.app.connection_limit = None
        sim.reset()


@pytest.mark.parametrize("name", SWITCHES)
def test_the_readme_lists_every_switch_with_its_positions(name: str) -> None:
    readme = (Path(simulator.__file__).parent / "README.md").read_text()
    names = [str(position).lower() if position is False else str(position) for position in positions(name)]
    listed = "0, or any number" if name == "listed_after_seconds" else ", ".join(names).replace("True", "true")
    assert f"| `{Behaviour.model_fields[name].alias}` | {listed} |" in readme
