"""The connection limit under random orders of steps: a seed decides which thread reads or writes next."""

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
from feedlane.store.table import Index
from tests.builders import NOW
from tests.worlds.web import World

LIMIT = 5
LINKED_BEFORE = 3
RETURNING = 6
OPERATIONS = ("get", "get_many", "query", "commit")


class Turns:
    """Runs threads one at a time, from one step of the table to the next."""

    def __init__(self, table: Any, rng: random.Random, after: Callable[[], None]) -> None:
        self._rng = rng
        self._after = after
        self._changed = threading.Condition()
        self._waiting: set[int] = set()
        self._local = threading.local()
        for step in OPERATIONS:
            setattr(table, step, self._in_turn(getattr(table, step)))

    def run(self, works: Sequence[Callable[[], object]]) -> list[object]:
        """Returns what each work returns or raises."""
        self._unfinished, self._chosen = len(works), -1
        outcomes: list[object] = [None] * len(works)
        threads = [
            threading.Thread(target=self._work, args=(number, outcomes, work)) for number, work in enumerate(works)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    def _work(self, number: int, outcomes: list[object], work: Callable[[], object]) -> None:
        self._local.number = number
        try:
            outcomes[number] = work()
        except Exception as error:
            outcomes[number] = error
        with self._changed:
            self._unfinished -= 1
            self._choose()

    def _in_turn(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            number = getattr(self._local, "number", None)
            if number is None:
                return real(*arguments, **options)
            with self._changed:
                self._waiting.add(number)
                self._choose()
                self._changed.wait_for(lambda: self._chosen == number)
                self._waiting.remove(number)
                self._chosen = -1
                try:
                    return real(*arguments, **options)
                finally:
                    del self._local.number
                    self._after()
                    self._local.number = number

        return step

    def _choose(self) -> None:
        if self._unfinished and len(self._waiting) == self._unfinished:
            self._chosen = self._rng.choice(sorted(self._waiting))
            self._changed.notify_all()


@pytest.mark.parametrize("seed", range(60))
def test_in_no_order_of_steps_are_more_linked_than_the_limit_allows(seed: int) -> None:
    # Given five places, three of which are taken
    world = World(connection_limit=LIMIT)
    world.site.organisations.demo = {"tenant-demo"}
    linking = world.site.linking("https://feeds.example.com/oauth/callback")
    linked = [world.add_connection() for _ in range(LINKED_BEFORE)]
    returning = [world.add_connection() for _ in range(RETURNING)]
    demo = world.add_connection()
    for number, connection in enumerate(linked):
        _link(linking, connection, f"before-{number}")
    linked_max = 0

    def count() -> None:
        nonlocal linked_max
        connections = map(Connection.model_validate, world.table.query(keys.CONNECTIONS, index=Index.LISTS))
        linked_max = max(linked_max, sum(_is_counted(connection) for connection in connections))

    # When six and a demo company come back, one linked connection reconnects and another leaves, all at once
    works: list[Callable[[], object]] = [
        lambda connection=connection, number=number: _link(linking, connection, f"new-{number}")  # type: ignore[misc]
        for number, connection in enumerate(returning)
    ]
    works.append(lambda: _link(linking, demo, "demo"))
    works.append(lambda: _link(linking, world.current(linked[0]), "before-0"))
    works.append(lambda: _leave(world, linked[1]))
    outcomes = Turns(world.table, random.Random(seed), count).run(works)

    # Then there were never more than five, the count is right, and the refused ones met the limit
    assert linked_max <= LIMIT
    kinds = Counter("linked" if outcome is None else outcome.reason for outcome in outcomes[:RETURNING])  # type: ignore[attr-defined]
    assert set(kinds) <= {"linked", NotLinkedReason.LIMIT}
    assert LIMIT - LINKED_BEFORE <= kinds["linked"] <= LIMIT - LINKED_BEFORE + 1
    assert outcomes[RETURNING:] == [None, None, None]
    linked_now = LINKED_BEFORE - 1 + kinds["linked"]
    assert connection_limit.linked_count(world.store) == linked_now == connection_limit.recount(world.store)
    assert world.event_types.count("connectionLimit.reached") >= 1


def _is_counted(connection: Connection) -> bool:
    return connection.is_linked and connection.tenant is not None and not connection.tenant.demo


def _link(linking: Linking, connection: Connection, name: str) -> None:
    organisation = Organisation(tenant_id=f"tenant-{name}", name=name, xero_connection_id=f"xero-{name}")
    choice = OrganisationChoice(token_set_id="t", authentication_event_id="e", scopes=(), organisations=(organisation,))
    linking.link_chosen(connection, choice, organisation.tenant_id, NOW)


def _leave(world: World, connection: Connection) -> None:
    connections.unlink(world.ports, lambda _: None, NOW, connection.company_id, connection.id)
