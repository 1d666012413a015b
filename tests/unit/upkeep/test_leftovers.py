"""What nobody uses any more is removed: token sets are revoked and deleted, and places at Xero are freed."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.organisations import ListedOrganisation
from feedlane.companies.places import Place
from feedlane.companies.reconnection import fault_of
from feedlane.credentials import grants
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import Delete, Put
from feedlane.upkeep.leftovers import Leftovers, Removed
from tests import builders
from tests.rights import acting, invoked
from tests.worlds.vault import World as VaultWorld

REFUSED = Problem(type="about:blank", title="Forbidden", status=403, detail="AuthenticationUnsuccessful")


class Xero:
    """The connections at Xero, by their ids, and the tokens that may see them."""

    def __init__(self) -> None:
        self.ids = {"xero-tenant-1"}
        self.tokens: list[str] = []
        self.error: Exception | None = None

    def list_connections(self, access_token: str) -> list[ListedOrganisation]:
        return [ListedOrganisation(id=id, tenant_id=id) for id in self.ids]

    def delete(self, access_token: str, xero_connection_id: str) -> None:
        self.tokens.append(access_token)
        if self.error:
            raise self.error
        self.ids.discard(xero_connection_id)


class World(VaultWorld):
    def __init__(self) -> None:
        super().__init__()
        self.token_set = self.connect()
        self.xero = Xero()
        self.store.commit(company_items.add_company(builders.company()))

    def add(self, id: str = builders.CONNECTION, **fields: Any) -> Connection:
        connection = builders.linked(id, token_set_id=self.token_set, **fields)
        pk, sk = keys.tenant_connection(builders.TENANT, id)
        users = {"gsi1pk": keys.token_set_users(self.token_set), "gsi1sk": id}
        marker = {"pk": pk, "sk": sk, "company_id": connection.company_id, "connection_id": id, **users}
        self.store.commit(company_items.add_connection(connection), Put(marker))
        return connection

    def end(self, connection: Connection) -> None:
        """As unlinking does."""
        stored = company_items.connection(self.store, connection.company_id, connection.id)
        self.store.commit(
            company_items.put_connection(stored.but(status=ConnectionStatus.UNLINKED)),
            Delete(keys.tenant_connection(builders.TENANT, connection.id)),
            grants.give_up(builders.TENANT, connection.id, self.token_set, self.now),
        )

    def look(self, **by: float) -> Removed:
        self.advance(**by or {"minutes": 5})
        leftovers = Leftovers(self.ports, invoked(self.vault()), self.xero)  # type: ignore[arg-type]
        return acting("tend_connections", leftovers).remove()

    @property
    def revocations(self) -> int:
        return sum("token" in form and "grant_type" not in form for form in self.server.forms)

    def has_secret(self) -> bool:
        return f"memory/token-sets/{self.token_set}" in self.secrets.client.versions


@pytest.fixture
def world() -> World:
    return World()


def test_the_token_set_of_a_connection_that_is_gone_is_revoked_and_deleted(world: World) -> None:
    world.end(world.add())
    assert world.look().token_sets == 0, "its user consented a moment ago, and may be about to link"
    assert world.look(hours=2).token_sets == 1
    assert (world.revocations, world.has_secret()) == (1, False)
    assert world.look(days=2) == Removed()
    assert not [key for key in world.table.items if key[0].startswith("TENANT#")]


def test_a_token_set_that_another_connection_of_the_user_has_stays(world: World) -> None:
    gone, _ = world.add(), world.add("connection-2")
    world.end(gone)
    assert world.look(days=1) == world.look(days=1) == Removed()
    assert (world.revocations, world.has_secret()) == (0, True)


def test_a_consent_that_came_to_nothing_leaves_no_token_set(world: World) -> None:
    assert world.look(hours=2.2).token_sets == 1
    assert not world.has_secret()


def test_one_that_may_recover_keeps_its_token_set_for_as_long(world: World) -> None:
    connection = world.add()
    fault = fault_of(Problem(type="invalid_grant", title="Ended", status=400), world.now)
    ended = company_items.connection(world.store, connection.company_id, connection.id)
    world.store.commit(company_items.put_connection(ended.with_fault(fault).but(status=ConnectionStatus.DEAUTHORIZED)))
    assert world.look(days=59).token_sets == 0
    assert world.look(days=3).token_sets == 1


def test_a_consent_during_the_removal_keeps_what_it_brought(world: World) -> None:
    world.end(world.add())
    world.advance(hours=3)
    vault = world.vault()
    real = vault._identity.revoke

    def consent_meanwhile(*arguments: Any) -> None:
        real(*arguments)
        world.vault().exchange_code("code-2", "https://feedlane.example/oauth/callback")

    vault._identity.revoke = consent_meanwhile  # type: ignore[method-assign]
    leftovers = Leftovers(world.ports, invoked(vault), world.xero)  # type: ignore[arg-type]
    assert acting("tend_connections", leftovers).remove().token_sets == 0
    assert world.has_secret()
    assert world.vault().access_token(world.token_set).value


def test_an_outage_forgets_nothing(world: World) -> None:
    world.end(world.add())
    world.server.secrets = []
    assert world.look(hours=3).token_sets == 0
    world.server.secrets = ["canary-client-secret-one"]
    assert world.look(hours=2).token_sets == 1


def _leave_place(world: World, **fields: Any) -> None:
    place = {
        "tenant_id": builders.TENANT,
        "xero_connection_id": "xero-tenant-1",
        "token_set_id": world.token_set,
        "since": world.now,
        "look": world.now,
    }
    world.store.commit(places.put_place(Place(**place | fields)))


def test_a_place_that_nobody_uses_is_freed_with_its_users_token(world: World) -> None:
    _leave_place(world)
    assert world.look().places == 1
    assert world.xero.ids == set()
    assert places.count_places(world.store) == 0


def test_with_a_dead_grant_it_is_freed_with_the_apps_own_token(world: World) -> None:
    """As after one-off access."""
    _leave_place(world, token_set_id="unknown")
    assert world.look().places == 1
    assert world.xero.tokens == ["app"]


@pytest.mark.parametrize("error", [Unavailable("outage"), ReconnectionNeeded(REFUSED)])
def test_a_place_stays_counted_while_xero_keeps_the_connection(world: World, error: Exception) -> None:
    _leave_place(world)
    world.xero.error = error
    assert world.look() == Removed(failed=(f"TENANT#{builders.TENANT}/PLACE: Unavailable",))
    assert places.count_places(world.store) == 1
    world.xero.error = None
    assert world.look(hours=2).places == 1


def test_a_place_that_has_been_linked_again_is_no_leftover(world: World) -> None:
    world.add()
    _leave_place(world)
    world.look()
    assert world.xero.ids == {"xero-tenant-1"}
    assert places.count_places(world.store) == 0
