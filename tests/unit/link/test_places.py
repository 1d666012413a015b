"""Places at Xero are counted as Xero counts them: until the connection is gone there, whatever it is here."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import connection_limit, places
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.connection_end import disconnection_writes
from feedlane.companies.organisations import Organisation
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.credentials.problems import ONE_OFF_ENDED
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.link import connections, unused_organisations
from feedlane.link.choice import OrganisationChoice
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import Index
from tests.fakes.consent import ACME, OTHER
from tests.rights import acting
from tests.worlds.web import World

DEAD = Problem(type="invalid_grant", title="Authorisation ended", status=400)
PRACTICE = Organisation(
    tenant_id="practice", name="Advisers", xero_connection_id="xero-practice", is_organisation=False
)


def _end(world: World, problem: Problem) -> None:
    connection = world.current()
    company = company_items.company(world.store, connection.company_id)
    world.store.commit(*disconnection_writes(world.ports, connection, problem, company, world.now))


def _may_start(world: World, connection: Connection | None = None) -> bool:
    return world.browser.get(f"{world.base(connection)}/start?link.reconnect=1").status == 302


def _refuse(error: Exception) -> Any:
    def refuse(*_: object) -> None:
        raise error

    return refuse


@pytest.fixture
def world() -> World:
    """One place at Xero."""
    return World(connection_limit=1)


@pytest.mark.parametrize(("problem", "kept"), [(ONE_OFF_ENDED, 1), (DEAD, 1), (CONNECTION_REMOVED, 0)])
def test_an_ended_connection_keeps_its_place_unless_xero_has_removed_it(
    world: World, problem: Problem, kept: int
) -> None:
    world.link()
    _end(world, problem)
    assert connection_limit.linked_count(world.store) == 0
    assert connection_limit.taken_places(world.store) == kept
    assert _may_start(world, world.add_connection()) is not bool(kept)
    assert _may_start(world), "Xero asks for no second place of the organisation"
    world.link(code="code-2")
    assert world.current().is_linked
    assert connection_limit.taken_places(world.store) == 1


def test_organisations_that_wait_for_a_choice_have_their_places(world: World) -> None:
    world = World(connection_limit=2)
    world.site.organisations.consented = [ACME, OTHER]
    path = world.link().path
    assert connection_limit.taken_places(world.store) == 2
    assert not _may_start(world, world.add_connection())
    world.browser.post(path, {"formToken": world.form_token(path), "tenantId": OTHER.tenant_id})
    assert world.current().is_linked
    assert connection_limit.taken_places(world.store) == 1
    assert _may_start(world, world.add_connection())


def test_what_is_no_organisation_is_removed_and_counts_until_then(world: World) -> None:
    world.site.organisations.consented = [PRACTICE]
    world.site.organisations.remove = _refuse(Unavailable("outage"))  # type: ignore[method-assign]
    assert "No organisation" in world.link().body
    assert not _may_start(world)
    place = places.find_place(world.store, PRACTICE.tenant_id)
    assert place is not None
    assert place.look is not None, "the watch removes it"
    del world.site.organisations.remove  # type: ignore[method-assign]
    world = World(connection_limit=1)
    world.site.organisations.consented = [PRACTICE]
    world.link()
    assert world.site.organisations.removed == [PRACTICE.tenant_id]
    assert _may_start(world)


def test_what_may_be_of_an_earlier_consent_is_not_left_to_the_watch_to_end(world: World) -> None:
    """Without an event id in the token, Xero lists all that the user has connected, perhaps to another deployment."""
    choice = OrganisationChoice(
        token_set_id="tokens-1", authentication_event_id="", scopes=(), organisations=(ACME, OTHER)
    )
    world.site.organisations.remove = _refuse(Unavailable("Xero's access token names no consent"))  # type: ignore[method-assign]
    unused_organisations.remove(world.store, world.site.organisations, choice, choice.organisations, world.now)
    assert unused_organisations.place_writes(world.store, choice, choice.organisations, world.now, world.now) == []
    assert connection_limit.taken_places(world.store) == 0


def test_a_deauthorized_connection_can_be_unlinked_and_gives_its_organisation_up(world: World) -> None:
    world.link()
    _end(world, DEAD)
    ended: list[str] = []
    unlinked = acting("public_api", _Unlinking(world)).unlink(lambda connection: ended.append(connection.id))
    assert unlinked.status is ConnectionStatus.UNLINKED
    assert ended == [unlinked.id]
    assert connection_limit.taken_places(world.store) == 0
    other = world.add_connection()
    world.link(other, code="code-2")
    assert world.current(other).is_linked, "the organisation is another company's now"


def test_one_that_nobody_can_end_at_xero_keeps_its_place_until_the_watch_has(world: World) -> None:
    world.link()
    _end(world, ONE_OFF_ENDED)
    acting("public_api", _Unlinking(world)).unlink(_refuse(ReconnectionNeeded(ONE_OFF_ENDED)))
    assert connection_limit.taken_places(world.store) == 1
    place = places.find_place(world.store, ACME.tenant_id)
    assert place is not None
    assert place.look == world.now


def test_a_linked_connection_is_not_unlinked_while_xero_keeps_it(world: World) -> None:
    world.link()
    with pytest.raises(Unavailable):
        acting("public_api", _Unlinking(world)).unlink(_refuse(Unavailable("Xero refuses to end it")))
    assert world.current().is_linked


def test_a_recount_reads_the_connections_once_in_ten_minutes(world: World) -> None:
    world.link()
    lists = 0
    real = world.table.query

    def query(pk: str, **how: Any) -> Any:
        nonlocal lists
        lists += pk == keys.CONNECTIONS and how.get("index") is Index.LISTS
        return real(pk, **how)

    world.table.query = query
    other = world.add_connection()
    for _ in range(20):
        assert not _may_start(world, other)
    assert lists == 1
    world.advance(minutes=10)
    assert not _may_start(world, other)
    assert lists == 2


class _Unlinking:
    def __init__(self, world: World) -> None:
        self._world = world

    def unlink(self, disconnect: connections.Disconnect) -> Connection:
        connection, world = self._world.current(), self._world
        return connections.unlink(world.ports, disconnect, world.now, connection.company_id, connection.id)
