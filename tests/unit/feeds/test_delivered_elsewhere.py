"""Lines that went to another Xero account are named when they are pushed again: the present account has nothing."""

from __future__ import annotations

from typing import Any

from feedlane.companies import items as company_items
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.mapping import mapping
from feedlane.pushes.outcomes import outcome_page
from tests.account_actions import unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.worlds.feeds import World, transactions


def map_to(world: World, target: str, name: str = "") -> None:
    world.advance(minutes=1)
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    mapping.map_account(world.ports, world.upstream, world.now, connection, account, target)


def moved(*targets: str) -> World:
    """Two lines went to each target but the last."""
    world = World()
    for number, target in enumerate(targets):
        unmap(world)
        map_to(world, target)
        if number < len(targets) - 1:
            world.record(world.message(transactions(2, start=1 + 2 * number, opening=20.0 * number)))
            world.run()
    return world


def push(world: World, pushed: list[dict[str, Any]]) -> PushOperation:
    operation = world.push(pushed)
    world.run()
    ended = world.operation(operation.key)
    assert ended.status is PushStatus.SUCCESS
    return ended


def push_all(world: World, count: int) -> list[tuple[str, str]]:
    ended = push(world, transactions(count))
    return [(warning.item_id, warning.validator) for warning in ended.warnings]


def test_each_is_named_with_the_account_that_has_it() -> None:
    world = moved("wrong", "right")
    operation = world.push(transactions(2))
    world.run()
    ended = world.operation(operation.key)
    assert [(warning.item_id, warning.validator) for warning in ended.warnings] == [
        ("t1", "DeliveredElsewhere"),
        ("t2", "DeliveredElsewhere"),
    ]
    assert "wrong" in ended.warnings[0].message
    outcomes = outcome_page(world.store, ended, 0, 10).outcomes
    assert [outcome.outcome for outcome in outcomes] == ["DeliveredElsewhere"] * 2


def test_the_same_push_again_is_not_answered_with_its_success_at_another_account() -> None:
    world = World()
    unmap(world)
    map_to(world, "wrong")
    first = push(world, transactions(2))
    unmap(world)
    map_to(world, "right")
    again = push(world, transactions(2))
    assert [(warning.item_id, warning.validator) for warning in again.warnings] == [
        ("t1", "DeliveredElsewhere"),
        ("t2", "DeliveredElsewhere"),
    ]
    assert first.key != again.key
    assert push(world, transactions(2)).key == again.key
    assert world.sent_ids() == ["t1", "t2"]


def test_it_is_answered_so_at_the_same_account_however_often_that_was_mapped() -> None:
    world = World()
    for _ in range(2):
        unmap(world)
        map_to(world, "same")
        operation = push(world, transactions(2))
    unmap(world)
    map_to(world, "same")
    assert push(world, transactions(2)).key == operation.key
    assert len(world.operations()) == 1


def test_what_is_new_goes_to_the_present_account_and_is_a_plain_repeat_after_that() -> None:
    world = moved("wrong", "right")
    assert push_all(world, 3) == [("t1", "DeliveredElsewhere"), ("t2", "DeliveredElsewhere")]
    assert world.sent_ids() == ["t1", "t2", "t3"]
    world.record(world.message(transactions(3)))
    world.run()
    repeated = next(one for one in world.operations() if one.door is Door.QUEUE and len(one.warnings) == 3)
    assert [warning.validator for warning in repeated.warnings] == ["DeliveredElsewhere"] * 2 + ["Duplicate"]
    outcomes = {one.id: one.outcome for one in outcome_page(world.store, repeated, 0, 10).outcomes}
    assert outcomes == {"t1": "DeliveredElsewhere", "t2": "DeliveredElsewhere", "t3": "Delivered"}


def test_back_at_the_first_account_its_own_lines_are_a_plain_repeat() -> None:
    world = moved("first", "second", "first")
    assert push_all(world, 4) == [
        ("t1", "Duplicate"),
        ("t2", "Duplicate"),
        ("t3", "DeliveredElsewhere"),
        ("t4", "DeliveredElsewhere"),
    ]


def test_the_same_account_under_a_new_feed_connection_is_no_other() -> None:
    world = moved("same", "same")
    assert push_all(world, 2) == [("t1", "Duplicate"), ("t2", "Duplicate")]


def test_a_statement_that_is_under_way_belongs_to_the_account_it_went_to() -> None:
    world = World()
    unmap(world)
    map_to(world, "wrong")
    world.record(world.message(transactions(2)))
    while not world.upstream.posts:
        world.step()
    unmap(world)
    map_to(world, "right")
    world.run()
    assert push_all(world, 2) == [("t1", "DeliveredElsewhere"), ("t2", "DeliveredElsewhere")]


def test_a_statement_in_doubt_that_had_arrived_belongs_to_the_account_it_went_to() -> None:
    from feedlane.feeds.upstream import NoAnswer

    world = World()
    unmap(world)
    map_to(world, "wrong")
    world.upstream.lost = [NoAnswer(reason="timeout")]
    world.record(world.message(transactions(2)))
    while not world.upstream.posts:
        world.step()
    unmap(world)
    map_to(world, "right")
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert push_all(world, 2) == [("t1", "DeliveredElsewhere"), ("t2", "DeliveredElsewhere")]


def test_what_waited_at_the_change_goes_to_the_new_account_and_is_its_own() -> None:
    world = World()
    unmap(world)
    map_to(world, "wrong")
    world.record(world.message(transactions(2)))
    unmap(world)
    map_to(world, "right")
    world.run()
    assert push_all(world, 2) == [("t1", "Duplicate"), ("t2", "Duplicate")]
