"""Codat's refusals from the answer to the hold, its end, and the lines that waited."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.codat_upstream.problems import CODAT_MEANINGS
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, StatementStatus
from feedlane.holds import items as hold_items
from feedlane.scope import Scope
from tests.hold_actions import lift_all
from tests.unit.codat_upstream.codat_server import (
    ACCESS,
    CORRELATION,
    REQUEST,
    always,
    bank_feeds,
    envelope,
    operation,
    routed,
)
from tests.worlds.feeds import World, transactions

PUSH = ("POST", "/bankTransactions")
NOT_LINKED = {PUSH: (400, envelope(400, "Not linked")), ("GET", "/c0nnection"): {"status": "Deauthorized"}}
UNKNOWN = {PUSH: (404, envelope(404, "Not found")), ("GET", "/c0nnection"): (500, {})}
REFUSED = {PUSH: (403, envelope(403, "Forbidden")), ("GET", "/companies"): {"results": []}, ("GET", ""): (500, {})}
NO_FEEDS = "The organisation does not support automated bank feeds."

AT_ONCE = [
    (always(401, envelope(401, "Unauthorized")), Scope.APP, "codat-key-rejected", 401),
    (always(402, envelope(402, "Limit")), Scope.APP, "codat-limit-reached", 402),
    (always(403, envelope(403, "Forbidden")), Scope.APP, "codat-key-rejected", 403),
    (routed(REFUSED), Scope.TENANT, "codat-access-refused", 403),
    (always(403, envelope(403, NO_FEEDS)), Scope.TENANT, "organisation-without-bank-feeds", 403),
    (always(422, envelope(422, "Another request")), Scope.FEED, "codat-key-reused", 422),
    (routed(UNKNOWN), Scope.CONNECTION, "codat-connection-not-found", 404),
    (routed(NOT_LINKED), Scope.CONNECTION, "reconnection-needed", 401),
]
LATER = [
    ({"errorMessage": f"Message: {NO_FEEDS}", "statusCode": 403}, Scope.TENANT, "organisation-without-bank-feeds"),
    ({"errorMessage": "Something else", "statusCode": 409}, Scope.FEED, "refused"),
    ({"status": "TimedOut"}, Scope.FEED, "push-timed-out"),
]


def released(world: World) -> None:
    lift_all(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []


@pytest.mark.parametrize(("server", "scope", "reason", "status"), AT_ONCE)
def test_a_refused_push_holds_what_it_is_about(server: Any, scope: Scope, reason: str, status: int) -> None:
    world = World()
    world.upstream.answers = [bank_feeds(server).post_statement(ACCESS, REQUEST, "key")]
    pushed = world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    assert (hold.scope, hold.reason, hold.problem.status) == (scope, reason, status)
    assert CORRELATION in hold.problem.answer
    [event] = world.events("bankFeeds.held")
    assert event.payload["problem"]["answer"] == hold.problem.answer
    assert world.operation(pushed.key).status is PushStatus.FAILED
    if scope is not Scope.CONNECTION:  # only the customer ends that
        released(world)


def test_a_push_that_conflicts_with_the_end_of_its_feed_is_held_and_stays_in_doubt() -> None:
    """Perhaps the push itself was in progress: it is looked for before its lines go again."""
    ended = {
        PUSH: (409, envelope(409, "Not connected")),
        ("GET", "/c0nnection"): {"status": "Linked"},
        ("GET", "/mapping"): [],
    }
    world = World()
    world.upstream.answers = [bank_feeds(routed(ended)).post_statement(ACCESS, REQUEST, "key")]
    pushed = world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    assert (hold.scope, hold.reason) == (Scope.FEED, "feed-connection-gone")
    assert world.operation(pushed.key).status is PushStatus.FAILED
    flight = world.feed().flight
    assert flight is not None
    assert flight.status is FlightStatus.POSTING, "nobody knows yet that it was not taken"


@pytest.mark.parametrize(("fields", "scope", "reason"), LATER)
def test_a_failed_push_holds_what_it_is_about(fields: dict[str, Any], scope: Scope, reason: str) -> None:
    world = World()
    feeds = bank_feeds(always(200, operation(**{"status": "Failed"} | fields)))
    ended = feeds.statement_status(ACCESS, "op-1")
    assert isinstance(ended, Accepted)
    world.upstream.refusal_for_rejection = feeds.refusal_for_rejection
    world.upstream.answers = [ended.but(status=StatementStatus.PENDING, problems=())]
    world.upstream.statuses["op-1"] = ended
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    assert (hold.scope, hold.reason) == (scope, reason)
    assert '"op-1"' in hold.problem.answer
    released(world)


def test_every_reason_of_codats_is_tried_here() -> None:
    tried = {reason for *_, reason, _ in AT_ONCE} | {reason for *_, reason in LATER}
    of_lines = {"invalid-data"}
    assert {meaning.reason for meaning in CODAT_MEANINGS.values()} - of_lines <= tried
