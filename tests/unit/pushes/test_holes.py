"""A push that is refused behind its door leaves a hole: it shows at once, and a backfill mends it."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.errors import Invalid, Refused
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.feeds.upstream import Accepted, StatementStatus
from feedlane.holds import items as hold_items
from feedlane.holds.release import release_feed
from feedlane.pushes.holes import REASON_REFUSED, give_up
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from tests.interruptions import just_before
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

DAYS = [f"2026-05-{day:02d}" for day in range(1, 6)]


def rows(day: int, count: int = 3) -> list[dict[str, Any]]:
    """The transactions of the `day`-th day (0 is the first), following on those of the days before."""
    start = 1 + day * count
    return transactions(count, start=start, day=DAYS[day], opening=10.0 * (start - 1))


def known(world: World) -> None:
    """The feed has recorded and delivered the first day."""
    world.record(world.message(rows(0)))
    world.run()


def refused(world: World, day: int = 1) -> PushOperation:
    """A push of that day which is refused for one transaction, recorded before with another amount."""
    wrong = rows(0)[0] | {"amount": 77.0}
    message = world.message([wrong, *rows(day)])
    world.record(message)
    [operation] = [one for one in world.operations() if one.requested_on == world.now and one.is_refused]
    return operation


def holes(world: World) -> list[Hole]:
    return [hole for _, hole in hole_items.holes(world.store, world.feed().id, 100)]


@pytest.fixture
def world() -> World:
    world = World()
    known(world)
    world.advance(minutes=1)
    return world


@pytest.fixture
def strict(world: World) -> World:
    stored = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(stored.but(refusal_holds_feed=True)))
    return world


def test_the_hole_shows_at_once_on_the_feed_and_in_an_event(world: World) -> None:
    operation = refused(world)
    assert world.feed().holes == 1
    [hole] = holes(world)
    assert (hole.operation_key, hole.missing, hole.unread) == (operation.key, 3, 0)
    assert (hole.first_date, hole.last_date) == (DAYS[1], DAYS[1])
    [event] = world.events("bankFeeds.holeFound")
    assert event.payload["pushOperationKey"] == operation.key
    assert (event.payload["missing"], event.payload["holes"]) == (3, 1)


def test_what_lacks_nothing_leaves_no_hole(world: World) -> None:
    world.record(world.message([rows(0)[0] | {"amount": 77.0}]))
    assert world.operations()[0].status is PushStatus.FAILED
    assert (world.feed().holes, holes(world)) == (0, [])


def test_the_same_message_again_makes_no_second_hole(world: World) -> None:
    message = world.message([rows(0)[0] | {"amount": 77.0}, *rows(1)])
    world.record(message)
    world.record(message)
    assert world.feed().holes == len(holes(world)) == 1


def test_a_push_that_could_not_be_read_leaves_a_hole_too(world: World) -> None:
    world.record(world.message([rows(1)[0], rows(1)[1] | {"amount": "much"}]))
    assert [(hole.missing, hole.unread) for hole in holes(world)] == [(1, 1)]


def test_a_push_to_a_disconnected_account_leaves_a_hole(world: World) -> None:
    feed = world.feed()
    world.store.commit(feed_items.put_feed(feed.but(feed_connection_id="")))
    world.record(world.message(rows(1)), world.message(rows(2)))
    assert world.feed().holes == len(holes(world)) == 2


def test_a_backfill_follows_what_was_sent_after_it_in_a_statement_of_its_own(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)), world.message(rows(3)))
    world.run()
    world.record(world.message(rows(1), backfill=operation.key))
    world.record(world.message(rows(4)))
    world.run()
    assert [ids[0] for ids in world.upstream.taken] == ["t1", "t7", "t4", "t13"]
    assert sorted(world.sent_ids(), key=lambda id: int(id[1:])) == [f"t{n}" for n in range(1, 16)]
    assert (world.feed().holes, holes(world)) == (0, [])
    [event] = world.events("bankFeeds.holeMended")
    assert (event.payload["pushOperationKey"], event.payload["missing"]) == (operation.key, 0)
    assert {one.status for one in world.operations() if one.key != operation.key} == {PushStatus.SUCCESS}


def test_what_follows_a_backfill_continues_what_was_before_it(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)))
    world.record(world.message(rows(1), backfill=operation.key))
    assert (world.feed().recorded_date, world.feed().recorded_balance) == (DAYS[2], 90)
    follows = world.message(rows(3))
    world.record(follows)
    assert [warning.validator for one in world.operations() for warning in one.warnings] == ["Gap", "Backfill"]


def test_without_a_backfill_it_is_too_early(world: World) -> None:
    refused(world)
    world.record(world.message(rows(2)))
    world.advance(minutes=1)
    world.record(world.message(rows(1)))
    assert world.operations()[0].errors[0].validator == "Chronological"
    assert world.feed().holes == 2


def test_what_is_sent_again_in_time_closes_the_hole_by_itself(world: World) -> None:
    refused(world)
    world.record(world.message(rows(1)))
    assert (world.feed().holes, holes(world)) == (0, [])


def test_a_hole_filled_in_parts_closes_with_the_last_one(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)))
    for number, row in enumerate(rows(1), 1):
        world.record(world.message([row], backfill=operation.key))
        assert world.feed().holes == (0 if number == 3 else 1)
    assert [hole.missing for hole in holes(world)] == []


def test_what_could_not_be_read_takes_a_backfill_that_names_it(world: World) -> None:
    world.record(world.message([rows(1)[0], rows(1)[1] | {"amount": "much"}]))
    operation = world.operations()[0]
    world.record(world.message(rows(1)[:1]))
    assert [(hole.missing, hole.unread) for hole in holes(world)] == [(0, 1)]
    world.record(world.message(rows(1)[1:], backfill=operation.key))
    assert holes(world) == []


def test_a_refused_backfill_closes_nothing_and_makes_no_second_hole(world: World) -> None:
    operation = refused(world)
    world.record(world.message([rows(0)[0] | {"amount": 78.0}, *rows(1)], backfill=operation.key))
    assert [hole.operation_key for hole in holes(world)] == [operation.key]


def test_a_backfill_refused_because_its_account_is_not_connected_makes_no_second_hole(world: World) -> None:
    world.record(world.message([rows(1)[0], rows(1)[1] | {"amount": "much"}]))
    operation = world.operations()[0]
    connected = world.feed().feed_connection_id
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id="")))
    world.record(world.message([rows(1)[0], rows(1)[1] | {"amount": "more"}], backfill=operation.key))
    assert [hole.operation_key for hole in holes(world)] == [operation.key]
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id=connected)))
    world.record(world.message(rows(1), backfill=operation.key))
    assert (world.feed().holes, holes(world)) == (0, [])


def test_a_backfill_has_to_name_a_hole(world: World) -> None:
    done = world.operations()[0]
    world.record(world.message(rows(1), backfill=done.key))
    assert world.operations()[0].errors[0].validator == "Hole" or world.operations()[1].errors[0].validator == "Hole"
    with pytest.raises(Invalid):
        world.push(rows(2), backfill=done.key)


def test_a_backfill_through_the_api(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)))
    world.push(rows(1), backfill=operation.key)
    world.run()
    assert world.feed().holes == 0
    assert [ids[0] for ids in world.upstream.taken] == ["t1", "t7", "t4"]


def test_a_push_of_the_api_that_the_ledger_refuses_leaves_a_hole(world: World) -> None:
    early = world.push(rows(1))
    world.push(rows(2))
    messages = world.take_pushed()
    world.record(messages[1])
    world.record(messages[0])
    assert world.operation(early.key).status is PushStatus.FAILED
    assert [hole.operation_key for hole in holes(world)] == [early.key]


def test_a_crash_before_the_hole_is_closed_is_repaired_when_the_message_returns(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)))
    message = world.message(rows(1), backfill=operation.key)
    real = world.table.commit

    def crash(*writes: Any) -> None:
        if any("HOLE#" in str(getattr(write, "key", "")) for write in writes):
            raise KeyboardInterrupt
        real(*writes)

    world.table.commit = crash
    with pytest.raises(KeyboardInterrupt):
        world.record(message)
    world.table.commit = real
    assert world.feed().holes == 1
    world.record(message)
    assert (world.feed().holes, holes(world)) == (0, [])


def test_an_append_in_between_does_not_lose_the_count(world: World) -> None:
    operation = refused(world)
    world.record(world.message(rows(2)))
    other = world.message(rows(3))
    just_before(world, "commit", lambda: world.record(other), touching="HOLE#")
    world.record(world.message(rows(1), backfill=operation.key))
    assert (world.feed().holes, holes(world)) == (0, [])
    assert world.feed().recorded_through == 12


def test_an_operator_may_give_up_what_is_missing(world: World) -> None:
    operation = refused(world)
    with acting_as("public_api"):
        give_up(world.ports, world.feed().id, operation.key)
    assert (world.feed().holes, holes(world)) == (0, [])
    assert world.events("bankFeeds.holeMended")[0].payload["missing"] == 3


# with the setting that a refusal holds the feed


def reasons(world: World) -> list[str]:
    return [hold.reason for hold in hold_items.holds_of_feed(world.store, world.feed().id)]


def test_a_refusal_holds_the_feed_and_nothing_overtakes_it(strict: World) -> None:
    first = refused(strict)
    strict.record(strict.message(rows(2)), strict.message(rows(3)))
    strict.run()
    assert reasons(strict) == [REASON_REFUSED]
    assert len(strict.events("bankFeeds.held")) == 1
    assert strict.feed().recorded_through == 3
    assert [hole.operation_key for hole in holes(strict)][:1] == [first.key]
    assert strict.feed().holes == 3
    with pytest.raises(Refused) as refusal:
        strict.push(rows(4))
    assert refusal.value.problem.type == REASON_REFUSED


def test_in_one_batch_nothing_overtakes_it_either(strict: World) -> None:
    wrong = strict.message([rows(0)[0] | {"amount": 77.0}, *rows(1)])
    strict.record(wrong, strict.message(rows(2)), strict.message(rows(3)))
    assert (strict.feed().recorded_through, strict.feed().holes) == (3, 3)


def test_backfills_in_order_mend_the_feed_which_then_goes_on_by_itself(strict: World) -> None:
    refused(strict)
    strict.record(strict.message(rows(2)), strict.message(rows(3)))
    strict.run()
    lines = {hole.operation_key: day for day, hole in enumerate(by_first_line(strict), 1)}
    for key, day in lines.items():
        strict.record(strict.message(rows(day), backfill=key))
    strict.run()
    assert (strict.feed().holes, reasons(strict)) == (0, [])
    strict.record(strict.message(rows(4)))
    strict.run()
    assert strict.sent_ids() == [f"t{n}" for n in range(1, 16)]
    assert "Gap" not in {warning.validator for one in strict.operations() for warning in one.warnings}
    assert strict.feed().waiting == 0


def by_first_line(world: World) -> list[Hole]:
    """The open holes in the order of their days."""

    def number(hole: Hole) -> int:
        return int(push_operation_items.lines_of(world.store, world.feed().id, hole.operation_key)[-1].id[1:])

    return sorted(holes(world), key=number)


def test_a_backfill_of_one_hole_fails_with_the_hold_that_the_other_keeps(strict: World) -> None:
    """Also while a statement is under way, so that nobody wakes the feed for its new lines."""
    strict.record(strict.message(rows(1)))
    while not strict.upstream.taken[1:]:
        strict.step()
    strict.upstream.statuses["statement-2"] = Accepted(statement_id="statement-2", status=StatementStatus.PENDING)
    first = refused(strict, day=2)
    strict.record(strict.message(rows(3)))
    while strict.queues.woken:
        strict.step()
    strict.record(strict.message(rows(2), backfill=first.key))
    while strict.queues.woken:
        strict.step()
    assert (strict.feed().holes, reasons(strict)) == (1, [REASON_REFUSED])
    [backfill] = [one for one in strict.operations() if one.backfill]
    assert backfill.status is PushStatus.FAILED


def test_a_release_goes_on_without_what_is_missing(strict: World) -> None:
    refused(strict)
    release_feed(strict.ports, strict.now, strict.feed())
    strict.record(strict.message(rows(2)))
    strict.run()
    assert (strict.feed().holes, reasons(strict)) == (1, [])
    assert strict.sent_ids()[-1] == "t9"


def test_what_waited_before_the_refusal_fails_with_the_hold_and_is_released_with_it(strict: World) -> None:
    strict.record(strict.message(rows(1)))
    before = strict.operations()[0]
    strict.advance(minutes=1)
    operation = refused(strict, day=2)
    strict.run()
    assert strict.operation(before.key).status in {PushStatus.FAILED, PushStatus.PENDING}
    strict.record(strict.message(rows(2), backfill=operation.key))
    strict.run()
    assert strict.sent_ids() == [f"t{n}" for n in range(1, 10)]
    assert strict.feed().waiting == 0


def test_another_hold_that_comes_first_is_no_way_past_the_refusal(strict: World) -> None:
    id = strict.feed().id
    just_before(strict, "commit", lambda: strict.add_hold(Scope.FEED, id, reason="refused"), touching="HOLE#")
    refused(strict)
    strict.record(strict.message(rows(2)))
    assert (strict.feed().recorded_through, reasons(strict)) == (3, ["refused"])


def test_nothing_passes_the_refusal_once_the_other_hold_is_released(strict: World) -> None:
    strict.record(strict.message(rows(1)))
    strict.add_hold(Scope.FEED, strict.feed().id, reason="account-archived")
    refusal = refused(strict, day=2)
    release_feed(strict.ports, strict.now, strict.feed())
    strict.run()
    strict.record(strict.message(rows(3)))
    strict.run()
    assert (strict.sent_ids(), reasons(strict)) == ([f"t{n}" for n in range(1, 7)], [REASON_REFUSED])
    [later] = [hole.operation_key for hole in holes(strict) if hole.operation_key != refusal.key]
    for day, key in ((2, refusal.key), (3, later)):
        strict.record(strict.message(rows(day), backfill=key))
    strict.run()
    assert strict.sent_ids() == [f"t{n}" for n in range(1, 13)]
    assert (strict.feed().holes, strict.feed().hole_to_hold, reasons(strict)) == (0, False, [])


def test_giving_up_what_is_missing_releases_what_waits(strict: World) -> None:
    strict.record(strict.message(rows(1)))
    refusal = refused(strict, day=2)
    strict.run()
    with acting_as("public_api"):
        give_up(strict.ports, strict.feed().id, refusal.key)
    strict.run()
    assert (strict.sent_ids(), reasons(strict)) == ([f"t{n}" for n in range(1, 7)], [])
