"""Something that happens at the worst moment: just before a read or a commit of the table, or instead of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from feedlane.store.store import Store
from feedlane.store.table import Contended
from tests.fakes.queues import FakeQueues
from tests.worlds.feeds import World


class Crashed(Exception):
    """The process ended here."""


class Crashable(Protocol):
    """What has a table and queues."""

    store: Store
    queues: FakeQueues


C = TypeVar("C", bound=Crashable)


def just_before(world: World, method: str, act: Callable[[], None], touching: str) -> None:
    """`act` happens once: before the first call of this method of the table that touches these keys."""
    table: Any = world.store.table
    real = getattr(table, method)

    def called(*given: Any, **named: Any) -> Any:
        if touching in repr((given, named)):
            setattr(table, method, real)
            act()
        return real(*given, **named)

    setattr(table, method, called)


def contend(world: World, touching: str) -> None:
    """The next commit that touches these keys meets another writer, once."""
    table: Any = world.store.table
    real = table.commit

    def commit(*writes: Any) -> None:
        if touching in repr(writes):
            table.commit = real
            raise Contended([write.key for write in writes])
        real(*writes)

    table.commit = commit


def crash_on_wake(world: World) -> None:
    """The process ends before it sends the next wake-up."""
    queues: Any = world.queues
    real = queues.wake

    def wake(feed_id: str) -> None:
        queues.wake = real
        raise Crashed(feed_id)

    queues.wake = wake


def crash_at(world: Crashable, step: int) -> Callable[[], None]:
    """The process ends at this step: before or after a commit or a send, counted from 1. Answers what undoes this."""
    table: Any = world.store.table
    queues: Any = world.queues
    places = [(table, "commit"), (table, "put_many"), (queues, "follow_up"), (queues, "wake")]
    real = [(thing, name, getattr(thing, name)) for thing, name in places]
    steps = itertools.count(1)

    def passed() -> None:
        if next(steps) == step:
            raise Crashed(str(step))

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            passed()
            answer = call(*given, **named)
            passed()
            return answer

        return called

    for thing, name, call in real:
        setattr(thing, name, wrapped(call))

    def back() -> None:
        for thing, name, call in real:
            setattr(thing, name, call)

    return back


def crashes_everywhere(make: Callable[[], C], act: Callable[[C], object]) -> Iterator[C]:
    """A new world for each step at which `act` can crash, after that crash; and the last one, without a crash."""
    for step in itertools.count(1):
        world = make()
        back = crash_at(world, step)
        try:
            act(world)
        except Crashed:
            back()
            yield world
            continue
        back()
        yield world
        return
