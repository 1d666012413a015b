"""A backlog goes through Codat in as few pushes as its lines allow."""

from __future__ import annotations

from tests.benchmarks import codat


def test_5000_messages_of_5_feeds_take_at_most_a_fifth_more_pushes_than_they_must() -> None:
    [ratio] = codat.run()
    assert ratio.name == "codat_pushes_ratio"
    assert 1 <= ratio.value <= 1.2
    assert ratio.is_met
