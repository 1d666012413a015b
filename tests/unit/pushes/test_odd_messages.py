"""What no honest sender sends: it is refused with its reason, and its feed goes on at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.errors import Invalid
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.message import QueueMessage
from tests.builders import COMPANY
from tests.worlds.feeds import World, transactions

HALF = "a\ud800"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("field", "name"),
    [("description", "t1"), ("counterparty", "t1"), ("reference", "t1"), ("id", "transactions[0]")],
)
def test_half_of_a_surrogate_pair_is_refused_and_names_its_transaction(world: World, field: str, name: str) -> None:
    [transaction] = transactions(1)
    with pytest.raises(Invalid) as caught:
        world.push([transaction | {field: HALF}])
    assert [(found.item_id, found.validator) for found in caught.value.findings] == [(name, "Unicode")]

    world.record(world.message([transaction | {field: HALF}]), world.message(transactions(1, start=2)))
    world.run()
    [failed] = [found for found in world.operations() if found.status is PushStatus.FAILED]
    assert [(found.item_id, found.validator) for found in failed.errors] == [(name, "Unicode")]
    assert world.sent_ids() == ["t2"]


def test_a_whole_pair_is_text_as_any_other(world: World) -> None:
    [transaction] = transactions(1)
    world.push([transaction | {"id": "t-😀", "description": "😀"}])
    world.run()
    assert world.sent_ids() == ["t-😀"]


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        ("[" * 100_000, "body: is nested too deeply"),
        ("1e99999999999999999999", "body: is not valid JSON: a number's exponent"),
        ("9" * 5000, "body: is not valid JSON: Exceeds the limit"),
        ('"NaN", "companyId": NaN', "body: is not valid JSON: NaN"),
    ],
    ids=["deep", "exponent", "digits", "constant"],
)
def test_json_that_cannot_be_read_is_set_aside_and_the_next_is_recorded(
    world: World, brought: str, reason: str
) -> None:
    good = world.message(transactions(1))
    body = json.dumps({"version": 1, "companyId": COMPANY, "transactions": []}).replace("[]", brought)
    world.record(QueueMessage("odd", good.group, body, world.now), good)
    world.run()
    assert [found["reason"].startswith(reason) for found in world.queues.dead_letters] == [True]
    assert world.sent_ids() == ["t1"]


@pytest.mark.parametrize("type", [["Credit"], {"name": "Credit"}, 7, True], ids=repr)
def test_a_type_that_is_no_text_is_refused_and_names_its_transaction(world: World, type: Any) -> None:
    [transaction] = transactions(1)
    with pytest.raises(Invalid) as caught:
        world.push([transaction | {"transactionType": type}])
    assert [(found.item_id, found.validator) for found in caught.value.findings] == [("t1", "Enum")]

    world.record(world.message([transaction | {"transactionType": type}]), world.message(transactions(1, start=2)))
    world.run()
    assert world.sent_ids() == ["t2"]


def test_a_key_of_another_accounts_push_brings_nothing_into_this_account() -> None:
    """Neither its transactions nor its end: money of one account is never shown in another."""
    world = World(("account-1", "account-2"))
    other = world.push(transactions(2))
    world.record(world.message(None, "account-2", pushOperationKey=other.key))
    [aside] = world.queues.dead_letters
    assert aside["reason"].startswith("No push operation of this account")
    assert world.feed("account-2").recorded_through == 0
    world.run()

    world.record(world.message(transactions(2), "account-2", pushOperationKey=other.key))
    [failed] = [found for found in world.operations() if found.account_id == "account-2"]
    assert (failed.status, failed.errors[0].validator) == (PushStatus.FAILED, "UniqueKey")
    assert world.operation(other.key).status is PushStatus.SUCCESS


@pytest.mark.parametrize("company", [HALF, "c" * 3000, "", 7, None, ["c"], "c\x00", "c\n"], ids=repr)
def test_a_company_that_can_be_no_key_is_set_aside_and_the_next_is_recorded(world: World, company: Any) -> None:
    good = world.message(transactions(1))
    odd = world.message(transactions(1), companyId=company)
    world.record(odd, good)
    world.run()
    assert [found["reason"].split(":")[0] for found in world.queues.dead_letters] == ["companyId"]
    assert world.sent_ids() == ["t1"]
