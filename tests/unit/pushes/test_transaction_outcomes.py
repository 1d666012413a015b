"""The outcome of each transaction of a push, at every stage."""

from __future__ import annotations

import pytest

from feedlane.feeds.push_operation import Door
from feedlane.holds import items as hold_items
from feedlane.pushes.outcomes import outcome_page
from tests import hold_actions
from tests.fakes.upstream import REJECTED
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def outcomes(world: World, key: str) -> dict[str, tuple[str, int | None]]:
    operation = world.operation(key)
    with acting_as("public_api"):
        found, total = outcome_page(world.store, operation, 0, 1000)
        pages = [outcome_page(world.store, operation, start, 1) for start in range(total)]
    assert [outcome for page in pages for outcome in page.outcomes] == found
    return {transaction.id: (transaction.outcome.value, transaction.line) for transaction in found}


def lift(world: World, *set_aside: str) -> str:
    [hold] = hold_items.holds(world.store)
    [operation] = hold_actions.lift(world, hold, set_aside)
    return operation.key


@pytest.mark.parametrize("door", list(Door)[:2])
def test_each_stage_from_the_push_to_its_delivery(world: World, door: Door) -> None:
    if door is Door.API:
        key = world.push(transactions(2)).key
        assert outcomes(world, key) == {"t1": ("Pending", None), "t2": ("Pending", None)}
        world.step()
    else:
        world.record(world.message(transactions(2)))
        [operation] = world.operations()
        key = operation.key
    assert outcomes(world, key) == {"t1": ("Waiting", 1), "t2": ("Waiting", 2)}
    while not world.upstream.taken:
        world.step()
    assert outcomes(world, key) == {"t1": ("Sent", 1), "t2": ("Sent", 2)}
    world.run()
    assert outcomes(world, key) == {"t1": ("Delivered", 1), "t2": ("Delivered", 2)}


@pytest.mark.parametrize("door", list(Door)[:2])
def test_what_was_there_before_is_told_by_its_own_line(world: World, door: Door) -> None:
    world.push(transactions(2))
    world.run()
    if door is Door.API:
        world.push(transactions(4))
        world.step()
    else:
        world.record(world.message(transactions(4)))
    [operation] = [pushed for pushed in world.operations() if pushed.lines == 2 and pushed.warnings]
    assert outcomes(world, operation.key) == {
        "t1": ("Delivered", 1), "t2": ("Delivered", 2), "t3": ("Waiting", 3), "t4": ("Waiting", 4),
    }  # fmt: skip


def test_a_push_that_brings_nothing_new_is_told_by_the_lines_of_before(world: World) -> None:
    world.push(transactions(3))
    world.run()
    world.record(world.message(transactions(2)))
    [operation] = [pushed for pushed in world.operations() if pushed.door is Door.QUEUE]
    assert outcomes(world, operation.key) == {"t1": ("Delivered", 1), "t2": ("Delivered", 2)}


def test_of_a_push_that_was_refused_every_transaction_is(world: World) -> None:
    world.push(transactions(2))
    world.run()
    world.record(world.message([*transactions(1, amount=11.0), *transactions(1, start=9, opening=11.0)]))
    [operation] = [pushed for pushed in world.operations() if pushed.door is Door.QUEUE]
    assert outcomes(world, operation.key) == {"t1": ("Refused", None), "t9": ("Refused", None)}


def test_held_set_aside_and_delivered_with_the_release(world: World) -> None:
    world.push(transactions(2))
    world.run()
    world.upstream.answers += [REJECTED, REJECTED]
    key = world.push(transactions(4, start=3, opening=20.0)).key
    world.run()
    assert {outcome for outcome, _ in outcomes(world, key).values()} == {"Held"}

    # The first release sets one line aside; Xero refuses the rest again, and the second release sets another aside.
    first = lift(world, "t4")
    assert outcomes(world, first) == {"t3": ("Waiting", 3), "t5": ("Waiting", 5), "t6": ("Waiting", 6)}
    world.run()
    second = lift(world, "t6")
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t5"]
    assert outcomes(world, second) == {"t3": ("Delivered", 3), "t5": ("Delivered", 5)}
    assert outcomes(world, first) == {"t3": ("Delivered", 3), "t5": ("Delivered", 5), "t6": ("SetAside", 6)}
    assert outcomes(world, key) == {
        "t3": ("Delivered", 3), "t4": ("SetAside", 4), "t5": ("Delivered", 5), "t6": ("SetAside", 6),
    }  # fmt: skip
