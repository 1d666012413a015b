"""`python -m cli holes`: what it asks the API for, and what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import http_api
from cli.__main__ import cli

PUSH = "0d5a47a5-6a5c-4a36-9f55-0b63a3a3a001"
HOLE = {
    "pushOperationKey": PUSH,
    "requestedOn": "2026-03-02T09:00:00Z",
    "transactions": 1000,
    "missing": 985,
    "unread": 15,
    "nextMissing": "t-1",
    "firstDate": "2025-12-01",
    "lastDate": "2026-02-09",
    "errorMessage": "transactions[3].amount: must be a number",
}
UNREAD = HOLE | {"missing": 0, "unread": 1, "transactions": 1, "firstDate": None, "lastDate": None}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def linked(self: Any, path: str, **parameters: str) -> Iterator[dict[str, Any]]:
        calls.append(("GET", path))
        yield from (HOLE, UNREAD)

    def ask(self: Any, method: str, path: str, body: Any = None) -> Any:
        calls.append((method, path))
        return {"id": "conn/acc 1", "holes": 1}

    monkeypatch.setattr(http_api.HttpApi, "linked", linked)
    monkeypatch.setattr(http_api.HttpApi, "ask", ask)
    return calls


def run(*arguments: str) -> Result:
    options = ["--api-url", "https://feeds.example.com", "--api-key", "fl_key"]
    return CliRunner().invoke(cli, ["holes", *arguments, *options])


def test_they_are_listed_with_what_is_missing(asked: list[Any]) -> None:
    lines = run("list", "conn/acc 1").output.splitlines()
    assert asked == [("GET", "/holes/conn/acc%201")]
    assert "985 of 1000 missing, 15 could not be read  2025-12-01 to 2026-02-09  transactions[3].amount" in lines[0]
    assert "0 of 1 missing, 1 could not be read  -  " in lines[1]


def test_one_is_given_up(asked: list[Any]) -> None:
    assert run("close", "conn/acc 1", PUSH).output == "conn/acc 1  holes left: 1\n"
    assert asked == [("POST", f"/holes/conn/acc%201/{PUSH}/close")]


def test_a_feed_id_has_two_parts(asked: list[Any]) -> None:
    result = run("list", "conn")
    assert result.exit_code != 0
    assert "CONNECTION/ACCOUNT" in result.output
    assert asked == []
