"""Makes something happen at the worst moment: just before a read or a commit of the table, or instead of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from feedlane.store.store import Store
from feedlane.store.table import Contended
from tests.fakes.queues import FakeQueues
from tests.rights import acting_as
from tests.worlds.feeds import World


class Crashed(Exception):
    """The process ended here."""


class Crashable(Protocol):
    """A world with a table and queues."""

    store: Store
    queues: FakeQueues


C = TypeVar("C", bound=Crashable)


def just_before(world: World, method: str, act: Callable[[], None], touching: str) -> None:
    """Calls `act` once: before the first call of this method of the table that touches these keys."""
    table: Any = world.store.table
    real = getattr(table, method)

    def act_and_call(*arguments: Any, **keywords: Any) -> Any:
        if touching in repr((arguments, keywords)):
            setattr(table, method, real)
            with acting_as():
                act()
        return real(*arguments, **keywords)

    setattr(table, method, act_and_call)


def contend(world: World, touching: str) -> None:
    """The next commit that touches these keys contends with another writer, once."""
    table: Any = world.store.table
    real = table.commit

    def commit(*writes: Any) -> None:
        if touching in repr(writes):
            table.commit = real
            raise Contended([write.key for write in writes])
        real(*writes)

    table.commit = commit


def crash_on_wake(world: World) -> None:
    """The process crashes before it sends the next wake-up."""
    queues: Any = world.queues
    real = queues.wake

    def wake(feed_id: str) -> None:
        queues.wake = real
        raise Crashed(feed_id)

    queues.wake = wake


def crash_at(world: Crashable, step: int) -> Callable[[], None]:
    """The process crashes at this step: before or after a commit or a send, from 1. The result restores the world."""
    table: Any = world.store.table
    queues: Any = world.queues
    places = [(table, "commit"), (table, "put_many"), (queues, "follow_up"), (queues, "wake")]
    steps = itertools.count(1)

    def take_step() -> None:
        if next(steps) == step:
            raise Crashed(str(step))

    return step_around(places, take_step)


def step_around(places: Iterable[tuple[Any, str]], take_step: Callable[[], None]) -> Callable[[], None]:
    """Calls `take_step` before and after each call of these methods. The result restores them."""
    real = [(port, name, getattr(port, name)) for port, name in places]

    def with_steps(call: Callable[..., Any]) -> Callable[..., Any]:
        def call_between(*arguments: Any, **keywords: Any) -> Any:
            take_step()
            answer = call(*arguments, **keywords)
            take_step()
            return answer

        return call_between

    for port, name, call in real:
        setattr(port, name, with_steps(call))

    def restore() -> None:
        for port, name, call in real:
            setattr(port, name, call)

    return restore


def crashes_everywhere(make: Callable[[], C], act: Callable[[C], object]) -> Iterator[C]:
    """A new world for each step at which `act` can crash, after the crash; the last one is without a crash."""
    for step in itertools.count(1):
        world = make()
        restore = crash_at(world, step)
        try:
            act(world)
        except Crashed:
            restore()
            yield world
            continue
        restore()
        yield world
        return
