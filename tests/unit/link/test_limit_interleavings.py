"""The connection limit under every order of steps: who reads and writes next is drawn from a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from feedlane.companies import connection_limit
from feedlane.companies.connection import Connection
from feedlane.companies.organisations import Organisation
from feedlane.link import connections
from feedlane.link.choice import OrganisationChoice
from feedlane.link.linking import Linking, NotLinkedReason
from feedlane.store import keys
from tests.builders import NOW
from tests.worlds.web import World

LIMIT = 5
LINKED_BEFORE = 3
COMING = 6
STEPS = ("get", "get_many", "query", "commit")


class Turns:
    """Threads that go on one at a time, from one step of the table to the next."""

    def __init__(self, table: Any, rng: random.Random, after: Callable[[], None]) -> None:
        self._rng = rng
        self._after = after
        self._changed = threading.Condition()
        self._waiting: set[int] = set()
        self._own = threading.local()
        for step in STEPS:
            setattr(table, step, self._in_turn(getattr(table, step)))

    def run(self, works: Sequence[Callable[[], object]]) -> list[object]:
        """What each answers or raises."""
        self._left, self._chosen = len(works), -1
        ends: list[object] = [None] * len(works)
        threads = [threading.Thread(target=self._work, args=(number, ends, work)) for number, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends

    def _work(self, number: int, ends: list[object], work: Callable[[], object]) -> None:
        self._own.number = number
        try:
            ends[number] = work()
        except Exception as error:
            ends[number] = error
        with self._changed:
            self._left -= 1
            self._choose()

    def _in_turn(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            number = getattr(self._own, "number", None)
            if number is None:
                return real(*given, **named)
            with self._changed:
                self._waiting.add(number)
                self._choose()
                self._changed.wait_for(lambda: self._chosen == number)
                self._waiting.remove(number)
                self._chosen = -1
                try:
                    return real(*given, **named)
                finally:
                    del self._own.number
                    self._after()
                    self._own.number = number

        return step

    def _choose(self) -> None:
        if self._left and len(self._waiting) == self._left:
            self._chosen = self._rng.choice(sorted(self._waiting))
            self._changed.notify_all()


@pytest.mark.parametrize("seed", range(60))
def test_in_no_order_of_steps_are_more_linked_than_the_limit_allows(seed: int) -> None:
    # Given five places, three of which are taken
    world = World(connection_limit=LIMIT)
    world.site.organisations.demo = {"tenant-demo"}
    linking = world.site.linking("https://feeds.example.com/oauth/callback")
    linked = [world.add_connection() for _ in range(LINKED_BEFORE)]
    coming = [world.add_connection() for _ in range(COMING)]
    demo = world.add_connection()
    for number, connection in enumerate(linked):
        _link(linking, connection, f"before-{number}")
    most = 0

    def count() -> None:
        nonlocal most
        there = map(Connection.model_validate, world.table.query(keys.CONNECTIONS, index=True))
        most = max(most, sum(one.is_linked and one.tenant is not None and not one.tenant.demo for one in there))

    # When six and a demo company come back, one of the linked comes again and another one leaves, all at once
    works: list[Callable[[], object]] = [
        lambda one=one, number=number: _link(linking, one, f"new-{number}")  # type: ignore[misc]
        for number, one in enumerate(coming)
    ]
    works.append(lambda: _link(linking, demo, "demo"))
    works.append(lambda: _link(linking, world.current(linked[0]), "before-0"))
    works.append(lambda: _leave(world, linked[1]))
    ends = Turns(world.table, random.Random(seed), count).run(works)

    # Then there were never more than five, the count is right, and whoever was refused met the limit
    assert most <= LIMIT
    kinds = Counter("linked" if end is None else end.reason for end in ends[:COMING])  # type: ignore[attr-defined]
    assert set(kinds) <= {"linked", NotLinkedReason.LIMIT}
    assert LIMIT - LINKED_BEFORE <= kinds["linked"] <= LIMIT - LINKED_BEFORE + 1
    assert ends[COMING:] == [None, None, None]
    count_now = LINKED_BEFORE - 1 + kinds["linked"]
    assert connection_limit.linked_count(world.store) == count_now == connection_limit.recount(world.store)
    assert world.event_types.count("connectionLimit.reached") >= 1


def _link(linking: Linking, connection: Connection, name: str) -> None:
    organisation = Organisation(tenant_id=f"tenant-{name}", name=name, xero_connection_id=f"xero-{name}")
    choice = OrganisationChoice(token_set_id="t", authentication_event_id="e", scopes=(), organisations=(organisation,))
    linking.link_chosen(connection, choice, organisation.tenant_id, NOW)


def _leave(world: World, connection: Connection) -> None:
    connections.unlink(world.ports, lambda _: None, NOW, connection.company_id, connection.id)
