"""The look-ups before a feed: organisation, actions, bank accounts."""

from typing import Any

from tests.contract.simulator.driver import BAKERY, DEMO, JOINERY, Xero

ACCOUNTS = "/api.xro/2.0/Accounts"


def accounts(xero: Xero, where: str | None = None) -> list[dict[str, Any]]:
    params = {"where": where} if where else None
    answer = xero.call("GET", ACCOUNTS, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["Accounts"]
    return found


def test_the_organisation_tells_what_predicts_a_refusal(xero: Xero) -> None:
    xero.connect(BAKERY, DEMO)
    (bakery,) = xero.call("GET", "/api.xro/2.0/Organisation").json()["Organisations"]
    (demo,) = xero.call("GET", "/api.xro/2.0/Organisation", tenant=DEMO).json()["Organisations"]
    assert (bakery["OrganisationID"], bakery["Name"]) == (BAKERY, "Harbour Bakery Ltd")
    assert (bakery["BaseCurrency"], bakery["CountryCode"], bakery["Timezone"]) == (
        "GBP",
        "GB",
        "GMTSTANDARDTIME",
    )
    assert (bakery["IsDemoCompany"], bakery["Class"]) == (False, "COMPREHENSIVE")
    assert (demo["IsDemoCompany"], demo["Class"]) == (True, "DEMO")


def test_multi_currency_is_allowed_where_a_second_currency_is_held(xero: Xero) -> None:
    xero.connect(BAKERY, JOINERY)

    def status(tenant: str) -> str:
        (action,) = xero.call("GET", "/api.xro/2.0/Organisation/Actions", tenant=tenant).json()["Actions"]
        assert action["Name"] == "UseMulticurrency"
        return str(action["Status"])

    assert (status(BAKERY), status(JOINERY)) == ("ALLOWED", "NOT-ALLOWED")


def test_the_where_filter_leaves_only_bank_accounts(xero: Xero) -> None:
    xero.connect(BAKERY)
    everything, banks = accounts(xero), accounts(xero, 'Type=="BANK"')
    assert {one["Type"] for one in everything} == {"BANK", "REVENUE", "OVERHEADS"}
    assert {one["BankAccountType"] for one in banks} == {"BANK", "CREDITCARD", "PAYPAL"}
    assert [one["Name"] for one in banks if one["CurrencyCode"] == "EUR"] == ["Euro Account"]
    cards = accounts(xero, 'Type=="BANK" AND BankAccountType=="CREDITCARD"')
    assert [one["Name"] for one in cards] == ["Business Visa"]


def test_a_where_filter_it_does_not_understand_is_a_400(xero: Xero) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", ACCOUNTS, params={"where": "Type=BANK"})
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


def test_who_does_not_ask_for_json_gets_xml(xero: Xero) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", ACCOUNTS, headers={"Accept": "*/*"})
    assert answer.headers["content-type"].startswith("application/xml")
    assert b"<Name>Business Current Account</Name>" in answer.content
