"""A release that is impossible now: the operator reads why, without blaming Xero."""

from __future__ import annotations

import pytest

from feedlane.feeds import items as feed_items
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests import builders
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    """The account is disconnected, with two transactions waiting for it to be mapped again."""
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    connection = world.add_connection()
    feed = builders.feed(connection, feed_connection_id="", recorded_through=2)
    world.store.commit(feed_items.add_feed(feed))
    problem = Problem(type="source-account-disconnected", title="Disconnected", status=400)
    fields = {"reason": "source-account-disconnected", "problem": problem, "company_id": connection.company_id}
    world.add_hold(Scope.FEED, feed.id, **fields)
    return world


def test_a_release_that_cannot_be_done_says_why(world: World) -> None:
    form = {"hold": "hold-1", "confirmed": "yes", "formToken": world.form_token("/portal/holds")}
    location = world.browser.post("/portal/holds/release", form).location
    body = world.browser.get(location.removeprefix("https://feeds.example.com")).body
    assert "1 hold could not be released: an account is disconnected, or just changing." in body
    assert "What waited is being sent" not in body
    assert [hold.id for hold in hold_items.holds(world.store)] == ["hold-1"]
