"""Benchmarks that need no deployed system run here, so that they do not break unnoticed."""

from __future__ import annotations

from tests.benchmarks import cost


def test_what_a_push_of_a_thousand_costs_can_be_counted_to_the_last_webhook() -> None:
    units = cost.used(len(cost.FEEDS) * cost.PUSH, {})
    assert units["http_api_request"] == units["event"] == len(cost.FEEDS)
    assert 0 < sum(cost.priced(units).values()) * 100 < 3
