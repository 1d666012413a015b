"""The daily round: each connection once, within Xero's rate limits, with one event; also when runs are killed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.upkeep.connections import PAGE_SIZE
from feedlane.upkeep.daily_round import CONNECTIONS_PER_MINUTE_MAX
from tests.worlds.upkeep import BETWEEN_RUNS, Killed, World


def test_ten_thousand_connections_are_each_visited_once_and_told_of_once_within_xeros_limits() -> None:
    world = World(10_000)
    world.kill_grants(0.02)

    runs = world.run_until_finished()

    assert 2 < runs < 12
    assert set(world.xero.token_requests.values()) == {1}
    assert len(world.xero.token_requests) == 10_000
    assert world.round.seen == 10_000
    assert world.matches_xero()
    assert world.end_events() == Counter(world.ended)
    assert world.round.ended == len(world.ended) > 300
    # One token, one list and three about the organisation for each; two for the few whose token ended early.
    assert world.xero.calls_per_minute_max() < 5.2 * CONNECTIONS_PER_MINUTE_MAX


@pytest.mark.parametrize("seed", range(8))
def test_runs_that_are_killed_anywhere_leave_nobody_out_and_tell_nothing_twice(seed: int) -> None:
    world = World(1_500, seed)
    world.kill_grants(0.05)
    kills = 0

    def kill_sometimes() -> None:
        nonlocal kills
        if world.rng.random() < 1 / 400:
            kills += 1
            raise Killed

    world.xero.on_call = world.table.on_commit = kill_sometimes  # type: ignore[method-assign]
    world.run_until_finished(100)

    assert kills > 3
    assert len(world.xero.token_requests) == 1_500
    assert sum(world.xero.token_requests.values()) <= 1_500 + kills * PAGE_SIZE
    assert world.matches_xero()
    assert world.end_events() == Counter(world.ended)


def test_a_finished_round_costs_nothing_until_the_next_day_and_repeats_no_event() -> None:
    world = World(200)
    world.run_until_finished()
    calls, events = len(world.xero.times), world.end_events()

    assert world.run_until_finished() == 1
    assert len(world.xero.times) == calls

    world.now += timedelta(days=1)
    world.run_until_finished()
    assert len(world.xero.times) > calls
    assert world.end_events() == events


def test_users_with_many_organisations_are_asked_for_once_a_page() -> None:
    world = World(1_000, users=10)
    world.run_until_finished()
    assert sum(world.xero.token_requests.values()) <= 10 * (1_000 / PAGE_SIZE + 1)
    assert world.matches_xero()


def test_two_runs_at_once_do_not_do_the_same_work() -> None:
    world = World(120)
    other_results: list[object] = []

    def run_another() -> None:
        world.xero.on_call = lambda: None
        other_results.append(world.run())

    world.xero.on_call = run_another
    world.run_until_finished()
    assert other_results == [None]
    assert set(world.xero.token_requests.values()) == {1}


def test_a_lost_answer_is_asked_for_again_before_xeros_grace_period_is_over() -> None:
    world = World(300)
    in_doubt = world.linked[7]
    first: dict[str, object] = {}

    def note_time() -> None:
        if world.xero.token_requests[in_doubt.token_set_id or ""]:
            first.setdefault("at", world.now)

    world.xero.on_call = note_time
    world.xero.lost[in_doubt.token_set_id or ""] = 2
    world.run_until_finished()
    assert world.xero.token_requests[in_doubt.token_set_id or ""] == 3
    assert world.now - first["at"] < timedelta(minutes=31)  # type: ignore[operator]
    assert world.matches_xero()
    assert set(world.end_events().values()) <= {1}


def test_what_stays_in_doubt_is_left_to_the_next_day() -> None:
    world = World(60)
    in_doubt = world.linked[7].token_set_id or ""
    world.xero.lost[in_doubt] = 100
    world.run_until_finished()
    assert world.xero.token_requests[in_doubt] == 4
    world.xero.lost.clear()
    world.now += timedelta(days=1)
    world.run_until_finished()
    assert world.xero.token_requests[in_doubt] == 5


def test_an_outage_ends_the_run_at_once_and_the_round_goes_on_afterwards() -> None:
    world = World(500)
    world.xero.is_down = True
    for _ in range(4):
        world.run()
        world.now += BETWEEN_RUNS
    assert len(world.xero.times) <= 4
    assert not world.end_events()

    world.xero.is_down = False
    world.run_until_finished()
    assert len(world.xero.token_requests) == 500
    assert world.matches_xero()
    assert world.end_events() == Counter(world.ended)


def test_a_connection_that_is_reconnected_while_xero_is_asked_is_not_ended() -> None:
    world = World(1)
    [connection] = world.linked
    world.xero.dead.add(connection.token_set_id or "")

    def reconnect() -> None:
        world.xero.on_call = lambda: None
        current = company_items.connection(world.store, connection.company_id, connection.id)
        world.store.commit(company_items.put_connection(current.but(token_set_id="token-set-new")))

    world.xero.on_call = reconnect
    world.run_until_finished()
    assert world.status(connection) is ConnectionStatus.LINKED
    assert not world.end_events()


def test_a_token_that_ended_early_ends_no_connection() -> None:
    world = World(1)
    connection: Connection = world.linked[0]
    world.xero.tenants[connection.token_set_id or ""] = {connection.tenant.id} if connection.tenant else set()
    world.ended.clear()
    world.xero.ended_early.add(connection.token_set_id or "")
    world.run_until_finished()
    assert world.status(connection) is ConnectionStatus.LINKED


def test_an_unfinished_round_is_carried_on_the_next_day_and_not_begun_anew() -> None:
    world = World(2_500)
    world.run()
    assert world.round.after
    world.now += timedelta(days=1)
    world.run_until_finished()
    assert set(world.xero.token_requests.values()) == {1}
    assert len(world.xero.token_requests) == 2_500
