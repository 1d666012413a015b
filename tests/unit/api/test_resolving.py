"""`POST /feeds/…/statements/{number}/resolve` and its command: an operator resolves one statement."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from cli import feeds
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Flight, FlightStatus
from feedlane.ids import feed_id
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from tests.unit.api.conftest import Call
from tests.unit.api.test_feeds_and_holds import connect_account
from tests.worlds.api import World

Ids = dict[str, str]
MISSPELT = {"outcome": "notDelivered", "setaside": ["t1"]}


@pytest.fixture
def path(call: Call, ids: Ids, world: World) -> str:
    """An account whose first statement, of two transactions, is stuck at Xero."""
    connect_account(call, ids)
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "a/b"))
    assert feed
    flight = Flight(number=1, first=1, last=2, status=FlightStatus.PENDING)
    statement = StatementRecord(
        feed_id=feed.id, number=1, first=1, last=2, state=StatementState.PENDING, upstream_id="s-1",
        start_date="2026-05-01", end_date="2026-05-01", created=world.now, posted_on=world.now, stuck=True,
    )  # fmt: skip
    feed = feed.but(recorded_through=2, statements=1, flight=flight)
    world.store.commit(feed_items.put_feed(feed), *statement_items.add_statement(statement, b"{}"))
    return f"/feeds/{ids['connection_id']}/a%2Fb"


def test_delivered_moves_the_feed_on(call: Call, path: str) -> None:
    answer = call("POST", f"{path}/statements/1/resolve", {"outcome": "delivered"})
    assert answer.status == 200
    assert (answer.body["delivered"], answer.body["waiting"], answer.body["inFlight"]) == (2, 0, None)
    assert (answer.body["lastStatement"]["status"], answer.body["lastStatement"]["resolvedAs"]) == (
        "DELIVERED", "delivered",
    )  # fmt: skip
    repeated = call("POST", f"{path}/statements/1/resolve", {"outcome": "delivered"})
    assert repeated.status == 409


def test_not_delivered_is_sent_again(call: Call, path: str) -> None:
    answer = call("POST", f"{path}/statements/1/resolve", {"outcome": "notDelivered"})
    assert answer.status == 200
    assert (answer.body["delivered"], answer.body["inFlight"]["status"]) == (0, "POSTING")


@pytest.mark.parametrize("body", [None, {}, {"outcome": "Delivered"}, {"outcome": ""}, {"outcome": 1}, MISSPELT])
def test_anything_but_the_two_words_changes_nothing(call: Call, path: str, body: Any) -> None:
    assert call("POST", f"{path}/statements/1/resolve", body).status == 400
    assert call("GET", path).body["inFlight"]["status"] == "PENDING"


@pytest.mark.parametrize("number", ["2", "x", "-1", "1" * 13])
def test_a_statement_that_is_not_there_is_not_found(call: Call, path: str, number: str) -> None:
    assert call("POST", f"{path}/statements/{number}/resolve", {"outcome": "delivered"}).status == 404


@pytest.mark.parametrize(("word", "outcome"), [("delivered", "delivered"), ("not-delivered", "notDelivered")])
def test_the_command_asks_for_what_its_words_say(
    monkeypatch: pytest.MonkeyPatch, call: Call, path: str, ids: Ids, word: str, outcome: str
) -> None:
    calls: list[tuple[str, str, Any]] = []

    def ask(self: object, method: str, path: str, body: Any = None) -> Any:
        calls.append((method, path, body))
        return call(method, path, body).body

    monkeypatch.setattr("cli.http_api.HttpApi.ask", ask)
    arguments = ["resolve", f"{ids['connection_id']}/a/b", "1", "--outcome", word]
    options = ["--api-url", "http://api.test", "--api-key", "k"]
    result = CliRunner().invoke(feeds.group, arguments + options)
    assert result.exit_code == 0, result.output
    assert calls == [("POST", f"{path}/statements/1/resolve", {"outcome": outcome})]
    assert f"{ids['connection_id']}/a/b  2  " in result.output


def test_the_command_needs_the_outcome_in_words() -> None:
    arguments = ["resolve", "k/a", "1", "--api-url", "http://api.test", "--api-key", "k"]
    assert CliRunner().invoke(feeds.group, arguments).exit_code == 2
