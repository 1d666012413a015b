"""The vault against the simulator: races, lost answers, rotated secrets, revocation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest

from feedlane.errors import AppKeysRejected, ReconnectionNeeded
from feedlane.feeds.upstream import TenantAccess
from feedlane.ids import fingerprint
from feedlane.xero.identity import Identity
from local.simulator.state import DEFAULT_CLIENT_ID
from tests.contract.xero.conftest import BAKERY, JOINERY, SCOPES, Xero


def refreshes(xero: Xero, before: int) -> int:
    return len(xero.calls("/connect/token")) - before


def test_a_consent_brings_a_token_that_works_and_names_its_own_event(xero: Xero) -> None:
    xero.consent(JOINERY)
    grant = xero.consent(BAKERY)
    connections = xero.connections.list_connections(grant.access_token, grant.authentication_event_id)
    assert [connection.tenant_id for connection in connections] == [BAKERY]
    assert len(xero.connections.list_connections(grant.access_token)) == 2
    assert set(grant.scopes) == set(SCOPES)


def test_two_consents_of_one_user_share_one_token_set(xero: Xero) -> None:
    assert xero.consent(BAKERY).token_set_id == xero.consent(JOINERY).token_set_id


def test_twenty_instances_ask_for_one_ended_token_and_xero_sees_one_refresh(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    xero.advance(31 * 60)
    before = len(xero.calls("/connect/token"))
    instances = [xero.new_vault() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        tokens = {token.value for token in pool.map(lambda vault: vault.access_token(token_set), instances)}
    assert refreshes(xero, before) == 1
    assert len(tokens) == 1
    assert len(xero.connections.list_connections(tokens.pop())) == 1


@pytest.mark.parametrize("replay", ["newPair", "samePair"])
def test_a_dropped_answer_to_a_refresh_costs_nothing_whatever_xero_replays(xero: Xero, replay: str) -> None:
    xero.control("PUT", "behaviour", {"graceReplay": replay})
    token_set = xero.consent(BAKERY).token_set_id
    xero.advance(31 * 60)
    xero.fault("/connect/token", fault="dropResponse")
    first = xero.vault.access_token(token_set)
    assert xero.connections.list_connections(first.value)
    xero.advance(31 * 60)
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_a_consent_during_a_refresh_is_not_lost_to_it(xero: Xero) -> None:
    """Xero takes the refresh after the consent, and so ends the consent's pair: the refresh's own has to be found."""
    token_set = xero.consent(BAKERY).token_set_id
    xero.advance(31 * 60)
    real = Identity.refresh

    def after_consent(self: Identity, *arguments: Any) -> Any:
        with patch.object(Identity, "refresh", real):
            xero.consent(BAKERY)
            return real(self, *arguments)

    with patch.object(Identity, "refresh", after_consent):
        xero.new_vault().access_token(token_set)
    xero.advance(31 * 60)
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_a_refresh_that_brings_no_refresh_token_keeps_the_customer_connected(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"refreshAnswer": "withoutToken"})
    token_set = xero.consent(BAKERY).token_set_id
    for _ in range(3):
        xero.advance(31 * 60)
        assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_a_lifetime_in_text_is_a_lifetime(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"expiresIn": "text"})
    token_set = xero.consent(BAKERY).token_set_id
    for _ in range(2):
        xero.advance(31 * 60)
        assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_an_access_token_that_ended_early_is_replaced_in_the_same_call(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"refreshEndsAccessToken": True})
    access = xero.access()
    xero.accounting.organisation(access)
    other_vault = xero.new_vault()
    token = other_vault.access_token(access.token_set_id)
    xero.advance(6 * 60)
    other_vault.access_token(access.token_set_id, rejected=fingerprint(token.value))
    assert xero.accounting.organisation(access).name == "Harbour Bakery Ltd"


def test_a_rotated_secret_stops_nobody_once_the_second_is_stored(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    [old] = xero.control("GET", "app")["clientSecrets"]
    xero.control("PUT", "app", {"clientSecrets": [old, "the-new-secret-of-the-app"]})
    assert xero.vault.add_app_secret("the-new-secret-of-the-app").ok is True
    xero.control("PUT", "app", {"clientSecrets": ["the-new-secret-of-the-app"]})
    xero.advance(31 * 60)
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_a_secret_that_was_changed_at_xero_alone_is_the_apps_fault_and_mends_itself(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    xero.control("PUT", "app", {"clientSecrets": ["the-new-secret-of-the-app"]})
    xero.advance(31 * 60)
    with pytest.raises(AppKeysRejected):
        xero.vault.access_token(token_set)
    assert xero.vault.save_app_keys(DEFAULT_CLIENT_ID, "wrong-wrong-wrong").field == "clientSecret"
    assert xero.vault.save_app_keys(DEFAULT_CLIENT_ID, "the-new-secret-of-the-app").ok is True
    assert xero.connections.list_connections(xero.vault.access_token(token_set).value)


def test_revoking_ends_all_of_the_users_connections(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    xero.vault.revoke(token_set)
    assert xero.control("GET", "connections")["connections"] == []
    with pytest.raises(ReconnectionNeeded):
        xero.vault.access_token(token_set)


def test_removing_one_connection_leaves_the_users_others(xero: Xero) -> None:
    access = xero.access(BAKERY)
    grant = xero.consent(JOINERY)
    for connection in xero.connections.list_connections(grant.access_token, grant.authentication_event_id):
        xero.connections.delete(grant.access_token, connection.id)
        xero.connections.delete(grant.access_token, connection.id)
    assert xero.accounting.organisation(access).name == "Harbour Bakery Ltd"
    with pytest.raises(ReconnectionNeeded):
        xero.accounting.organisation(TenantAccess(tenant_id=JOINERY, token_set_id=access.token_set_id))


def test_sixty_days_without_a_refresh_end_the_authorisation(xero: Xero) -> None:
    token_set = xero.consent(BAKERY).token_set_id
    xero.advance(59 * 86400)
    xero.vault.access_token(token_set)
    xero.advance(59 * 86400)
    xero.vault.access_token(token_set)
    xero.advance(61 * 86400)
    with pytest.raises(ReconnectionNeeded):
        xero.vault.access_token(token_set)


def test_one_off_access_keeps_no_refresh_token(xero: Xero) -> None:
    scopes = tuple(scope for scope in SCOPES if scope != "offline_access")
    token_set = xero.consent(BAKERY, scopes=scopes).token_set_id
    stored = xero.secrets.stored(f"token-sets/{token_set}")
    assert stored is not None
    assert '"refresh_token":null' in stored.text


@pytest.mark.parametrize("status", [403, 401])
def test_a_missing_scope_is_found_at_once_and_asks_for_no_refresh(xero: Xero, status: int) -> None:
    xero.control("PUT", "behaviour", {"missingScope": status})
    narrow = tuple(scope for scope in SCOPES if scope not in ("bankfeeds", "accounting.settings.read"))
    access = TenantAccess(tenant_id=BAKERY, token_set_id=xero.consent(BAKERY, scopes=narrow).token_set_id)
    before = len(xero.calls("/connect/token"))
    with pytest.raises(ReconnectionNeeded) as raised:
        xero.feeds.feed_connections(access)
    assert raised.value.problem.type == "missing-scope"
    with pytest.raises(ReconnectionNeeded):
        xero.accounting.organisation(access)
    assert refreshes(xero, before) == 0


@pytest.mark.parametrize("status", [403, 401])
def test_a_scope_that_another_consent_has_brought_counts_at_once(xero: Xero, status: int) -> None:
    xero.control("PUT", "behaviour", {"missingScope": status})
    narrow = tuple(scope for scope in SCOPES if scope != "bankfeeds")
    access = TenantAccess(tenant_id=BAKERY, token_set_id=xero.consent(BAKERY, scopes=narrow).token_set_id)
    xero.accounting.organisation(access)
    xero.consent(BAKERY)
    assert xero.feeds.feed_connections(access) == []
