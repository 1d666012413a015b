"""A connection that needed its customer recovers at Xero, or a linked one loses bank feeds: one event for each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.connection import FAULTS_KEPT_MAX, Connection, ConnectionFault, ConnectionStatus
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.credentials.token_set import AccessToken
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.settings import items as settings_items
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.xero.connections import XeroConnection
from tests.builders import NOW
from tests.fakes.consent import ACME, FakeOrganisations
from tests.unit.web.held import add_feed, hold_connection
from tests.worlds.web import World

REFUSED = Problem(type="about:blank", title="Forbidden", status=403, detail="AuthenticationUnsuccessful")


class Xero:
    """The vault and Xero as the daily check calls them: a token with these scopes, and these tenants."""

    def __init__(self) -> None:
        self.scopes: tuple[str, ...] = ("bankfeeds", "offline_access")
        self.tenants = [ACME.tenant_id]
        self.token_requests = 0

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        self.token_requests += 1
        return AccessToken(value="token", expires_at=NOW, scopes=self.scopes)

    def list_connections(self, access_token: str) -> list[XeroConnection]:
        return [
            XeroConnection(id=ACME.xero_connection_id, tenant_id=id, tenant_name=ACME.name, tenant_type="ORGANISATION")
            for id in self.tenants
        ]


@pytest.fixture
def world() -> World:
    world = World()
    world.link()
    world.xero = Xero()  # type: ignore[attr-defined]
    return world


def _check(world: World) -> Connection:
    xero: Xero = world.xero  # type: ignore[attr-defined]
    details = FakeOrganisations().details
    connection_check = ConnectionCheck(world.ports, xero, xero, details)  # type: ignore[arg-type]
    connection_check.check_page("", lambda: timedelta(minutes=5))
    world.run_follow_ups("connectionBack")
    return world.current()


def _end(world: World, problem: Problem) -> None:
    connection = world.current()
    company = company_items.company(world.store, connection.company_id)
    if writes := disconnection_writes(world.ports, connection, problem, company, world.now):
        world.store.commit(*writes)


def _event_types_after_linking(world: World) -> list[str]:
    return world.event_types[1:]


def test_one_that_ended_and_is_listed_again_recovers_once(world: World) -> None:
    _end(world, CONNECTION_REMOVED)
    assert connection_limit.linked_count(world.store) == 0
    for _ in range(3):
        recovered = _check(world)
    assert recovered.is_linked
    assert recovered.errors[0].resolved_on is not None
    assert _event_types_after_linking(world) == ["connection.disconnected", "connection.recovered"]
    [payload] = world.payloads("connection.recovered")
    assert (payload["reason"], payload["by"]) == ("connection-removed", "xero")
    assert connection_limit.linked_count(world.store) == 1


def test_what_waited_goes_on_when_it_is_well_again(world: World) -> None:
    feed = add_feed(world, token_set_id="token-set-1", recorded_through=1)
    hold_connection(world, CONNECTION_REMOVED, since=world.now)
    _end(world, CONNECTION_REMOVED)
    _check(world)
    assert hold_items.holds(world.store) == []
    assert world.queues.woken == [feed.id]


def test_one_that_is_not_listed_stays_ended_and_nothing_is_told_again(world: World) -> None:
    _end(world, CONNECTION_REMOVED)
    world.xero.tenants = []  # type: ignore[attr-defined]
    for _ in range(2):
        assert _check(world).status is ConnectionStatus.DEAUTHORIZED
    assert _event_types_after_linking(world) == ["connection.disconnected"]


def test_one_off_access_does_not_come_back_by_itself(world: World) -> None:
    _end(world, ONE_OFF_ENDED)
    assert _check(world).status is ConnectionStatus.DEAUTHORIZED


def test_who_ended_long_ago_is_asked_about_no_longer(world: World) -> None:
    _end(world, CONNECTION_REMOVED)
    world.now += timedelta(days=61)
    assert _check(world).status is ConnectionStatus.DEAUTHORIZED
    assert world.xero.token_requests == 0  # type: ignore[attr-defined]


def test_one_that_xero_lists_and_refuses_does_not_recover_every_day(world: World) -> None:
    for _ in range(5):
        _end(world, REFUSED)
        _check(world)
        world.now += timedelta(days=1)
    assert _event_types_after_linking(world).count("connection.recovered") == 1


def test_one_that_is_refused_without_a_reason_stays_linked_and_asks_for_its_customer(world: World) -> None:
    """Xero may not have ended it: it counts, and only a new consent or Xero itself restores it."""
    _end(world, REFUSED)
    refused = world.current()
    assert (refused.is_linked, refused.needs_reconnection) == (True, True)
    assert _event_types_after_linking(world) == ["connection.needsReconnection"]
    assert connection_limit.linked_count(world.store) == 1


def test_links_that_nobody_finishes_do_not_make_forget_why_the_customer_is_needed(world: World) -> None:
    _end(world, CONNECTION_REMOVED)
    unfinished = ConnectionFault(status_code="408", status_text="unanswered", error_message="", errored_on=NOW)
    ended = world.current()
    for _ in range(2 * FAULTS_KEPT_MAX):
        ended = ended.with_fault(unfinished)
    assert len(ended.errors) == FAULTS_KEPT_MAX
    assert ended.reconnection_fault is not None
    assert ended.reconnection_fault.reason == "connection-removed"


def test_without_a_free_place_it_stays_ended(world: World) -> None:
    _end(world, CONNECTION_REMOVED)
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(connection_limit=0)))
    assert _check(world).status is ConnectionStatus.DEAUTHORIZED
    assert _event_types_after_linking(world) == ["connection.disconnected"]


def test_one_that_lost_bank_feeds_needs_its_customer_and_is_told_of_once(world: World) -> None:
    world.xero.scopes = ("offline_access",)  # type: ignore[attr-defined]
    for _ in range(3):
        lacking = _check(world)
    assert lacking.is_linked
    assert lacking.needs_reconnection
    assert _event_types_after_linking(world) == ["connection.needsReconnection"]
    assert connection_limit.linked_count(world.store) == 1


def test_one_that_was_granted_bank_feeds_by_another_consent_recovers(world: World) -> None:
    xero: Xero = world.xero  # type: ignore[attr-defined]
    granted, xero.scopes = xero.scopes, ("offline_access",)
    _check(world)
    xero.scopes = granted
    for _ in range(2):
        assert not _check(world).needs_reconnection
    assert _event_types_after_linking(world) == ["connection.needsReconnection", "connection.recovered"]


def test_while_bank_feeds_are_off_nobody_misses_them(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(bank_feeds=False)))
    world.xero.scopes = ("offline_access",)  # type: ignore[attr-defined]
    _check(world)
    assert _event_types_after_linking(world) == []
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(bank_feeds=True)))
    assert _check(world).needs_reconnection
    assert _event_types_after_linking(world) == ["connection.needsReconnection"]


def test_a_round_over_connections_that_are_well_writes_nothing(world: World) -> None:
    before = dict(world.table.items)
    _check(world)
    assert world.table.items == before
