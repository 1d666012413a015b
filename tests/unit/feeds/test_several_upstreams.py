"""A feed that has had several upstreams: from which line on, who has a line, and what a statement opens with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feedlane.companies.connection import CODAT_ACCESS, UpstreamName
from feedlane.feeds.feed import Closing, Destination, Feed
from feedlane.feeds.push_operation import PushStatus
from feedlane.mapping import mapping, unmapping
from tests import builders
from tests.rights import acting_as
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, XERO, World


def changed(feed: Feed, *turns: tuple[UpstreamName, int]) -> list[tuple[str, int]]:
    """The spans after these changes, each with the number of lines delivered by then."""
    for upstream, delivered in turns:
        feed = feed.but(delivered_through=delivered).continued_through(upstream)
    return [(span.upstream.value, span.first) for span in feed.spans]


def test_each_change_is_noted_with_its_first_line() -> None:
    feed = builders.feed(recorded_through=50)
    assert changed(feed) == []
    assert changed(feed, (XERO, 3)) == []
    assert changed(feed, (CODAT, 3), (XERO, 10)) == [("xero", 1), ("codat", 4), ("xero", 11)]


def test_an_upstream_that_got_no_line_is_not_noted() -> None:
    feed = builders.feed(recorded_through=50)
    assert changed(feed, (CODAT, 3), (XERO, 3)) == [("xero", 1)]
    assert changed(feed, (CODAT, 0)) == [("codat", 1)]
    assert changed(feed.but(token_set_id=CODAT_ACCESS), (XERO, 0), (CODAT, 0), (XERO, 5)) == [("codat", 1), ("xero", 6)]


def fed(upstream: UpstreamName, feed_connection: str, account: str, name: str = "") -> Destination:
    return Destination(
        feed_connection_id=feed_connection, account_id=account, account_name=name, upstream=upstream
    )  # fmt: skip


@pytest.mark.parametrize(
    ("former", "present", "is_elsewhere"),
    [
        (("a-1", "Current"), ("a-1", "Renamed"), False),
        (("c-1", "Current"), ("a-1", "Current"), False),
        (("c-1", "Current"), ("a-1", "Savings"), True),
        (("c-1", ""), ("a-1", "Savings"), False),
        (("", ""), ("a-1", "Savings"), False),
    ],
)
def test_two_upstreams_may_name_an_account_differently(
    former: tuple[str, str], present: tuple[str, str], is_elsewhere: bool
) -> None:
    """Only what is surely another account is said to have the line."""
    feed = builders.feed().sent_to(fed(CODAT, "k/main", *former)).but(delivered_through=2)
    feed = feed.sent_to(fed(XERO, "fc-1", *present))
    assert (feed.elsewhere(2) is not None) is is_elsewhere
    assert feed.elsewhere(3) is None


def test_computed_balances_go_on_at_the_same_account() -> None:
    feed = builders.feed().sent_to(fed(CODAT, "k/main", "a-1")).but(delivered_through=2)
    feed = feed.but(closing=Closing(feed_connection_id="k/main", balance=Decimal(70)), feed_connection_id="fc-1")
    assert feed.sent_to(fed(XERO, "fc-1", "a-1")).closing_balance == 70
    assert feed.sent_to(fed(XERO, "fc-1", "a-2", "Savings")).closing_balance is None
    assert feed.sent_to(fed(CODAT, "fc-1", "a-1")).closing_balance is None, "a new feed connection begins anew"


def test_back_at_codat_lines_are_not_counted_to_the_time_before() -> None:
    """There, the feed connection has the id that it had."""
    feed = builders.feed(feed_connection_id="k/main").sent_to(fed(CODAT, "k/main", "a-1")).but(delivered_through=2)
    feed = feed.sent_to(fed(XERO, "fc-1", "b-1", "Other")).but(delivered_through=4)
    feed = feed.sent_to(fed(CODAT, "k/main", "a-1", "Current")).delivered_by("k/main", 6).but(delivered_through=6)
    named = [(feed.elsewhere(number) or fed(CODAT, "", "")).account_id for number in range(1, 7)]
    assert named == ["", "", "b-1", "b-1", "", ""]


def test_another_account_under_codats_same_id_is_another() -> None:
    """Codat knows a feed connection by the source account, whatever that is mapped to."""
    world = World(CODAT)
    world.consent()
    with acting_as():
        first, second, *_ = world.upstream.target_accounts(mapping.access_to(world.current()))
    world.map_accounts(first.id)
    world.run()
    world.push(transactions(2))
    world.run()
    with acting_as("public_api"):
        unmapping.unmap(world.ports, world.upstream, world.now, world.current(), world.account())
    world.map_accounts(second.id)
    world.run()
    again = world.push(transactions(3))
    world.run()
    ended = world.operation(again.key)
    assert ended.status is PushStatus.SUCCESS
    assert [warning.validator for warning in ended.warnings] == ["DeliveredElsewhere"] * 2
    assert world.arrived == ["t1", "t2", "t3"]
