"""Ending connections: the limit's count, the organisation's list, and what others still use."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.table import Put
from tests.unit.api.conftest import Answer, Call
from tests.worlds.api import World

Ids = dict[str, str]
GONE = Problem(type="connection-removed", title="Gone", status=403)


def end_connection(call: Call, ids: Ids, method: str) -> Answer:
    """Unlinks the connection with PATCH, or deletes it with DELETE."""
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
    return call(method, path, {"status": "Unlinked"} if method == "PATCH" else None)


def count_as_linked(world: World, connection_id: str) -> None:
    pk, sk = keys.tenant_connection("tenant-1", connection_id)
    count = {"pk": keys.LINKED_COUNT[0], "sk": keys.LINKED_COUNT[1], "count": 3, "mark": "x"}
    world.store.commit(Put({"pk": pk, "sk": sk}), Put(count))


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_connection_that_ends_frees_its_place_under_the_limit(
    call: Call, ids: Ids, world: World, method: str
) -> None:
    count_as_linked(world, ids["connection_id"])
    assert end_connection(call, ids, method).status == 200
    assert world.table.get(keys.LINKED_COUNT)["count"] == 2
    assert world.table.get(keys.tenant_connection("tenant-1", ids["connection_id"])) is None


def test_xeros_connection_stays_while_another_of_ours_uses_it(call: Call, ids: Ids, world: World) -> None:
    count_as_linked(world, "another")
    assert end_connection(call, ids, "PATCH").body["status"] == "Unlinked"
    assert world.upstream.disconnected == []


@pytest.mark.parametrize("error", [ReconnectionNeeded(GONE), Refused(GONE)])
def test_who_is_no_longer_let_in_can_be_unlinked_all_the_same(
    call: Call, ids: Ids, world: World, error: Exception
) -> None:
    world.upstream.problem = error
    assert end_connection(call, ids, "PATCH").status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_nothing_changes_while_xero_is_out_of_reach(call: Call, ids: Ids, world: World, method: str) -> None:
    world.upstream.problem = Unavailable("Xero did not answer", 3)
    answer = end_connection(call, ids, method)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
    assert company_items.connection(world.store, **ids).status is ConnectionStatus.LINKED


def test_unlinking_twice_is_no_error_and_tells_once(call: Call, ids: Ids, world: World) -> None:
    assert [end_connection(call, ids, "PATCH").status for _ in range(2)] == [200, 200]
    assert world.event_types.count("connection.disconnected") == 1


def test_the_hold_of_a_deleted_connection_goes_with_it(call: Call, ids: Ids, world: World) -> None:
    world.add_hold(Scope.CONNECTION, ids["connection_id"], reason="no-access", problem=GONE, **ids)
    assert end_connection(call, ids, "DELETE").status == 200
    assert hold_items.holds(world.store) == []


@pytest.mark.parametrize("body", [{"status": "Linked"}, {"platformKey": "x"}, {}])
def test_a_status_can_only_be_unlinked(call: Call, ids: Ids, body: dict[str, str]) -> None:
    path = f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"
    assert call("PATCH", path, body).status == 400


def test_only_xero_can_be_connected(call: Call, ids: Ids) -> None:
    refused = call("POST", f"/companies/{ids['company_id']}/connections", {"platformKey": "hcws"})
    assert (refused.status, refused.body["validation"]["errors"][0]["itemId"]) == (400, "platformKey")
