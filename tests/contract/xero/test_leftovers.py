"""What nobody uses any more is removed at Xero, and nothing that somebody uses, whatever a second consent means."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import places
from feedlane.companies.places import Place
from feedlane.credentials import grants
from feedlane.credentials.vault import Grant
from feedlane.feeds.upstream import TenantAccess
from feedlane.link.ending import end_connection
from feedlane.ports import Ports
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Delete, Put
from feedlane.upkeep.leftovers import Leftovers, Removed
from local.simulator.behaviour import positions
from tests import builders
from tests.contract.xero.conftest import BAKERY, JOINERY, Xero
from tests.rights import acting


def _use(xero: Xero, grant: Grant, id: str, tenant_id: str) -> str:
    """A connection that is linked with the grant. Returns its id at Xero."""
    [listed] = [item for item in xero.connections.list_connections(grant.access_token) if item.tenant_id == tenant_id]
    tenant = builders.tenant(tenant_id, xero_connection_id=listed.id)
    connection = builders.linked(id, tenant=tenant, token_set_id=grant.token_set_id)
    pk, sk = keys.tenant_connection(tenant_id, id)
    users = {"gsi1pk": keys.token_set_users(grant.token_set_id), "gsi1sk": id}
    marker = {"pk": pk, "sk": sk, "company_id": connection.company_id, "connection_id": id, **users}
    Store(xero.table).commit(company_items.add_connection(connection), Put(marker))
    return listed.id


def _end(xero: Xero, grant: Grant, id: str, tenant_id: str, at_xero: str) -> None:
    end_connection(xero.vault, xero.connections, grant.token_set_id, at_xero)
    given_up = grants.give_up(tenant_id, id, grant.token_set_id, xero.now())
    Store(xero.table).commit(Delete(keys.tenant_connection(tenant_id, id)), given_up)


def _remove(xero: Xero) -> Removed:
    ports: Ports = builders.ports(store=Store(xero.table), clock=xero.now)
    return acting("tend_connections", Leftovers(ports, xero.vault, xero.connections)).remove()


@pytest.mark.parametrize("second_consent", positions("second_consent"))
def test_a_users_grant_is_revoked_with_its_last_connection_and_not_before(xero: Xero, second_consent: str) -> None:
    xero.control("PUT", "behaviour", {"secondConsent": second_consent})
    first, second = xero.consent(BAKERY), xero.consent(JOINERY)
    assert first.token_set_id == second.token_set_id
    bakery, joinery = (_use(xero, second, id, tenant) for id, tenant in (("one", BAKERY), ("two", JOINERY)))
    _end(xero, second, "one", BAKERY, bakery)
    xero.advance(3 * 3600)
    assert _remove(xero).token_sets == 0
    assert xero.feeds.feed_connections(TenantAccess(tenant_id=JOINERY, token_set_id=second.token_set_id)) == []
    _end(xero, second, "two", JOINERY, joinery)
    xero.advance(600)
    assert _remove(xero) == Removed(token_sets=1)
    assert len(xero.calls("/connect/revocation")) == 1
    assert not xero.secrets.client.versions.keys() - {"memory/app-keys"}


def test_a_place_after_one_off_access_is_freed_with_the_apps_own_token(xero: Xero) -> None:
    narrow = ("openid", "accounting.settings.read", "bankfeeds")
    grant = xero.consent(BAKERY, scopes=narrow)
    [listed] = xero.connections.list_connections(grant.access_token)
    xero.advance(3600)
    place = Place(
        tenant_id=BAKERY,
        xero_connection_id=listed.id,
        token_set_id=grant.token_set_id,
        since=xero.now(),
        look=xero.now(),
    )
    Store(xero.table).commit(places.put_place(place))
    xero.advance(300)
    assert _remove(xero).places == 1
    assert xero.connections.list_connections(xero.vault.app_token().value) == []
