"""A start that Xero never answers is reported once, when it expires."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import ConnectionStatus
from feedlane.follow_ups import LinkStartCheck
from feedlane.link import unanswered_starts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from tests.fakes.browser import Browser
from tests.worlds.web import World

UNANSWERED = "connection.authorizationUnanswered"


@pytest.fixture
def world() -> World:
    return World()


def _later(world: World, **by: float) -> None:
    world.now += timedelta(**by)
    world.run_follow_ups("linkStart")


def test_a_start_that_never_comes_back_is_reported_as_what_is_known(world: World) -> None:
    world.start()
    _later(world, minutes=10, seconds=1)
    assert world.event_types == [UNANSWERED]
    [payload] = world.payloads(UNANSWERED)
    assert payload["startedDate"] == "2026-05-20T12:00:00.000Z"
    assert (payload["connected"], payload["connectionLimit"]) == (0, 25)
    [error] = world.current().errors
    assert (error.reason, error.status_code) == ("start-unanswered", "408")
    assert "not known" in error.status_text
    assert "cancelled" not in error.status_text
    assert world.current().status is ConnectionStatus.PENDING_AUTH


def test_the_same_look_again_reports_nothing_more(world: World) -> None:
    world.start()
    [(check, _)] = world.queues.follow_ups
    world.queues.follow_ups *= 3
    _later(world, minutes=11)
    world.queues.follow_ups.append((check, 0))
    _later(world, minutes=1)
    assert world.event_types == [UNANSWERED]
    assert len(world.current().errors) == 1


def test_every_start_is_reported_by_itself(world: World) -> None:
    world.start()
    world.start(browser=Browser(world.site))
    _later(world, minutes=11)
    assert world.event_types == [UNANSWERED] * 2


def test_a_look_that_comes_early_waits_for_the_end(world: World) -> None:
    world.start()
    _later(world, minutes=9)
    assert world.event_types == []
    [(follow_up, delay)] = world.queues.follow_ups
    assert (follow_up.kind, delay) == ("linkStart", 61)
    _later(world, seconds=61)
    assert world.event_types == [UNANSWERED]


def test_a_start_that_came_back_is_not_reported(world: World) -> None:
    world.link()
    _later(world, minutes=11)
    assert world.event_types == ["connection.connected"]


def test_a_customer_who_cancelled_has_answered(world: World) -> None:
    world.browser.get(f"/oauth/callback?error=access_denied&state={world.start()}")
    _later(world, minutes=11)
    assert world.event_types == ["connection.failed"]


def test_who_came_back_by_another_start_is_not_reported(world: World) -> None:
    """Two windows, one finished: the customer is where they wanted to be."""
    world.start()
    world.link()
    _later(world, minutes=11)
    assert world.event_types == ["connection.connected"]


def test_an_unanswered_reconnection_leaves_a_linked_connection_without_an_error(world: World) -> None:
    world.link()
    world.now += timedelta(hours=1)
    world.start(query="?link.reconnect=1")
    _later(world, minutes=11)
    assert world.event_types == ["connection.connected", UNANSWERED]
    assert world.current().is_linked
    assert world.current().errors == ()


def test_linking_later_resolves_it(world: World) -> None:
    world.start()
    _later(world, minutes=11)
    world.link()
    [error] = world.current().errors
    assert error.resolved_on is not None


def test_a_deleted_connection_and_an_unknown_state_are_nothing_to_report(world: World) -> None:
    world.start()
    world.store.commit(company_items.remove_connection(world.current()))
    world.queues.follow_ups.append((LinkStartCheck(link_state="unknown"), 0))
    _later(world, minutes=11)
    assert world.event_types == []


def test_the_state_itself_is_not_on_the_queue(world: World) -> None:
    state = world.start()
    [(check, _)] = world.queues.follow_ups
    assert state not in check.model_dump_json()


def test_two_looks_at_the_same_moment_report_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS may deliver a message twice. A linked connection is not written: only the state prevents a second report."""
    world.link()
    world.queues.follow_ups.clear()
    world.now += timedelta(hours=1)
    world.start(query="?link.reconnect=1")
    [(check, _)] = world.queues.take("follow_ups")
    world.now += timedelta(minutes=11)
    company = company_items.company

    def check_first(store: Store, company_id: str) -> Company:
        monkeypatch.undo()
        unanswered_starts.check(world.ports, world.now, check)
        return company(store, company_id)

    monkeypatch.setattr(company_items, "company", check_first)
    with pytest.raises(ConditionFailed):
        unanswered_starts.check(world.ports, world.now, check)
    assert world.event_types.count(UNANSWERED) == 1
