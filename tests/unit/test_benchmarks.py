"""Benchmarks that need no deployed system still run: otherwise nobody notices before the figures are wanted."""

from __future__ import annotations

from tests.benchmarks import cost


def test_what_a_push_of_a_thousand_costs_can_be_counted_to_the_last_webhook() -> None:
    units = cost.used(len(cost.FEEDS) * cost.PUSH, {})
    assert units["http_api_request"] == units["event"] == len(cost.FEEDS)
    assert 0 < sum(cost.priced(units).values()) * 100 < 3
