"""A push that is only validated: its findings are those that the push would have, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from feedlane.errors import Finding
from feedlane.pushes.api_door import validate
from feedlane.settings import items as settings_items
from feedlane.store import keys
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    world = World()
    world.push(transactions(2, day="2026-05-02"))
    world.run()
    return world


def names(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.item_id} {finding.validator}" for finding in findings]


def checked(world: World, pushed: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """`id validator` of each error, then of each warning."""
    body = json.dumps({"transactions": pushed})
    before = (len(world.operations()), world.feed())
    with acting_as("public_api"):
        findings = validate(world.store, world.now, COMPANY, CONNECTION, ACCOUNT, body)
    assert (len(world.operations()), world.feed()) == before
    assert world.queues.pushed == []
    errors, warnings = map(names, findings)
    return errors, warnings


def test_what_follows_on_is_valid(world: World) -> None:
    assert checked(world, transactions(2, start=3, day="2026-05-02", opening=20.0)) == ([], [])


def test_order_known_ids_and_gaps_are_told_as_the_feed_stands(world: World) -> None:
    early = transactions(1, start=3, day="2026-05-01", opening=20.0)
    assert checked(world, early) == (["t3 Chronological"], [])
    other = transactions(2, day="2026-05-02", amount=11.0)
    assert checked(world, other) == (["t1 UniqueId", "t2 UniqueId"], [])
    again = transactions(3, day="2026-05-02")
    assert checked(world, again) == ([], ["t1 Duplicate", "t2 Duplicate"])
    gap = transactions(1, start=3, day="2026-05-02", opening=500.0)
    assert checked(world, gap) == ([], ["t3 Gap"])


def test_known_ids_are_known_even_if_a_crash_left_the_index_behind_the_ledger(world: World) -> None:
    del world.table.items[keys.id_index(world.feed().id)]
    again = transactions(2, day="2026-05-02")
    assert checked(world, again) == ([], ["t1 Duplicate", "t2 Duplicate"])


def test_a_gap_is_an_error_where_the_settings_say_so(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(gap_is_error=True)))
    assert checked(world, transactions(1, start=3, day="2026-05-02", opening=500.0)) == (["t3 Gap"], [])


def test_every_error_of_a_push_is_told_at_once(world: World) -> None:
    no_balance = [transaction | {"balance": None} for transaction in transactions(2, start=3)]
    wrong_sign = transactions(1, start=5, opening=20.0)[0] | {"transactionType": "Debit"}
    assert checked(world, [*no_balance, wrong_sign]) == (["t3 Required", "t4 Required"], ["t5 SignAndType"])


def test_what_validates_is_then_recorded_with_the_same_warnings(world: World) -> None:
    pushed = [*transactions(2, day="2026-05-02"), *transactions(1, start=3, day="2026-05-02", opening=500.0)]
    _, warnings = checked(world, pushed)
    operation = world.push(pushed)
    world.run()
    assert names(world.operation(operation.key).warnings) == warnings
