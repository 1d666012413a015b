"""Somebody deletes at Codat what a connection is there: its customer comes back, and what has waited goes on."""

from __future__ import annotations

from feedlane.feeds.push_operation import PushStatus
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, World


def test_a_connection_that_was_made_anew_in_its_company_feeds_its_accounts_again() -> None:
    world = World(CODAT).ready()
    first = world.push(transactions(2))
    world.run()
    hosted = world.current().hosted
    assert hosted is not None
    path = f"/companies/{hosted.company_id}/connections/{hosted.connection_id}"
    assert world.client.call(hosted.company_id, "DELETE", path).is_success
    waiting = world.push(transactions(2, start=3, opening=20))
    world.run()
    assert world.current().needs_reconnection
    world.consent()
    world.run()
    assert not world.current().needs_reconnection
    world.map_accounts()
    world.run()
    later = world.push(transactions(1, start=5, opening=40))
    world.run()
    statuses = [world.operation(operation.key).status for operation in (first, waiting, later)]
    assert statuses == [PushStatus.SUCCESS, PushStatus.FAILED, PushStatus.SUCCESS]
    assert world.arrived == ["t1", "t2", "t3", "t4", "t5"]
