"""`POST /setAside/…` and its command: any number of lines of a held feed, before the rest is released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import feeds
from feedlane.feeds import items as feed_items
from feedlane.feeds.line import Line
from feedlane.ids import feed_id
from feedlane.scope import Scope
from tests.unit.api.conftest import Call
from tests.unit.api.test_feeds_and_holds import PROBLEM, connect_account
from tests.worlds.api import World

Ids = dict[str, str]
LINES = 2500
OPTIONS = ["--api-url", "http://api.test", "--api-key", "k"]


@pytest.fixture
def path(call: Call, ids: Ids, world: World) -> str:
    """An account whose feed has 2,500 waiting lines, and is held."""
    connect_account(call, ids)
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "a/b"))
    assert feed
    world.add_hold(Scope.FEED, feed.id, tenant_id="tenant-1", reason="invalid-data", problem=PROBLEM, **ids)
    lines = [Line(f"t{number}", "2026-05-01", 1, number, "", "", "", "Credit") for number in range(1, LINES + 1)]  # type: ignore[arg-type]
    grown = feed.but(recorded_through=LINES, recorded_date="2026-05-01")
    world.store.commit(feed_items.put_feed(grown), *feed_items.add_lines(feed.id, 1, lines))
    return f"{ids['connection_id']}/a%2Fb"


def ids_from(first: int, last: int) -> list[str]:
    return [f"t{number}" for number in range(first, last + 1)]


def test_any_number_of_lines_is_set_aside_before_the_rest_is_released(call: Call, path: str) -> None:
    for first in (1, 1001):
        answer = call("POST", f"/setAside/{path}", {"setAside": ids_from(first, first + 999)})
        assert answer.status == 200
        assert answer.body["hold"]["reason"] == "invalid-data"
    assert (answer.body["setAside"], answer.body["waiting"]) == (2000, 500)
    repeated = call("POST", f"/setAside/{path}", {"setAside": ids_from(1990, 2010)})
    assert (repeated.body["setAside"], repeated.body["waiting"]) == (2010, 490)
    [operation] = call("POST", "/holds/hold-1/release").body["results"]
    assert operation["status"] == "Pending"
    assert call("GET", f"/feeds/{path}").body["waiting"] == 490


@pytest.mark.parametrize("body", [None, {}, {"setAside": []}, {"setAside": "t1"}, {"setAside": ["t1", "t9999"]}])
def test_what_cannot_be_set_aside_changes_nothing(call: Call, path: str, body: Any) -> None:
    assert call("POST", f"/setAside/{path}", body).status == 400
    assert call("POST", f"/setAside/{path}", {"setAside": ids_from(1, 1001)}).status == 400
    assert call("GET", f"/feeds/{path}").body["setAside"] == 0


@pytest.mark.parametrize("field", ["setaside", "setAsides", "transactions"])
def test_a_misspelt_field_is_named_and_releases_nothing(call: Call, path: str, field: str) -> None:
    for release in (f"/feeds/{path}/release", "/holds/hold-1/release"):
        answer = call("POST", release, {field: ["t1"]})
        assert (answer.status, answer.body["error"]) == (400, f"{field}: is not a field of this request")
        assert answer.invalid_fields == [field]
    assert call("GET", f"/feeds/{path}").body["hold"]["reason"] == "invalid-data"


@pytest.mark.parametrize(
    ("value", "rule"),
    [([], "setAside: must not be empty"), ("t1", "setAside: must be a list"), ([1], "setAside.0: must be a string")],
)
def test_a_wrong_list_is_told_of_in_the_words_of_json(call: Call, path: str, value: Any, rule: str) -> None:
    assert call("POST", f"/feeds/{path}/release", {"setAside": 1}).body["error"] == "setAside: must be a list"
    assert rule in call("POST", f"/setAside/{path}", {"setAside": value}).body["error"]


def test_nothing_is_set_aside_in_a_feed_that_is_not_held(call: Call, path: str) -> None:
    assert call("POST", "/holds/hold-1/release").status == 200
    assert call("POST", f"/setAside/{path}", {"setAside": ["t1"]}).status == 409


def test_the_command_takes_a_file_of_any_length(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Call, path: str, ids: Ids
) -> None:
    sent: list[int] = []

    def ask(self: object, method: str, path: str, body: Any = None) -> Any:
        sent.append(len(body["setAside"]))
        answer = call(method, path, body)
        assert answer.status == 200
        return answer.body

    monkeypatch.setattr("cli.http_api.HttpApi.ask", ask)
    file = tmp_path / "ids"
    file.write_text("\n".join(ids_from(2, 2400)) + "\n\n")
    arguments = ["set-aside", f"{ids['connection_id']}/a/b", "t1", "--file", str(file), *OPTIONS]
    result = CliRunner().invoke(feeds.group, arguments)
    assert result.exit_code == 0, result.output
    assert sent == [1000, 1000, 400]
    assert f"{ids['connection_id']}/a/b  2500  0  100  held: invalid-data" in result.output


def test_the_command_names_what_an_id_of_a_feed_looks_like() -> None:
    result = CliRunner().invoke(feeds.group, ["set-aside", "k", "t1", *OPTIONS])
    assert result.exit_code == 2
    assert "FEED_ID: It has two parts, CONNECTION/ACCOUNT" in result.output


def test_a_missing_key_is_named_with_its_variable() -> None:
    result = CliRunner().invoke(feeds.group, ["list", "--api-url", "http://api.test"])
    assert "FEEDLANE_API_KEY" in result.output


def test_the_command_needs_a_transaction() -> None:
    assert CliRunner().invoke(feeds.group, ["set-aside", "k/a", *OPTIONS]).exit_code == 2
