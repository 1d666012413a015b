"""What a feed goes through while messages get lost: three lines, in two pushes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from feedlane.feeds.upstream import Accepted, NoAnswer, StatementStatus, TryLater
from feedlane.scope import Scope
from tests.unit.upkeep.lost import LossyWorld
from tests.worlds.feeds import transactions

Scenario = Callable[[LossyWorld], None]


def pushed_by_the_api(world: LossyWorld) -> None:
    world.push(transactions(2))
    world.push(transactions(1, start=3, opening=20.0))


def pushed_with_a_time_out(world: LossyWorld) -> None:
    world.push(transactions(2), timeout_in_minutes=600)
    world.push(transactions(1, start=3, opening=20.0), timeout_in_minutes=600)


def put_on_the_queue(world: LossyWorld) -> None:
    world.record(world.message(transactions(2)), world.message(transactions(1, start=3, opening=20.0)))


def many_messages_at_once(world: LossyWorld) -> None:
    """The feed gathers."""
    world.record(world.message(transactions(2)), more_to_come=True)
    world.record(world.message(transactions(1, start=3, opening=20.0)), more_to_come=True)


def processed_slowly(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.statement_status = pending_for(world, polls=4)


def without_an_answer(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.lost = [NoAnswer(reason="timeout")]


def asked_to_wait(world: LossyWorld) -> None:
    put_on_the_queue(world)
    world.upstream.answers = [TryLater(scope=Scope.TENANT, seconds=90, reason="minute")]


def pending_for(world: LossyWorld, polls: int) -> Callable[..., object]:
    real, asked = world.upstream.statement_status, Counter[str]()

    def status(access: object, id: str) -> object:
        asked[id] += 1
        return Accepted(statement_id=id, status=StatementStatus.PENDING) if asked[id] <= polls else real(access, id)

    return status


SCENARIOS = [
    pushed_by_the_api,
    pushed_with_a_time_out,
    put_on_the_queue,
    many_messages_at_once,
    processed_slowly,
    without_an_answer,
    asked_to_wait,
]
