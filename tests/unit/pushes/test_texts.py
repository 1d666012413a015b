"""What stands in texts and bodies that came from files: control characters, unreadable ones, a byte order mark."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.api_door import accept
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def warnings(world: World, key: str) -> list[tuple[str, str, str]]:
    """The transaction, the field and the rule of each warning."""
    found = world.operation(key).warnings
    return [(warning.item_id, warning.message.split()[0], warning.validator) for warning in found]


def descriptions(world: World) -> list[str]:
    return [line.description for line in feed_items.read_lines(world.store, world.feed().id, 1, 9)]


@pytest.mark.parametrize("sign", ["\x01", "\x0b", "\x19", "\x1f", "\ufffe", "\uffff"], ids=ascii)
def test_a_control_character_is_recorded_as_a_space_with_a_warning(world: World, sign: str) -> None:
    [transaction] = transactions(1)
    pushed = [transaction | {"description": f"Card{sign}1234", "reference": f"{sign}"}]
    operation = world.push(pushed)
    world.run()
    assert world.sent_ids() == ["t1"]
    assert descriptions(world) == ["Card 1234"]
    expected = [("t1", "description", "ControlCharacter"), ("t1", "reference", "ControlCharacter")]
    assert warnings(world, operation.key) == expected

    world.record(world.message([*pushed, *transactions(1, start=2, opening=10.0)]))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


@pytest.mark.parametrize("sign", ["\t", "\n", "\r\n", "\u2028", "\x85"], ids=ascii)
def test_tabs_and_line_ends_stay(world: World, sign: str) -> None:
    [transaction] = transactions(1)
    operation = world.push([transaction | {"description": f"Card{sign}1234"}])
    world.run()
    assert (descriptions(world), warnings(world, operation.key)) == ([f"Card{sign}1234"], [])


def test_an_id_with_a_control_character_is_refused_and_named_by_its_place(world: World) -> None:
    [transaction] = transactions(1)
    with pytest.raises(Invalid) as caught:
        world.push([transaction | {"id": "t\x1f1"}])
    assert [(f.item_id, f.validator) for f in caught.value.findings] == [("transactions[0]", "ControlCharacter")]


def test_characters_that_could_not_be_read_cause_a_warning(world: World) -> None:
    [transaction] = transactions(1)
    operation = world.push([transaction | {"id": "F\ufffd1", "description": "Caf\ufffd", "counterparty": "fine"}])
    world.run()
    assert descriptions(world) == ["Caf\ufffd"]
    assert warnings(world, operation.key) == [
        ("F\ufffd1", field, "ReplacementCharacter") for field in ("id", "description")
    ]


def test_a_byte_order_mark_before_json_is_ignored_at_both_doors(world: World) -> None:
    body = json.dumps({"transactions": transactions(1)})
    with acting_as("public_api"):
        accept(world.ports, world.now, COMPANY, CONNECTION, ACCOUNT, f"\ufeff{body}")
    world.run()
    message = world.message(transactions(1, start=2, opening=10.0))
    world.record(replace(message, body=f"\ufeff{message.body}"))
    world.run()
    assert (world.sent_ids(), world.queues.dead_letters) == (["t1", "t2"], [])


@pytest.mark.parametrize("other", [{"amount": -0.6, "balance": 9.4}, {}], ids=["another", "the same"])
def test_one_id_twice_in_a_push_is_refused_and_names_both(world: World, other: dict[str, Any]) -> None:
    first, second = transactions(2)
    pushed = [second | {"id": "F0"}, first | {"id": "F1"}, first | {"id": "F1"} | other]
    with pytest.raises(Invalid) as caught:
        world.push(pushed)
    [finding] = caught.value.findings
    assert (finding.item_id, finding.validator) == ("F1", "UniqueInPush")
    assert "twice in this push, by transactions[1] and transactions[2]" in finding.message

    world.record(world.message(pushed))
    world.run()
    [failed] = world.operations()
    assert (failed.status, failed.errors) == (PushStatus.FAILED, (finding,))
    assert "twice in this push" in (failed.error_message or "")
    assert world.sent_ids() == []
