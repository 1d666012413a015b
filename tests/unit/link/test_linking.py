"""Which organisation a connection is linked to, and how many may be linked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.organisations import Organisation
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.link.choice import OrganisationChoice
from feedlane.link.linking import NotLinked, NotLinkedReason
from feedlane.wiring.checks import Checks
from tests.builders import NOW, URL
from tests.fakes.consent import ACME, OTHER
from tests.interruptions import crashes_everywhere
from tests.unit.web.held import add_feed, hold_connection
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    return World()


def test_several_organisations_are_chosen_from_and_the_others_are_disconnected(world: World) -> None:
    world.site.organisations.consented = [ACME, OTHER]
    response = world.link()
    assert response.path == f"{world.base()}/organisation"
    assert not world.current().is_linked
    page = world.browser.get(response.path)
    assert "Acme Ltd" in page.body
    assert "Other Ltd" in page.body
    token = world.form_token(response.path)
    finished = world.browser.post(response.path, {"formToken": token, "tenantId": OTHER.tenant_id})
    assert finished.path == f"{world.base()}/finish"
    tenant = world.current().tenant
    assert tenant is not None
    assert tenant.id == OTHER.tenant_id
    assert world.site.organisations.removed == [ACME.tenant_id]


def test_an_organisation_that_was_not_offered_cannot_be_chosen(world: World) -> None:
    world.site.organisations.consented = [ACME, OTHER]
    path = world.link().path
    response = world.browser.post(path, {"formToken": world.form_token(path), "tenantId": "tenant-foreign"})
    assert response.status == 422
    assert not world.current().is_linked


def test_a_consent_without_an_organisation_is_explained(world: World) -> None:
    world.site.organisations.consented = []
    response = world.link()
    assert response.status == 403
    assert "No organisation" in response.body
    assert world.event_types == ["connection.failed"]


def test_a_reconnection_takes_the_same_organisation_out_of_several(world: World) -> None:
    world.link()
    _unlink(world)
    world.site.organisations.consented = [OTHER, ACME]
    world.link(code="code-2")
    assert world.current().is_linked
    assert world.site.organisations.removed == [OTHER.tenant_id]
    assert world.event_types == ["connection.connected", "connection.reconnected"]


def test_another_organisation_on_reconnection_is_refused_and_removed(world: World) -> None:
    world.link()
    _unlink(world)
    world.site.organisations.consented = [OTHER]
    response = world.link(code="code-2")
    assert response.status == 409
    assert "Other Ltd" in response.body
    assert world.current().status is ConnectionStatus.UNLINKED
    assert world.site.organisations.removed == [OTHER.tenant_id]


def test_an_organisation_of_another_company_is_refused_and_stays_connected_there(world: World) -> None:
    world.link()
    other = world.add_connection()
    response = world.link(other, code="code-2")
    assert response.status == 409
    assert "already connected" in response.body
    assert world.current().is_linked
    assert world.site.organisations.removed == []


def test_an_organisation_that_its_company_has_left_can_move_to_another(world: World) -> None:
    world.link()
    _unlink(world)
    other = world.add_connection()
    world.link(other, code="code-2")
    assert world.current(other).is_linked


def test_reconnection_resolves_errors_releases_its_hold_and_gives_feeds_the_new_tokens(world: World) -> None:
    world.call_back(world.start(), "dead")
    feed = _held_feed(world)
    world.link()
    feed_after = feed_items.find_feed(world.store, feed.id)
    assert feed_after is not None
    assert feed_after.token_set_id == "token-set-1"
    assert hold_items.holds(world.store) == []
    assert all(error.resolved_on for error in world.current().errors)


def test_feeds_get_the_new_tokens_wherever_a_reconnection_crashes() -> None:
    def choose(world: World) -> None:
        choice = OrganisationChoice(token_set_id="new", authentication_event_id="e", scopes=(), organisations=(ACME,))
        world.site.linking(f"{URL}/oauth/callback").link_chosen(world.current(), choice, ACME.tenant_id, NOW)

    def build() -> World:
        world = World()
        _held_feed(world)
        return world

    for world in crashes_everywhere(build, choose):
        checks = Checks(world.ports, world.upstream)
        for check, _ in list(world.queues.follow_ups):
            checks.dispatch(check)
        [feed] = feed_items.feeds_of_connection(world.store, world.connection.id)
        assert feed.token_set_id == ("new" if world.current().is_linked else "old")
        assert (hold_items.holds(world.store) == []) == world.current().is_linked


def _held_feed(world: World) -> Feed:
    """A feed whose connection has ended and needs its customer."""
    hold_connection(world)
    return add_feed(world, token_set_id="old")


def test_at_the_limit_a_start_says_so_once_in_an_event_and_a_linked_one_may_reconnect() -> None:
    world = World(connection_limit=5)
    for number in range(5):
        connection = world.add_connection()
        world.site.organisations.consented = [_organisation(number)]
        world.link(connection, code=f"code-{number}")
    for _ in range(2):
        response = world.browser.get(f"{world.base()}/start")
        assert response.status == 402
        assert "No more connections" in response.body
    assert world.event_types.count("connectionLimit.reached") == 1
    assert world.browser.get(f"{world.base(connection)}/start?link.reconnect=1").location.startswith("https://login.")


def test_unlinking_frees_a_place_even_if_nobody_counted_it() -> None:
    world = World(connection_limit=5)
    for number in range(5):
        connection = world.add_connection()
        world.site.organisations.consented = [_organisation(number)]
        world.link(connection, code=f"code-{number}")
    unlinked = world.current(connection).but(status=ConnectionStatus.UNLINKED)
    world.store.commit(company_items.put_connection(unlinked))
    assert world.browser.get(f"{world.base()}/start").status == 302


def test_demo_companies_do_not_count() -> None:
    world = World(connection_limit=5)
    world.site.organisations.demo = {_organisation(number).tenant_id for number in range(7)}
    for number in range(7):
        world.site.organisations.consented = [_organisation(number)]
        assert world.link(world.add_connection(), code=f"code-{number}").status == 302
    assert connection_limit.linked_count(world.store) == 0


def test_forty_callbacks_at_once_never_exceed_the_limit() -> None:
    world = World(connection_limit=25)
    connections = [world.add_connection() for _ in range(40)]
    linking = world.site.linking("https://feeds.example.com/oauth/callback")

    def call_back(number: int) -> bool:
        choice = OrganisationChoice(
            token_set_id="t",
            authentication_event_id="e",
            scopes=(),
            organisations=(_organisation(number),),
        )
        try:
            linking.link_chosen(connections[number], choice, _organisation(number).tenant_id, NOW)
        except NotLinked as error:
            if error.reason is NotLinkedReason.LIMIT:
                return False
            raise
        return True

    with ThreadPoolExecutor(16) as pool:
        linked = sum(pool.map(call_back, range(40)))
    assert linked == 25
    assert sum(world.current(connection).is_linked for connection in connections) == 25
    assert connection_limit.recount(world.store) == 25
    assert world.event_types.count("connectionLimit.reached") == 1


def _organisation(number: int) -> Organisation:
    return Organisation(tenant_id=f"tenant-{number}", name=f"Org {number}", xero_connection_id=f"xero-{number}")


def _unlink(world: World) -> None:
    linked = world.current()
    assert linked.tenant is not None
    world.table.items.pop((f"TENANT#{linked.tenant.id}", f"LINKED#{linked.id}"))
    world.store.commit(company_items.put_connection(linked.but(status=ConnectionStatus.UNLINKED)))


def test_two_consents_at_once_cannot_give_a_connection_two_organisations(world: World) -> None:
    before = world.current()
    world.link()
    choice = OrganisationChoice(token_set_id="t", authentication_event_id="e", scopes=(), organisations=(OTHER,))
    with pytest.raises(NotLinked) as caught:
        world.site.linking("").link_chosen(before, choice, OTHER.tenant_id, NOW)
    assert caught.value.reason is NotLinkedReason.OTHER_ORGANISATION
    tenant = world.current().tenant
    assert tenant is not None
    assert tenant.id == ACME.tenant_id
