"""A day's lines that come newest first are recorded the other way round, if their balances prove it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from feedlane.feeds import items as feed_items
from feedlane.feeds.day_order import oldest_first
from feedlane.feeds.ledger import MANY_GAPS
from feedlane.feeds.line import Line
from tests.worlds.feeds import World, transactions

AMOUNTS = st.lists(st.decimals("-99.99", "99.99", places=2).filter(bool), min_size=1, max_size=8)


def line(id: str, day: str, amount: Decimal, balance: Decimal) -> Line:
    return Line(id, day, amount, balance, "", "", "", "Unknown")


def days(amounts: list[list[Decimal]], opening: Decimal = Decimal(0)) -> list[list[Line]]:
    """Lines in their order, day by day, with running balances."""
    result = []
    for number, of_day in enumerate(amounts, 1):
        lines = []
        for amount in of_day:
            opening += amount
            lines.append(line(f"{number}-{len(lines)}", date(2026, 5, number).isoformat(), amount, opening))
        result.append(lines)
    return result


def test_the_closing_balance_is_that_of_the_newest_line() -> None:
    world = World()
    world.record(world.message(transactions(2, day="2026-05-01")))
    newest_first = transactions(4, start=3, day="2026-05-02", opening=20.0)[::-1]
    world.record(world.message(newest_first))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4", "t5", "t6"]
    assert len(world.upstream.taken) == 1
    assert world.feed().recorded_balance == Decimal(60)
    warnings = [warning.validator for operation in world.operations() for warning in operation.warnings]
    assert warnings == ["NewestFirst"]


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_days_turned_round_come_out_in_their_order(amounts: list[list[Decimal]]) -> None:
    in_order = days(amounts)
    sent = [one for of_day in in_order for one in of_day[::-1]]
    lines, turned = oldest_first(sent, Decimal(0))
    assert sorted(lines) == sorted(sent)
    for of_day in in_order:
        is_turned = of_day[0].date in turned
        assert [one for one in lines if one.date == of_day[0].date] == (of_day if is_turned else of_day[::-1])
        runs_as_sent = all(
            before.balance + after.amount == after.balance
            for before, after in zip(of_day[::-1], of_day[-2::-1], strict=False)
        )
        assert is_turned or runs_as_sent


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_what_runs_stays_as_it_is(amounts: list[list[Decimal]]) -> None:
    sent = [one for of_day in days(amounts) for one in of_day]
    assert oldest_first(sent, Decimal(0)) == (sent, [])


def test_two_lines_that_only_run_backwards_by_chance_stay_in_their_order() -> None:
    """What came before them does not lead to the older one."""
    pair = [line("a", "2026-05-01", Decimal(5), Decimal(12)), line("b", "2026-05-01", Decimal(1), Decimal(7))]
    assert oldest_first(pair, Decimal(100)) == (pair, [])
    assert oldest_first(pair, Decimal(6)) == (pair[::-1], ["2026-05-01"])


def test_balances_that_all_say_the_same_are_warned_of_with_what_they_cost() -> None:
    """The account's current balance on every line: each becomes a statement of its own."""
    world = World()
    rows = [row | {"balance": 500.0} for row in transactions(20)]
    world.record(world.message(rows))
    world.run()
    assert len(world.upstream.taken) == 20
    first = world.operations()[0].warnings[0]
    assert (first.item_id, first.validator) == ("transactions", "ManyStatements")
    assert "two calls" in first.message
    assert "syntheticBalances" in first.message


def test_a_few_gaps_are_only_gaps() -> None:
    world = World()
    rows = [row | {"balance": 500.0} for row in transactions(MANY_GAPS)]
    world.record(world.message(rows))
    assert {warning.validator for warning in world.operations()[0].warnings} == {"Gap"}


def test_the_lines_are_kept_in_the_order_of_the_ledger() -> None:
    world = World()
    world.record(world.message(transactions(3)[::-1]))
    assert [one.id for one in feed_items.read_lines(world.store, world.feed().id, 1, 3)] == ["t1", "t2", "t3"]
