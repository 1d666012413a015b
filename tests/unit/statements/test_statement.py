"""Which lines are sent next: as many as fit, never across a gap, never from the future."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX
from feedlane.statements.statement import STATEMENT_BYTES_MAX, NextStatement, Wait, next_statement
from tests import builders

TODAY = date(2026, 5, 20)


def feed(delivered_through: int = 0) -> Feed:
    return builders.feed(delivered_through=delivered_through)


def lines(amounts: list[str], day: str = "2026-05-01", opening: str = "0") -> list[Line]:
    balance, ledger = Decimal(opening), []
    for number, amount in enumerate(amounts, 1):
        balance += Decimal(amount)
        ledger.append(Line(f"t{number}", day, Decimal(amount), balance, "", "", "", "Unknown"))
    return ledger


def cut(waiting: list[Line], size: int = 100, delivered_through: int = 0) -> NextStatement:
    result = next_statement(feed(delivered_through), waiting, TODAY, lambda line: size)
    assert isinstance(result, NextStatement)
    return result


def test_nothing_waiting_makes_no_statement() -> None:
    assert next_statement(feed(), [], TODAY, lambda line: 1) is None


def test_everything_that_waits_goes_as_one_statement_with_its_balances() -> None:
    result = cut(lines(["100", "-40.25", "0"], opening="10"), delivered_through=7)
    assert (result.first, result.last) == (8, 10)
    assert (result.statement.start_balance, result.statement.end_balance) == (Decimal(10), Decimal("69.75"))


def test_an_overdrawn_account_opens_and_closes_below_zero() -> None:
    statement = cut(lines(["-50", "20"], opening="-100")).statement
    assert (statement.start_balance, statement.end_balance) == (Decimal(-100), Decimal(-130))


def test_a_thousand_lines_are_the_most() -> None:
    assert cut(lines(["1"] * 1500)).last == STATEMENT_LINES_MAX


def test_a_statement_stays_below_xeros_size() -> None:
    assert cut(lines(["1"] * 10), size=STATEMENT_BYTES_MAX // 3).last == 2


def test_one_line_goes_however_large_it_is() -> None:
    assert cut(lines(["1"] * 2), size=STATEMENT_BYTES_MAX * 2).last == 1


def test_a_gap_ends_the_statement() -> None:
    before_gap, after_gap = lines(["1", "1"]), lines(["1"], opening="500")
    assert cut(before_gap + after_gap).last == 2


def test_the_future_waits() -> None:
    assert next_statement(feed(), lines(["1"], day="2026-05-21"), TODAY, lambda line: 1) == Wait("2026-05-21")
    assert cut([*lines(["1"]), lines(["1", "1"], day="2026-05-21")[1]]).last == 1


@given(st.lists(st.tuples(st.decimals("-9999", "9999", places=4), st.booleans()), min_size=1, max_size=60))
def test_every_statement_adds_up_and_together_they_are_the_ledger(steps: list[tuple[Decimal, bool]]) -> None:
    balance, ledger = Decimal(0), []
    for number, (amount, has_gap) in enumerate(steps, 1):
        balance += amount + (Decimal("0.01") if has_gap else 0)
        ledger.append(Line(f"t{number}", "2026-05-01", amount, balance, "", "", "", "Unknown"))
    sent: list[Line] = []
    while len(sent) < len(ledger):
        result = cut(ledger[len(sent) :], delivered_through=len(sent))
        statement = result.statement
        total = sum((line.amount for line in statement.lines), Decimal(0))
        assert statement.start_balance + total == statement.end_balance
        assert result.first == len(sent) + 1
        sent += statement.lines
    assert sent == ledger
