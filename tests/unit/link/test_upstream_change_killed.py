"""A change of the upstream that is killed at any moment, or meets anything else: no line is lost or doubled."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial

import httpx
import pytest

from feedlane.companies.connection import ChangeState, UpstreamName
from feedlane.errors import FeedlaneError
from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import NoAnswer, TryLater
from feedlane.scope import Scope
from tests.interruptions import Crashed, crash_at, crashes_everywhere
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, XERO, World

BOTH = pytest.mark.parametrize(("start", "to"), [(XERO, CODAT), (CODAT, XERO)])
SEEDS = range(40)


def prepared(start: UpstreamName, steps: int = 1) -> World:
    """Three lines are delivered; two are on their way, and have come that far in so many steps."""
    world = World(start).ready()
    world.push(transactions(3))
    world.run()
    world.push(transactions(2, start=4, opening=30))
    for _ in range(steps):
        world.step()
    return world


def finish(world: World, to: UpstreamName) -> None:
    """The customer comes back; then all that was pushed is delivered."""
    if world.current().upstream is not to:
        world.change(to)
        world.watch()
    change = world.current().change
    assert change is not None
    assert change.state is ChangeState.AWAITING_CONSENT
    world.push(transactions(2, start=6, opening=50))
    world.consent()
    world.map_accounts()
    world.watch()


def require_each_line_once(world: World, count: int) -> None:
    """In the order of the ledger at each of them, and where the feed's head says."""
    feed = world.feed()
    assert (feed.recorded_through, feed.waiting, feed.changing) == (count, 0, False)
    spans = feed.spans
    by_upstream: dict[UpstreamName, list[str]] = {XERO: [], CODAT: []}
    for number, line in enumerate(feed_items.read_lines(world.store, feed.id, 1, count), 1):
        through = next((span.upstream for span in reversed(spans) if span.first <= number), feed.upstream)
        by_upstream[through].append(line.id)
    assert (world.at_xero, world.arrived) == (by_upstream[XERO], by_upstream[CODAT])


@pytest.mark.parametrize("before", [0, 1, 2])
@BOTH
def test_killed_at_any_step_of_the_change_it_comes_to_its_end_by_itself(
    start: UpstreamName, to: UpstreamName, before: int
) -> None:
    def act(world: World) -> None:
        world.change(to)
        world.run()

    for world in crashes_everywhere(partial(prepared, start, before), act):
        world.queues.take("woken"), world.queues.take("follow_ups")
        world.watch()
        finish(world, to)
        require_each_line_once(world, 7)


@BOTH
def test_killed_at_any_step_of_the_link_and_the_mapping_it_comes_to_its_end(
    start: UpstreamName, to: UpstreamName
) -> None:
    def make() -> World:
        world = prepared(start)
        world.change(to)
        world.run()
        return world

    def act(world: World) -> None:
        world.consent()
        world.map_accounts()
        world.run()

    for world in crashes_everywhere(make, act):
        world.queues.take("woken"), world.queues.take("follow_ups")
        world.watch()
        if not world.current().is_linked:
            world.consent()
        world.map_accounts()
        world.watch()
        require_each_line_once(world, 5)


@BOTH
def test_killed_at_any_step_of_a_cancelled_change_the_feeds_go_on(start: UpstreamName, to: UpstreamName) -> None:
    def make() -> World:
        world = prepared(start)
        world.step()
        world.change(to)
        change = world.current().change
        assert change is not None
        assert change.state is ChangeState.STOPPING
        return world

    def act(world: World) -> None:
        world.change(start)
        world.run()

    for world in crashes_everywhere(make, act):
        world.queues.take("woken"), world.queues.take("follow_ups")
        world.watch()
        if world.current().upstream is to:  # it was killed before anything was written
            world.change(start)
            world.watch()
            world.consent()
            world.map_accounts()
            world.watch()
        else:
            assert world.current().change is None
        require_each_line_once(world, 5)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_at_whatever_moment_each_line_arrives_once(seed: int) -> None:
    chance, world = random.Random(seed), World(random.Random(seed).choice((XERO, CODAT))).ready()
    pushed, operations = 0, []
    for _ in range(60):
        act = chance.choice(("push", "step", "step", "step", "change", "lose", "later", "crash", "return", "watch"))
        restore = crash_at(world, chance.randint(1, 12)) if act == "crash" else lambda: None
        with suppress(FeedlaneError, Crashed):
            match act:
                case "push":
                    count = chance.randint(1, 3)
                    operations.append(world.push(transactions(count, start=1 + pushed, opening=10.0 * pushed)))
                    pushed += count
                case "change":
                    world.change(chance.choice((XERO, CODAT)))
                case "lose":
                    lose_one(world)
                case "later":
                    world.direct.answers.append(TryLater(scope=Scope.TENANT, seconds=30, reason="minute"))
                case "return":
                    come_back(world)
                case "watch":
                    world.watch(1)
                case _:
                    world.step()
        restore()
    for _ in range(4):
        world.watch()
        come_back(world)
    world.watch()
    require_each_line_once(world, pushed)
    assert {world.operation(operation.key).status for operation in operations} <= {PushStatus.SUCCESS}


def lose_one(world: World) -> None:
    """The answer to the next post gets lost, wherever it goes."""
    world.direct.lost.append(NoAnswer(reason="timeout"))
    left = [1]

    def lose(request: httpx.Request) -> bool:
        is_lost = bool(left) and request.method == "POST" and "/push/" in request.url.path
        if is_lost:
            left.clear()
        return is_lost

    world.wire.lose = lose


def come_back(world: World) -> None:
    connection = world.current()
    if connection.is_stopping:
        return
    if not connection.is_linked:
        world.consent()
    world.map_accounts()
