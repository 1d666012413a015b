"""A release that cannot be done now: the operator reads why, and not that Xero is at fault."""

from __future__ import annotations

import pytest

from feedlane.hold import Scope
from feedlane.problem import Problem
from feedlane.store import ledger
from tests import builders
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    """The account is disconnected, and two transactions wait for it to be mapped again."""
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    connection = world.add_connection()
    feed = builders.feed(connection, feed_connection_id="", recorded_through=2)
    world.store.commit(ledger.add_feed(feed))
    problem = Problem(type="source-account-disconnected", title="Disconnected", status=400)
    why = {"reason": "source-account-disconnected", "problem": problem, "company_id": connection.company_id}
    world.add_hold(Scope.FEED, feed.id, **why)
    return world


def test_a_release_that_cannot_be_done_says_why_with_a_409(world: World) -> None:
    seen = world.browser.post("/portal/holds/hold-1/release", {"formToken": world.form_token("/portal")})
    assert seen.status == 409
    assert "The account is disconnected from Xero" in seen.body
    assert "Xero is not answering" not in seen.body
    assert [hold.id for hold in world.store.holds()] == ["hold-1"]
