"""Holes of a feed through the API: listed, filled by a backfill, given up. And a feed's own choice of balances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from cli import feeds
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.ids import feed_id
from tests import builders
from tests.unit.api.conftest import Call
from tests.unit.api.test_feeds_and_holds import connect_account
from tests.worlds.api import World

Ids = dict[str, str]


def add_hole(world: World, ids: Ids, number: int) -> str:
    """A refused push of one transaction. Returns the key of its operation."""
    feed = feed_items.find_feed(world.store, feed_id(ids["connection_id"], "a/b"))
    assert feed
    on = world.now + timedelta(seconds=number)
    operation = PushOperation(
        key=builders.numbered_id(number), account_id="a/b", door=Door.QUEUE, requested_on=on, transactions=1, **ids
    ).failed(on, "The push was not recorded.")
    hole = Hole(
        operation_key=operation.key,
        company_id=ids["company_id"],
        requested_on=on,
        transactions=1,
        unread=0,
        missing=1,
        next_missing=f"t{number}",
        first_date="2026-05-01",
        last_date="2026-05-01",
        error="The push was not recorded.",
    )
    world.store.commit(
        feed_items.put_feed(feed.but(holes=feed.holes + 1)),
        push_operation_items.put_operation(operation),
        hole_items.add_hole(feed.id, hole),
    )
    return operation.key


def test_holes_are_listed_with_what_is_missing_the_oldest_first(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    keys = [add_hole(world, ids, number) for number in (7, 3, 5)]
    path = f"/holes/{ids['connection_id']}/a%2Fb"
    first = call("GET", f"{path}?pageSize=2").body
    assert [hole["pushOperationKey"] for hole in first["results"]] == [keys[1], keys[2]]
    second = call("GET", first["_links"]["next"]["href"]).body
    assert [hole["pushOperationKey"] for hole in second["results"]] == [keys[0]]
    assert second["results"][0] | {"requestedOn": ""} == {
        "pushOperationKey": keys[0], "requestedOn": "", "transactions": 1, "missing": 1, "unread": 0,
        "nextMissing": "t7", "firstDate": "2026-05-01", "lastDate": "2026-05-01",
        "errorMessage": "The push was not recorded.",
    }  # fmt: skip
    assert call("GET", f"/feeds/{ids['connection_id']}/a%2Fb").body["holes"] == 3
    assert len(call("GET", "/feeds?query=holes>0").body["results"]) == 1


def test_lists_that_are_followed_by_their_links_have_no_page_and_no_order(call: Call, ids: Ids) -> None:
    connect_account(call, ids)
    account = f"{ids['connection_id']}/a%2Fb"
    for path in ("/feeds", "/holds", f"/holes/{account}", f"/setAside/{account}"):
        assert call("GET", f"{path}?page=1&orderBy=").status == 200
        assert call("GET", f"{path}?page=2").invalid_fields == ["page"]
        assert call("GET", f"{path}?orderBy=id").invalid_fields == ["orderBy"]


def test_the_command_that_lists_feeds_shows_their_holes(
    monkeypatch: pytest.MonkeyPatch, call: Call, ids: Ids, world: World
) -> None:
    connect_account(call, ids)
    add_hole(world, ids, 1)
    monkeypatch.setattr("cli.http_api.HttpApi.ask", lambda self, method, path: call(method, path).body)
    result = CliRunner().invoke(feeds.group, ["list", "--api-url", "http://api.test", "--api-key", "k"])
    assert result.output == f"{ids['connection_id']}/a/b  0  0  0  -  1 hole\n"


def test_a_hole_is_given_up(call: Call, ids: Ids, world: World) -> None:
    connect_account(call, ids)
    key = add_hole(world, ids, 1)
    path = f"/holes/{ids['connection_id']}/a%2Fb/{key}/close"
    assert call("POST", path).body["holes"] == 0
    assert call("POST", path).status == 404
    assert call("GET", f"/holes/{ids['connection_id']}/a%2Fb").body["results"] == []


def test_a_backfill_names_the_push_that_it_mends(call: Call, ids: Ids, world: World) -> None:
    connection_path = connect_account(call, ids)
    key = add_hole(world, ids, 1)
    body = {"transactions": [{"id": "t1", "date": "2026-05-01", "amount": 5, "balance": 5}]}
    push = f"{connection_path}/push/bankAccounts/a%2Fb/bankTransactions"
    for wrong in ("nothing", builders.numbered_id(9)):
        answer = call("POST", f"{push}?backfill={wrong}", body)
        assert answer.status == 400
        assert "no refused push" in answer.body["error"]
    assert call("POST", f"{push}/validate?backfill={key}", body).body["valid"]
    assert call("POST", f"{push}?backfill={key}", body).body["backfill"] == key


@pytest.mark.parametrize("choice", [True, False, None])
def test_a_feed_chooses_its_balances(call: Call, ids: Ids, choice: Any) -> None:
    connect_account(call, ids)
    path = f"/feeds/{ids['connection_id']}/a%2Fb"
    assert call("GET", path).body["syntheticBalances"] is None
    assert call("PATCH", path, {"syntheticBalances": True}).body["syntheticBalances"] is True
    assert call("PATCH", path, {"syntheticBalances": choice}).body["syntheticBalances"] is choice
    assert call("PATCH", path, {}).body["syntheticBalances"] is choice
    assert call("GET", path).body["syntheticBalances"] is choice
    wrong = call("PATCH", path, {"syntheticBalances": "yes"})
    assert (wrong.status, wrong.body["error"]) == (400, "syntheticBalances: must be true or false")
    assert call("PATCH", path, {"syntheticBalance": True}).invalid_fields == ["syntheticBalance"]
