"""Synthetic balances: computed from the amounts, so that lines whose balances do not run still go together."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Closing
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Accepted, NoAnswer, Statement, StatementStatus
from feedlane.holds.release import release_feed
from feedlane.money import loads
from feedlane.settings import items as settings_items
from feedlane.statements.statement import NextStatement, next_statement
from tests import builders
from tests.fakes.upstream import REJECTED
from tests.worlds.feeds import World, transactions

MONEY = st.decimals("-999999999.9999", "999999999.9999", places=4)


@given(data=st.data(), count=st.integers(1, 3500))
@settings(deadline=None, max_examples=25)
def test_any_lines_make_as_few_statements_as_possible_whose_balances_chain_exactly(data: Any, count: int) -> None:
    amounts = data.draw(st.lists(MONEY, min_size=1, max_size=20))
    balances = data.draw(st.lists(MONEY, min_size=1, max_size=20))
    ledger = [
        Line(f"t{n}", "2026-05-01", amounts[n % len(amounts)], balances[n % len(balances)], "", "", "", "Unknown")
        for n in range(count)
    ]
    statements = cut_all(ledger)
    assert len(statements) == ceil(count / STATEMENT_LINES_MAX)
    assert [line for statement in statements for line in statement.lines] == ledger
    balance = ledger[0].balance - ledger[0].amount
    for statement in statements:
        assert statement.start_balance == balance
        balance += sum((line.amount for line in statement.lines), Decimal(0))
        assert statement.end_balance == balance
    assert cut_all(ledger) == statements


def cut_all(ledger: list[Line]) -> list[Statement]:
    feed, statements = builders.feed(), []
    while feed.delivered_through < len(ledger):
        waiting = ledger[feed.delivered_through :]
        cut = next_statement(feed, waiting, date(2026, 5, 20), lambda line: 100, synthetic_balances=True)
        assert isinstance(cut, NextStatement)
        statements.append(cut.statement)
        closing = Closing(feed_connection_id=feed.feed_connection_id, balance=cut.statement.end_balance)
        feed = feed.but(delivered_through=cut.last, closing=closing)
    return statements


def garbage(count: int, start: int = 1) -> list[dict[str, Any]]:
    """Every line has the account's balance of the day."""
    return [row | {"balance": 500.0} for row in transactions(count, start)]


@pytest.fixture
def world() -> World:
    world = World()
    stored = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(stored.but(synthetic_balances=True)))
    return world


def balances(world: World) -> list[list[Decimal]]:
    """The opening and the closing balance of each statement posted."""
    return [[Decimal(sum) for sum in loads(request)["balances"]] for _, request in world.upstream.posts]


def test_twenty_lines_with_the_same_balance_are_one_statement(world: World) -> None:
    world.record(world.message(garbage(20)))
    world.run()
    assert balances(world) == [[490, 690]]
    assert world.operations()[0].warnings == ()
    assert world.events("bankFeeds.gapFound") == []


def test_the_next_statement_opens_with_what_the_last_one_closed_with(world: World) -> None:
    world.record(world.message(garbage(2)))
    world.run()
    world.record(world.message(garbage(3, start=3)))
    world.run()
    assert balances(world) == [[490, 510], [510, 540]]


def test_a_feed_that_is_switched_continues_from_its_last_statement(world: World) -> None:
    stored = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(stored.but(synthetic_balances=False)))
    world.record(world.message(transactions(2)))
    world.run()
    world.store.commit(feed_items.put_feed(world.feed().but(synthetic_balances=True)))
    world.record(world.message(garbage(3, start=3)))
    world.run()
    assert balances(world) == [[0, 20], [20, 50]]


def test_a_feed_may_keep_its_own_balances(world: World) -> None:
    world.store.commit(feed_items.put_feed(world.feed().but(synthetic_balances=False)))
    world.record(world.message(garbage(3)))
    world.run()
    assert len(world.upstream.taken) == 3


def test_a_refused_statement_does_not_move_the_balance(world: World) -> None:
    world.record(world.message(garbage(2)))
    world.run()
    world.upstream.answers = [REJECTED]
    world.record(world.message(garbage(1, start=3)))
    world.run()
    release_feed(world.ports, world.now, world.feed())
    world.run()
    assert balances(world)[1:] == [[510, 520], [510, 520]]
    assert world.feed().delivered_through == 3


def test_a_statement_rejected_later_does_not_move_the_balance(world: World) -> None:
    world.record(world.message(garbage(2)))
    world.step()
    world.upstream.statuses["statement-1"] = Accepted(
        statement_id="statement-1", status=StatementStatus.REJECTED, problems=(REJECTED.problem,)
    )
    world.run()
    assert world.feed().closing_balance is None


def test_a_crash_between_the_cut_and_the_post_sends_the_same_balances(world: World) -> None:
    world.record(world.message(garbage(2)))
    world.upstream.answers = [NoAnswer(reason="lost")]
    world.step()
    stored = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(stored.but(synthetic_balances=False)))
    world.record(world.message(garbage(2, start=3)))
    world.run()
    assert balances(world)[:2] == [[490, 510], [490, 510]]


def test_another_xero_account_starts_anew(world: World) -> None:
    world.record(world.message(garbage(2)))
    world.run()
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id="fc-another")))
    world.record(world.message(garbage(1, start=3)))
    world.run()
    assert balances(world)[-1] == [490, 500]
