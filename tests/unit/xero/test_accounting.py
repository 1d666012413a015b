"""What Xero's API says about an organisation: its details, accounts and connections; and the token cache."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

import httpx
import pytest

from feedlane.companies.connection import Tenant
from feedlane.companies.organisations import Organisation
from feedlane.companies.source_account import AccountKind
from feedlane.credentials.token_set import AccessToken
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.feeds.upstream import TargetAccount
from feedlane.http import Http
from feedlane.xero import time_zones
from feedlane.xero.accounting import Accounting
from feedlane.xero.connections import XeroConnection, XeroConnections
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.tokens import TokenCache
from tests.unit.xero.xero_server import ACCESS, NOON, Server, TokenVault, always, api

ORGANISATION = {
    "OrganisationID": "o-1",
    "Name": "Harbour Bakery Ltd",
    "BaseCurrency": "GBP",
    "CountryCode": "GB",
    "IsDemoCompany": False,
    "Class": "PREMIUM_2027",
    "Timezone": "GMTSTANDARDTIME",
}


def account(**changes: str) -> dict[str, str]:
    fields = {"AccountID": "a-1", "Name": "Current", "BankAccountNumber": "123", "CurrencyCode": "GBP"}
    return fields | {"BankAccountType": "BANK", "Status": "ACTIVE"} | changes


def test_an_organisation_becomes_a_tenant() -> None:
    organisation = Accounting(api(always(200, {"Organisations": [ORGANISATION]}))).organisation(ACCESS)
    tenant = organisation.as_tenant("tenant-1", "x-1")
    assert (tenant.id, tenant.xero_connection_id, tenant.name) == ("tenant-1", "x-1", "Harbour Bakery Ltd")
    assert (tenant.base_currency, tenant.country, tenant.time_zone) == ("GBP", "GB", "Europe/London")
    assert (tenant.plan, tenant.demo) == ("PREMIUM_2027", False)


def test_an_organisations_name_can_be_stored_whatever_xero_sends() -> None:
    body = b'{"Organisations": [{"OrganisationID": "o-1", "BaseCurrency": "GBP", "Name": "Bakery \\ud83d'
    body += b"x" * 500_000 + b'"}]}'
    name = Accounting(api(always(200, body))).organisation(ACCESS).name
    assert name.startswith("Bakery ?x")
    assert len(name) == 255


@pytest.mark.parametrize(
    "body", [b"<Response/>", b"{}", b'{"Organisations": []}', b'{"Organisations": null}', b'{"Organisations": [{}]}']
)
def test_an_organisation_that_says_nothing_is_an_outage(body: bytes) -> None:
    """It would get no name, no currency and UTC."""
    with pytest.raises(Unavailable):
        Accounting(api(always(200, body))).organisation(ACCESS)


@pytest.mark.parametrize("body", [b"<Response/>", b"{}", b"[]", b'{"Accounts": null, "Actions": null}'])
def test_a_list_that_xero_did_not_send_is_not_an_empty_one(body: bytes) -> None:
    accounting = Accounting(api(always(200, body)))
    for ask in (accounting.bank_accounts, accounting.allows_multicurrency):
        with pytest.raises(Unavailable):
            ask(ACCESS)


@pytest.mark.parametrize(("status", "allowed"), [("ALLOWED", True), ("NOT-ALLOWED", False)])
def test_multicurrency_is_allowed_or_not(status: str, allowed: bool) -> None:
    actions = [{"Name": "Other", "Status": "ALLOWED"}, {"Name": "UseMulticurrency", "Status": status}]
    assert Accounting(api(always(200, {"Actions": actions}))).allows_multicurrency(ACCESS) is allowed


def test_an_organisations_currencies_are_its_own_first_and_then_the_others() -> None:
    answers = {
        "Organisation": {"Organisations": [ORGANISATION]},
        "Currencies": {"Currencies": [{"Code": "EUR"}, {"Code": "GBP"}, {"Description": "none"}]},
        "Actions": {"Actions": [{"Name": "UseMulticurrency", "Status": "ALLOWED"}]},
    }

    def details(answers: dict[str, Any], status: int = 200) -> Tenant:
        def answer(request: httpx.Request) -> httpx.Response:
            name = request.url.path.rpartition("/")[2]
            return httpx.Response(200 if name == "Organisation" else status, json=answers[name])

        client = api(answer)
        connections = XeroConnections(Http("https://api.xero.test", transport=httpx.MockTransport(answer)))
        organisation = Organisation(tenant_id="tenant-1", name="", xero_connection_id="x-1")
        organisations = XeroOrganisations(connections, Accounting(client), TokenCache(TokenVault(), lambda: NOON))
        return organisations.details("tokens-1", organisation)

    assert (details(answers).currencies, details(answers).multicurrency) == (("GBP", "EUR"), True)
    problem = {"Type": None, "Title": "Bad request", "Status": 400, "Detail": "No", "Instance": "i", "Extensions": {}}
    refused = details(answers | {"Currencies": problem}, 400)
    assert (refused.name, refused.currencies, refused.multicurrency) == ("Harbour Bakery Ltd", (), None)
    with pytest.raises(Unavailable):
        details(answers, 503)


def test_only_active_accounts_that_can_be_fed_are_offered() -> None:
    accounts = [
        account(),
        account(AccountID="a-2", BankAccountType="CREDITCARD", BankAccountNumber="4242"),
        account(AccountID="a-3", BankAccountType="PAYPAL"),
        account(AccountID="a-4", Status="ARCHIVED"),
        account(AccountID="a-5", BankAccountType=""),
    ]
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"Accounts": accounts})

    assert Accounting(api(answer)).bank_accounts(ACCESS) == [
        TargetAccount(id="a-1", name="Current", number="123", currency="GBP", kind=AccountKind.BANK),
        TargetAccount(id="a-2", name="Current", number="4242", currency="GBP", kind=AccountKind.CREDIT_CARD),
    ]
    assert requests[0].url.params["where"] == 'Type=="BANK"'
    assert requests[0].headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("name", "country", "zone"),
    [
        ("GMTSTANDARDTIME", "GB", "Europe/London"),
        ("NEWZEALANDSTANDARDTIME", "", "Pacific/Auckland"),
        ("AUSEASTERNSTANDARDTIME", "", "Australia/Sydney"),
        ("EASTERNSTANDARDTIME", "CA", "America/New_York"),
        ("E. Australia Standard Time", "", "Australia/Brisbane"),
        ("CENTRALSTANDARDTIME(MEXICO)", "", "America/Mexico_City"),
        ("UTC", "NZ", "UTC"),
        ("America/Los_Angeles", "US", "America/Los_Angeles"),
        ("Nowhere/Unknown", "NZ", "Pacific/Auckland"),
        ("UTC+12", "", "Etc/GMT-12"),
        ("UTC-11", "", "Etc/GMT+11"),
        ("A ZONE OF NEXT YEAR", "nz", "Pacific/Auckland"),
        ("", "AU", "Australia/Sydney"),
        ("", "XX", "UTC"),
        ("", "", "UTC"),
    ],
)
def test_a_zone_of_xeros_has_an_iana_name(name: str, country: str, zone: str) -> None:
    assert time_zones.iana_zone(name, country) == zone


def test_every_zone_in_the_tables_exists() -> None:
    assert {*time_zones._ZONES.values(), *time_zones._COUNTRIES.values()} <= available_timezones()


def connections(server: Server) -> XeroConnections:
    return XeroConnections(Http("https://api.xero.test", transport=httpx.MockTransport(server)), lambda: NOON)


def test_connections_of_one_consent_are_asked_for_by_its_event() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        item = {"id": "x-1", "tenantId": "t-1", "tenantName": "Bakery", "tenantType": "ORGANISATION"}
        item |= {"authEventId": "e"}
        return httpx.Response(200, json=[item, item | {"id": "x-2", "tenantType": "PRACTICE"}])

    first, second = connections(answer).list_connections("token", "e")
    assert first == XeroConnection(
        id="x-1", tenant_id="t-1", tenant_name="Bakery", tenant_type="ORGANISATION", authentication_event_id="e"
    )
    assert (first.is_organisation, second.is_organisation) == (True, False)
    assert requests[0].url.params["authEventId"] == "e"
    assert "xero-tenant-id" not in requests[0].headers


@pytest.mark.parametrize("body", [b"", b"{}", b"<html/>"])
def test_a_list_that_cannot_be_read_is_not_an_empty_one(body: bytes) -> None:
    """An empty list would disconnect customers."""
    with pytest.raises(Unavailable):
        connections(always(200, body)).list_connections("token")


def test_an_empty_list_is_empty_and_a_401_asks_for_reconnection() -> None:
    assert connections(always(200, [])).list_connections("token") == []
    with pytest.raises(ReconnectionNeeded):
        connections(always(401, {"Title": "Unauthorized", "Status": 401})).list_connections("token")


@pytest.mark.parametrize("code", [204, 404])
def test_a_deleted_connection_and_one_that_was_gone_are_the_same(code: int) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(code)

    connections(answer).delete("token", "x-1")
    [request] = requests
    assert (request.method, request.url.path) == ("DELETE", "/connections/x-1")
    assert request.headers["authorization"] == "Bearer token"


def test_a_token_is_asked_of_the_vault_once_and_again_shortly_before_it_ends() -> None:
    vault, now = TokenVault(), [NOON]
    cache = TokenCache(vault, lambda: now[0])  # type: ignore[arg-type]
    assert {cache.token("tokens-1") for _ in range(5)} == {"token-1"}
    assert vault.asked == [None]
    now[0] = NOON + timedelta(minutes=29, seconds=1)
    cache.token("tokens-1")
    assert vault.asked == [None, None]


def test_a_token_that_came_with_a_code_is_used_and_can_be_forgotten() -> None:
    vault = TokenVault()
    cache = TokenCache(vault, lambda: NOON)  # type: ignore[arg-type]
    cache.remember("tokens-1", AccessToken(value="granted", expires_at=NOON + timedelta(minutes=30)))
    assert cache.token("tokens-1") == "granted"
    cache.forget("tokens-1")
    assert cache.token("tokens-1") == "token-1"


def test_a_rejected_token_that_was_replaced_meanwhile_costs_no_call() -> None:
    vault = TokenVault()
    cache = TokenCache(vault, lambda: NOON)  # type: ignore[arg-type]
    first = cache.token("tokens-1")
    second = cache.replacement_token("tokens-1", first)
    assert cache.replacement_token("tokens-1", first) == second
    assert len(vault.asked) == 2
