"""Malformed messages: each is refused with its reason, and its feed continues at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.errors import Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.message import QueueMessage
from tests import builders
from tests.builders import COMPANY
from tests.worlds.feeds import World, transactions

UNPAIRED_SURROGATE = "a\ud800"


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
        world.push([transaction | {field: UNPAIRED_SURROGATE}])
    assert [(finding.item_id, finding.validator) for finding in caught.value.findings] == [(name, "Unicode")]

    world.record(world.message([transaction | {field: UNPAIRED_SURROGATE}]), world.message(transactions(1, start=2)))
    world.run()
    [failed] = [operation for operation in world.operations() if operation.status is PushStatus.FAILED]
    assert [(error.item_id, error.validator) for error in failed.errors] == [(name, "Unicode")]
    assert world.sent_ids() == ["t2"]


def test_a_whole_pair_is_text_as_any_other(world: World) -> None:
    [transaction] = transactions(1)
    world.push([transaction | {"id": "t-😀", "description": "😀"}])
    world.run()
    assert world.sent_ids() == ["t-😀"]


@pytest.mark.parametrize(
    ("fragment", "reason"),
    [
        ("[" * 100_000, "body: is nested too deeply"),
        ("1e99999999999999999999", "body: is not valid JSON: a number's exponent"),
        ("9" * 5000, "body: is not valid JSON: Exceeds the limit"),
        ('"NaN", "companyId": NaN', "body: is not valid JSON: NaN"),
    ],
    ids=["deep", "exponent", "digits", "constant"],
)
def test_json_that_cannot_be_read_is_set_aside_and_the_next_is_recorded(
    world: World, fragment: str, reason: str
) -> None:
    good = world.message(transactions(1))
    body = json.dumps({"version": 1, "companyId": COMPANY, "transactions": []}).replace("[]", fragment)
    world.record(QueueMessage("odd", good.group, body, world.now), good)
    world.run()
    assert [letter["reason"].startswith(reason) for letter in world.queues.dead_letters] == [True]
    assert world.sent_ids() == ["t1"]


@pytest.mark.parametrize("type", [["Credit"], {"name": "Credit"}, 7, True], ids=repr)
def test_a_type_that_is_no_text_is_refused_and_names_its_transaction(world: World, type: Any) -> None:
    [transaction] = transactions(1)
    with pytest.raises(Invalid) as caught:
        world.push([transaction | {"transactionType": type}])
    assert [(finding.item_id, finding.validator) for finding in caught.value.findings] == [("t1", "Enum")]

    world.record(world.message([transaction | {"transactionType": type}]), world.message(transactions(1, start=2)))
    world.run()
    assert world.sent_ids() == ["t2"]


def test_a_key_of_another_accounts_push_brings_nothing_into_this_account() -> None:
    """Neither its transactions nor its result: money of one account is never shown in another."""
    world = World(("account-1", "account-2"))
    other = world.push(transactions(2))
    world.record(world.message(None, "account-2", pushOperationKey=other.key))
    [letter] = world.queues.dead_letters
    assert letter["reason"].startswith("No push operation of this account")
    assert world.feed("account-2").recorded_through == 0
    world.run()

    world.record(world.message(transactions(2), "account-2", pushOperationKey=other.key))
    [failed] = [operation for operation in world.operations() if operation.account_id == "account-2"]
    assert (failed.status, failed.errors[0].validator) == (PushStatus.FAILED, "UniqueKey")
    assert world.operation(other.key).status is PushStatus.SUCCESS


def test_a_message_of_another_company_does_not_replace_a_push_under_its_key(world: World) -> None:
    """The API's push has not been recorded yet: its transactions are still kept under that key."""
    world.store.commit(company_items.add_company(builders.company("company-2")))
    pushed = world.push(transactions(2))
    [doorbell] = world.take_pushed()
    others = [row | {"description": "of another company"} for row in transactions(2)]
    world.record(world.message(others, companyId="company-2", pushOperationKey=pushed.key), doorbell)
    assert [line.description for line in feed_items.read_lines(world.store, world.feed().id, 1, 9)] == [
        "Sale 1",
        "Sale 2",
    ]
    [failed] = push_operation_items.operations_of_company(world.store, "company-2")
    assert (failed.status, failed.key != pushed.key) == (PushStatus.FAILED, True)


@pytest.mark.parametrize("company", [UNPAIRED_SURROGATE, "c" * 3000, "", 7, None, ["c"], "c\x00", "c\n"], ids=repr)
def test_a_company_that_can_be_no_key_is_set_aside_and_the_next_is_recorded(world: World, company: Any) -> None:
    good = world.message(transactions(1))
    odd = world.message(transactions(1), companyId=company)
    world.record(odd, good)
    world.run()
    assert [letter["reason"].split(":")[0] for letter in world.queues.dead_letters] == ["companyId"]
    assert world.sent_ids() == ["t1"]
