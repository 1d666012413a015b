"""A transaction that comes again with other content: a pending one that was posted, or a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.rules import ChangedTransactions
from feedlane.pushes.outcomes import TransactionStatus, outcome_page
from feedlane.settings import items as settings_items
from tests.worlds.feeds import World, transactions

NEW = transactions(1, start=3, opening=20.0)
POSTED = {
    "texts": {"description": "CARD PAYMENT 0042 posted", "counterparty": "Baker", "reference": "R-1"},
    "a blank": {"description": "Sale  1"},
    "the type": {"transactionType": "Payment"},
    "the balance": {"balance": 9.5},
}
BOOKED = {"the amount": {"amount": 11.0}, "the date": {"date": "2026-04-30T09:00:00"}}


@pytest.fixture
def world() -> World:
    world = World()
    world.record(world.message(transactions(2)))
    world.run()
    return world


def again(world: World, change: dict[str, Any], rule: ChangedTransactions | None = None) -> tuple[str, list[str]]:
    """The status of a push with a changed transaction before a new one, and its findings."""
    if rule is not None:
        settings = settings_items.settings(world.store).but(changed_transactions=rule)
        world.store.commit(settings_items.put_settings(settings))
    message = world.message([transactions(1)[0] | change, *NEW])
    world.record(message)
    world.run()
    operation = world.operations()[0]
    return operation.status, [f"{one.item_id} {one.validator}" for one in (*operation.errors, *operation.warnings)]


@pytest.mark.parametrize("what", POSTED)
def test_another_text_or_balance_is_a_warning_and_the_new_ones_go_through(world: World, what: str) -> None:
    before = feed_items.read_lines(world.store, world.feed().id, 1, 1)
    assert again(world, POSTED[what]) == (PushStatus.SUCCESS, ["t1 Changed"])
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert feed_items.read_lines(world.store, world.feed().id, 1, 1) == before


@pytest.mark.parametrize("what", BOOKED)
def test_another_amount_or_date_stays_an_error(world: World, what: str) -> None:
    change = BOOKED[what]
    assert again(world, change) == (PushStatus.FAILED, ["t1 UniqueId"])
    assert world.sent_ids() == ["t1", "t2"]


@pytest.mark.parametrize("what", POSTED)
def test_by_the_setting_any_change_is_an_error(world: World, what: str) -> None:
    assert again(world, POSTED[what], ChangedTransactions.REFUSE) == (PushStatus.FAILED, ["t1 UniqueId"])


@pytest.mark.parametrize("what", BOOKED)
def test_by_the_setting_no_change_is_an_error(world: World, what: str) -> None:
    assert again(world, BOOKED[what], ChangedTransactions.WARN) == (PushStatus.SUCCESS, ["t1 Changed"])
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_a_changed_one_is_reported_as_delivered(world: World) -> None:
    again(world, POSTED["texts"])
    page = outcome_page(world.store, world.operations()[0], 0, 10)
    assert [(one.id, one.outcome) for one in page.outcomes] == [
        ("t1", TransactionStatus.DELIVERED),
        ("t3", TransactionStatus.DELIVERED),
    ]
