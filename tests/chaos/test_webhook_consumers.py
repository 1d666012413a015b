"""Consumers that fail, hang or are slow do not delay the others. `make webhooks` does the same with 10,000 events."""

from __future__ import annotations

from tests.benchmarks.webhooks import BAD, run

EVENTS = 200
BAD_FROM_THE_START = tuple(name.removesuffix(" later") for name in BAD)


def test_each_healthy_consumer_has_each_event_once_and_soon_whatever_the_others_do() -> None:
    calm, troubled = run(EVENTS, ()), run(EVENTS, BAD_FROM_THE_START, until_all=False)
    for result in (calm, troubled):
        assert (result.events, result.lost, result.invented, result.twice_to_healthy) == (EVENTS, 0, 0, 0)
        # A second longer than the transport takes: until a consumer's first answer, the rest of a burst waits.
        assert result.delays[-1] < 3
        assert result.spreads[-1] < 2.5
    slower = troubled.figures("healthy")["healthy_delay_p99_seconds"] - calm.figures("calm")["calm_delay_p99_seconds"]
    assert slower < 0.5


def test_one_that_begins_to_hang_in_the_middle_of_a_burst_costs_the_others_its_first_time_out_at_most() -> None:
    result = run(EVENTS, BAD, until_all=False)
    assert (result.lost, result.invented, result.twice_to_healthy) == (0, 0, 0)
    figures = result.figures("healthy")
    assert figures["healthy_delay_p50_seconds"] < 3
    assert figures["healthy_delay_max_seconds"] < 18


def test_those_that_were_bad_have_everything_once_they_have_recovered() -> None:
    result = run(60, BAD)
    assert (result.lost, result.invented) == (0, 0)
    assert result.posts_to_bad > 2 * 60
