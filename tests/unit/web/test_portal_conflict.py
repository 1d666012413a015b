"""A release that cannot be done now: the operator reads why, and not that Xero is at fault."""

from __future__ import annotations

import pytest

from feedlane.feed import Feed, feed_id
from feedlane.hold import Hold, Scope
from feedlane.problem import Problem
from feedlane.store import ledger
from tests.builders import NOW
from tests.worlds.web import API_KEY, World


@pytest.fixture
def world() -> World:
    """The account is disconnected, and two transactions wait for it to be mapped again."""
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    connection = world.add_connection()
    feed = Feed(
        id=feed_id(connection.id, "main"),
        company_id=connection.company_id,
        connection_id=connection.id,
        account_id="main",
        tenant_id="tenant-acme",
        token_set_id="token-set-1",
        feed_connection_id="",
        currency="GBP",
        created=NOW,
        recorded_through=2,
    )
    hold = Hold(
        id="hold-1",
        scope=Scope.FEED,
        subject=feed.id,
        reason="source-account-disconnected",
        problem=Problem(type="source-account-disconnected", title="Disconnected", status=400),
        since=NOW,
        company_id=connection.company_id,
    )
    world.store.commit(ledger.add_feed(feed), world.store.add_hold(hold))
    return world


def test_a_release_that_cannot_be_done_says_why_with_a_409(world: World) -> None:
    seen = world.browser.post("/portal/holds/hold-1/release", {"formToken": world.form_token("/portal")})
    assert seen.status == 409
    assert "The account is disconnected from Xero" in seen.body
    assert "Xero is not answering" not in seen.body
    assert [hold.id for hold in world.store.holds()] == ["hold-1"]
