"""Xero's own Python SDK against the simulator over real HTTP: consent, exchange, refresh, list, revoke."""

from typing import Any

import pytest
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

from tests.contract.simulator.driver import BAKERY, CREDENTIALS, JOINERY, STATEMENTS, Xero


class Keeper:
    """The callbacks the SDK wants for keeping a token."""

    def __init__(self, client: ApiClient) -> None:
        self.token: dict[str, Any] = {}
        client.oauth2_token_getter(lambda: self.token)
        client.oauth2_token_saver(self._save)

    def _save(self, token: dict[str, Any]) -> None:
        self.token = token


@pytest.fixture
def client(xero: Xero, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    monkeypatch.setattr(TokenApi, "refresh_token_url", f"{xero.url}/connect/token")
    monkeypatch.setattr(TokenApi, "client_credentials_token_url", f"{xero.url}/connect/token")
    monkeypatch.setattr(TokenApi, "revoke_token_url", f"{xero.url}/connect/revocation")
    token = OAuth2Token(client_id=CREDENTIALS[0], client_secret=CREDENTIALS[1])
    return ApiClient(Configuration(oauth2_token=token))


def connected(xero: Xero, keeper: Keeper, *tenant_ids: str) -> dict[str, Any]:
    pair = xero.connect(*tenant_ids)
    keeper.token = {**pair, "scope": pair["scope"].split()}
    return pair


def test_the_sdk_lists_and_deletes_connections(xero: Xero, client: ApiClient) -> None:
    connected(xero, Keeper(client), BAKERY, JOINERY)
    identity = IdentityApi(client, base_url=xero.url)
    found = identity.get_connections()
    assert {one.tenant_id for one in found} == {BAKERY, JOINERY}
    assert (found[0].tenant_type, found[0].created_date_utc.year) == ("ORGANISATION", 2026)
    identity.delete_connection(id=found[0].id)
    assert [one.tenant_id for one in identity.get_connections()] == [found[1].tenant_id]


def test_the_sdk_filters_connections_by_authentication_event(xero: Xero, client: ApiClient) -> None:
    keeper = Keeper(client)
    connected(xero, keeper, BAKERY)
    connected(xero, keeper, JOINERY)
    identity = IdentityApi(client, base_url=xero.url)
    event = next(one.auth_event_id for one in identity.get_connections() if one.tenant_id == JOINERY)
    assert [one.tenant_id for one in identity.get_connections(auth_event_id=event)] == [JOINERY]


def test_the_sdk_refreshes_and_keeps_working_with_the_rotated_token(xero: Xero, client: ApiClient) -> None:
    keeper = Keeper(client)
    first = connected(xero, keeper, BAKERY)
    xero.advance(1800)
    with pytest.raises(HTTPStatusException):
        IdentityApi(client, base_url=xero.url).get_connections()
    assert client.configuration.oauth2_token.refresh_access_token(client)
    assert keeper.token["refresh_token"] != first["refresh_token"]
    assert keeper.token["expires_in"] == 1800
    assert len(IdentityApi(client, base_url=xero.url).get_connections()) == 1


def test_the_sdk_revokes_a_token_and_with_it_all_connections(xero: Xero, client: ApiClient) -> None:
    keeper = Keeper(client)
    first = connected(xero, keeper, BAKERY, JOINERY)
    IdentityApi(client, base_url=xero.url).get_connections()
    assert client.configuration.oauth2_token.revoke_access_token(client)
    assert keeper.token["refresh_token"] is None
    assert xero.control("GET", "connections")["connections"] == []
    assert xero.refresh(first["refresh_token"]).json() == {"error": "invalid_grant"}


def test_the_sdk_gets_a_token_for_the_app_itself(xero: Xero, client: ApiClient) -> None:
    xero.connect(BAKERY)
    keeper = Keeper(client)
    assert client.configuration.oauth2_token.get_client_credentials_access_token(client, False)
    assert keeper.token["scope"] == "app.connections"
    assert [one.tenant_id for one in IdentityApi(client, base_url=xero.url).get_connections()] == [BAKERY]


def test_a_disconnected_organisation_is_a_403_to_the_sdk_too(xero: Xero, client: ApiClient) -> None:
    from xero_python.accounting import AccountingApi

    connected(xero, Keeper(client), BAKERY)
    accounting = AccountingApi(client, base_url=f"{xero.url}/api.xro/2.0")
    assert accounting.get_organisations(BAKERY).organisations[0].name == "Harbour Bakery Ltd"
    accounts = accounting.get_accounts(BAKERY, where='Type=="BANK"').accounts
    assert {one.name for one in accounts} >= {"Business Current Account", "Business Visa"}
    xero.control("DELETE", f"connections/{BAKERY}")
    with pytest.raises(HTTPStatusException):
        accounting.get_organisations(BAKERY)
    assert xero.call("GET", STATEMENTS).status_code == 403
