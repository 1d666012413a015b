"""Two who take a change of the upstream on at once: what one has given up, the other does not go on with."""

from __future__ import annotations

from contextlib import suppress

from feedlane.companies.connection import ChangeState, UpstreamName
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Conflict
from feedlane.feeds.push_operation import PushStatus
from feedlane.link import upstream_change
from feedlane.mapping import mapping, unmapping, upstream_ended
from feedlane.store import keys
from feedlane.store.table import ConditionFailed
from tests.interruptions import just_before
from tests.rights import acting_as
from tests.unit.link.test_upstream_change import BOTH, ids, lines_at, stopping
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import World


def feed_key(world: World) -> str:
    return repr(keys.feed(world.feed().id)[0])


def advance(world: World) -> None:
    """What the function does that is told to take the change on."""
    ids_ = (world.connection.company_id, world.connection.id)
    with acting_as("check_statements"), suppress(ConditionFailed, Conflict):
        upstream_change.advance(world.ports, world.upstream, world.disconnect, world.now, *ids_)


@BOTH
def test_who_is_late_stops_no_feed_of_a_change_that_was_cancelled(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    just_before(world, "commit", lambda: world.change(start) and None, feed_key(world))  # type: ignore[arg-type]
    world.change(to)
    assert world.current().change is None
    assert not world.feed().changing
    pushed = world.push(transactions(2))
    world.run()
    assert world.operation(pushed.key).status is PushStatus.SUCCESS


@BOTH
def test_who_is_late_lets_no_feed_go_of_the_change_that_follows(start: UpstreamName, to: UpstreamName) -> None:
    world = stopping(start, to)
    world.push(transactions(2, start=3, opening=20))

    def finish_and_begin_again() -> None:
        advance(world)
        world.change(to)

    just_before(world, "commit", finish_and_begin_again, feed_key(world))  # type: ignore[arg-type]
    with suppress(ConditionFailed):
        world.change(start)
    assert world.current().is_stopping
    assert world.feed().changing
    world.run()
    world.consent()
    world.map_accounts()
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == (ids(2), ids(2, 3))


@BOTH
def test_who_is_late_ends_no_mapping_of_the_next_upstream(start: UpstreamName, to: UpstreamName) -> None:
    world = World(start).ready()
    world.away = True
    world.change(to)
    world.away = False
    late = world.current()
    assert late.is_ending
    world.watch(1)
    world.consent()
    world.map_accounts()
    world.run()
    with suppress(ConditionFailed), acting_as("check_statements"):
        upstream_ended.end_mapping(world.ports, world.upstream, world.now, late, world.account(), to)
    assert world.account().status is SourceAccountStatus.CONNECTED
    pushed = world.push(transactions(2))
    world.run()
    assert world.operation(pushed.key).status is PushStatus.SUCCESS


@BOTH
def test_a_mapping_that_began_before_the_change_starts_no_feed_in_it(start: UpstreamName, to: UpstreamName) -> None:
    """Its statement would be followed, or sent again, at the next upstream."""
    world = World(start).ready()
    world.push(transactions(2))
    while world.queues.pushed:
        world.step()
    with acting_as("public_api"):
        unmapping.unmap(world.ports, world.upstream, world.now, world.current(), world.account())
    world.queues.woken.clear()
    before = world.current()

    def map_with_what_was_read_before() -> None:
        with acting_as("public_api"), suppress(ConditionFailed):
            mapping.map_account(world.ports, world.upstream, world.now, before, world.account())
        while world.queues.woken:
            world.step()

    just_before(world, "commit", map_with_what_was_read_before, repr(str(ChangeState.ENDING)))  # type: ignore[arg-type]
    world.change(to)
    assert world.feed().flight is None
    world.run()
    world.consent()
    world.map_accounts()
    world.run()
    assert (lines_at(world, start), lines_at(world, to)) == ([], ids(2))
