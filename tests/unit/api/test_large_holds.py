"""A hold on more feeds than one request can process: its figures and its release show how far they are."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from cli import holds
from feedlane.feeds import pages
from feedlane.holds import items as hold_items
from tests.unit.api.conftest import Call
from tests.unit.api.test_feeds_and_holds import PROBLEM, connect_account, hold_waiting_feed
from tests.worlds.api import World

Ids = dict[str, str]


@pytest.fixture
def held(call: Call, ids: Ids, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold on the app, with two connections and one connection per page."""
    connect_account(call, ids)
    hold_waiting_feed(world, ids)
    world.store.commit(*hold_items.remove_holds([hold_items.holds(world.store)[0]]))
    other = call("POST", f"/companies/{ids['company_id']}/connections", {"platformKey": "gbol"})
    assert other.status == 200
    world.add_hold(problem=PROBLEM)
    monkeypatch.setattr(pages, "CONNECTIONS_PER_PAGE_MAX", 1)


@pytest.mark.usefixtures("held")
def test_what_is_counted_in_part_says_so(call: Call) -> None:
    [hold] = call("GET", "/holds").body["results"]
    assert hold["moreWaiting"] is True
    [feed] = call("GET", "/feeds").body["results"]
    assert feed["hold"]["moreWaiting"] is True


@pytest.mark.usefixtures("held")
def test_a_release_in_pages_stands_as_being_released(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("POST", "/holds/hold-1/release").status == 200
    [hold] = call("GET", "/holds").body["results"]
    assert hold["releasing"] is True

    def ask(self: object, method: str, path: str, *rest: Any) -> Any:
        return call(method, path).body

    monkeypatch.setattr("cli.http_api.HttpApi.ask", ask)
    result = CliRunner().invoke(holds.group, ["list", "--api-url", "http://api.test", "--api-key", "k"])
    assert " or more  " in result.output
    assert result.output.rstrip().endswith("being released")


def test_a_hold_that_is_counted_in_full_says_nothing_of_it(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    hold_waiting_feed(world, ids)
    [hold] = call("GET", "/holds").body["results"]
    assert (hold["waiting"], "moreWaiting" in hold, "releasing" in hold) == (3, False, False)
