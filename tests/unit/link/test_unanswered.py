"""Starts that Xero never answers are reported once per connection and ten minutes, when they have expired."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import ConnectionStatus
from feedlane.link.start_window import StartWindow
from feedlane.store.due import Kind
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Index
from feedlane.upkeep import overdue
from tests.fakes.browser import Browser
from tests.rights import acting_as
from tests.worlds.web import World

UNANSWERED = "connection.authorizationUnanswered"
# After the last state of the window has expired, and its place in the index has come.
OVER = timedelta(minutes=20)


@pytest.fixture
def world() -> World:
    return World()


def _watch(world: World, after: timedelta = OVER) -> None:
    world.now += after
    with acting_as("tend_connections"):
        looks = overdue.ring(world.ports)
    assert (looks.failed, looks.rung[Kind.LINK_START]) == ([], 0)


def _listed(world: World) -> list[StartWindow]:
    listed = [item for item in world.table.items.values() if Index.DUE.keys[0] in item]
    return [StartWindow.model_validate(item) for item in listed if item["sk"].startswith("STARTS#")]


@contextmanager
def _writes(world: World) -> Iterator[list[int]]:
    """The number of items in each commit."""
    counted: list[int] = []
    real = world.table.commit

    def commit(*writes: Any) -> None:
        counted.append(len(writes))
        real(*writes)

    world.table.commit = commit
    yield counted
    world.table.commit = real


def test_a_start_that_never_comes_back_is_reported_as_what_is_known(world: World) -> None:
    world.start()
    _watch(world)
    assert world.event_types == [UNANSWERED]
    [payload] = world.payloads(UNANSWERED)
    assert payload["startedDate"] == "2026-05-20T12:00:00.000Z"
    assert (payload["connected"], payload["connectionLimit"]) == (0, 25)
    [error] = world.current().errors
    assert (error.reason, error.status_code) == ("start-unanswered", "408")
    assert "not known" in error.status_text
    assert "cancelled" not in error.status_text
    assert world.current().status is ConnectionStatus.PENDING_AUTH


def test_a_link_that_is_opened_1500_times_makes_one_event_and_no_message(world: World) -> None:
    with _writes(world) as writes:
        for _ in range(1500):
            world.start(browser=Browser(world.site))
            world.advance(milliseconds=300)
    assert sorted(writes)[-2:] == [1, 2]
    assert sum(writes) == 1501
    assert (world.queues.follow_ups, world.queues.woken) == ([], [])
    assert len(_listed(world)) == 1
    _watch(world)
    _watch(world)
    assert world.event_types == [UNANSWERED]
    assert len(world.current().errors) == 1


def test_a_scanner_that_never_stops_is_reported_once_in_ten_minutes(world: World) -> None:
    for _ in range(60):
        world.start(browser=Browser(world.site))
        _watch(world, timedelta(minutes=1))
    _watch(world)
    assert world.event_types == [UNANSWERED] * 6


def test_nothing_is_reported_before_the_last_start_of_the_window_has_expired(world: World) -> None:
    world.start()
    world.now += timedelta(minutes=9)
    state = world.start()
    _watch(world, timedelta(minutes=9))
    assert world.event_types == []
    world.call_back(state)
    _watch(world)
    assert world.event_types == ["connection.connected"]


def test_a_start_that_came_back_is_not_reported(world: World) -> None:
    world.link()
    assert _listed(world) == []
    _watch(world)
    assert world.event_types == ["connection.connected"]


def test_a_customer_who_cancelled_has_answered_whoever_else_opened_the_link(world: World) -> None:
    world.start(browser=Browser(world.site))
    world.browser.get(f"/oauth/callback?error=access_denied&state={world.start()}")
    world.start(browser=Browser(world.site))
    _watch(world)
    assert world.event_types == ["connection.failed"]


def test_who_came_back_by_the_start_of_another_window_is_not_reported(world: World) -> None:
    """Two browser windows, one finished: the customer is where they wanted to be."""
    world.start()
    world.now += timedelta(minutes=11)
    world.link()
    _watch(world)
    assert world.event_types == ["connection.connected"]


def test_an_unanswered_reconnection_leaves_a_linked_connection_without_an_error(world: World) -> None:
    world.link()
    world.now += timedelta(hours=1)
    world.start(query="?link.reconnect=1")
    _watch(world)
    assert world.event_types == ["connection.connected", UNANSWERED]
    assert world.current().is_linked
    assert world.current().errors == ()


def test_linking_later_resolves_it(world: World) -> None:
    world.start()
    _watch(world)
    world.link()
    [error] = world.current().errors
    assert error.resolved_on is not None


def test_a_deleted_connection_is_nothing_to_report(world: World) -> None:
    world.start()
    world.store.commit(company_items.remove_connection(world.current()))
    _watch(world)
    assert world.event_types == []
    assert _listed(world) == []


def test_two_looks_at_the_same_moment_report_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A linked connection is not written: only the window prevents a second report."""
    world.link()
    world.now += timedelta(hours=1)
    world.start(query="?link.reconnect=1")
    company = company_items.company

    def look_first(store: Store, company_id: str) -> Company:
        monkeypatch.undo()
        _watch(world, timedelta(0))
        return company(store, company_id)

    monkeypatch.setattr(company_items, "company", look_first)
    _watch(world)
    assert world.event_types.count(UNANSWERED) == 1


def test_an_answer_while_the_window_is_looked_at_is_not_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    state = world.start()
    company = company_items.company

    def answer_first(store: Store, company_id: str) -> Company:
        monkeypatch.undo()
        world.now -= OVER
        world.browser.get(f"/oauth/callback?error=access_denied&state={state}")
        world.now += OVER
        return company(store, company_id)

    monkeypatch.setattr(company_items, "company", answer_first)
    _watch(world)
    assert world.event_types == ["connection.failed"]


def test_two_first_starts_at_once_are_both_stored_and_open_one_window(world: World) -> None:
    real = world.table.commit

    def start_first(*writes: Any) -> None:
        world.table.commit = real
        world.start(browser=Browser(world.site))
        real(*writes)

    world.table.commit = start_first
    world.start()
    assert len(_listed(world)) == 1
    assert len([key for key in world.table.items if key[1] == "STATE"]) == 2


def test_a_start_that_cannot_be_stored_goes_nowhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*writes: Any) -> None:
        raise ConditionFailed([("STATE#x", "STARTS#1")])

    monkeypatch.setattr(world.table, "commit", refuse)
    assert world.browser.get(f"{world.base()}/start").status == 503
