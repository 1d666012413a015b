"""The look-ups before a feed: organisation, actions, bank accounts."""

from typing import Any

import pytest

from tests.contract.simulator.driver import BAKERY, CURRENT_ACCOUNT, DEMO, JOINERY, Xero

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


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        ('Code=="090" OR Code=="093"', ["090", "093"]),
        ('Code=="090" || Code=="093" AND Type=="NONE"', ["090"]),
        ('(Code=="090" || Code=="093") && BankAccountType!="BANK"', ["093"]),
        ('Type!="BANK"', ["200", "453"]),
        (f'AccountID==guid("{CURRENT_ACCOUNT}")', ["090"]),
        (f'AccountID==Guid("{CURRENT_ACCOUNT.replace("-", "")}")', ["090"]),
        (f'Type=="BANK"&&AccountID!=Guid("{CURRENT_ACCOUNT}")', ["091", "092", "093", "094"]),
        ('Name.StartsWith("Business")', ["090", "091", "093"]),
        ('BankAccountNumber!=null&&BankAccountNumber.endswith("22")', ["091"]),
        ('Name.Contains("xpens")', ["453"]),
        ('Name.ToLower()=="sales"', ["200"]),
        ("EnablePaymentsToAccount==true", []),
        ("BankAccountNumber==null", ["200", "453"]),
    ],
)
def test_where_clauses_as_sdks_and_people_write_them(xero: Xero, where: str, codes: list[str]) -> None:
    xero.connect(BAKERY)
    assert [one["Code"] for one in accounts(xero, where)] == codes


@pytest.mark.parametrize(
    "where", ['Name', 'Name==', 'Name=="A" Code', '(Name=="A"', 'Name.Reverse()=="A"', "AccountID==1", "Name~1",
              f'AccountID=="{CURRENT_ACCOUNT}"', 'AccountID==guid("x")', 'Name.StartsWith(null)', "&&"]
)  # fmt: skip
def test_other_where_clauses_are_a_400(xero: Xero, where: str) -> None:
    xero.connect(BAKERY)
    assert xero.call("GET", ACCOUNTS, params={"where": where}).status_code == 400


@pytest.mark.parametrize(
    ("order", "first"),
    [("Name", "Business Current Account"), ("Name ASC", "Business Current Account"), ("Name DESC", "Sales"),
     ("Type DESC,Code", "Sales"), ("CurrencyCode,Name DESC", "Euro Account")],
)  # fmt: skip
def test_accounts_can_be_sorted(xero: Xero, order: str, first: str) -> None:
    xero.connect(BAKERY)
    answer = xero.call("GET", ACCOUNTS, params={"order": order})
    assert answer.json()["Accounts"][0]["Name"] == first
    assert xero.call("GET", ACCOUNTS, params={"order": "Colour"}).status_code == 400


def test_one_account_by_its_id(xero: Xero) -> None:
    xero.connect(BAKERY)
    (one,) = xero.call("GET", f"{ACCOUNTS}/{CURRENT_ACCOUNT}").json()["Accounts"]
    assert (one["AccountID"], one["Status"]) == (CURRENT_ACCOUNT, "ACTIVE")
    xero.control("PUT", f"orgs/{BAKERY}/accounts/{CURRENT_ACCOUNT}", {"archived": True, "name": "Old"})
    (one,) = xero.call("GET", f"{ACCOUNTS}/{CURRENT_ACCOUNT}").json()["Accounts"]
    assert (one["Name"], one["Status"]) == ("Old", "ARCHIVED")
    assert len(accounts(xero, 'Status=="ARCHIVED"')) == 1
    xero.control("DELETE", f"orgs/{BAKERY}/accounts/{CURRENT_ACCOUNT}")
    for id in (CURRENT_ACCOUNT, BAKERY, "nobody"):
        assert xero.call("GET", f"{ACCOUNTS}/{id}").status_code == 404
    assert CURRENT_ACCOUNT not in {one["AccountID"] for one in accounts(xero)}


def test_the_organisation_has_two_paths(xero: Xero) -> None:
    xero.connect(BAKERY)
    for end in ("", "/Actions"):
        one, other = (xero.call("GET", f"/api.xro/2.0/{name}{end}") for name in ("Organisation", "Organisations"))
        assert (one.status_code, other.status_code) == (200, 200)
        assert set(one.json()) == set(other.json())


def test_the_users_of_an_organisation_and_their_roles(xero: Xero) -> None:
    xero.connect(BAKERY)
    user_id = xero.state.consent.user_id
    (user,) = xero.call("GET", "/api.xro/2.0/Users").json()["Users"]
    assert (user["UserID"], user["OrganisationRole"]) == (user_id, "FINANCIALADVISER")
    xero.control("PUT", f"orgs/{BAKERY}", {"roles": {user_id: "READONLY"}})
    (user,) = xero.call("GET", "/api.xro/2.0/Users").json()["Users"]
    assert user["OrganisationRole"] == "READONLY"


def test_every_account_has_a_class(xero: Xero) -> None:
    xero.connect(BAKERY)
    classes = {one["Name"]: one["Class"] for one in accounts(xero)}
    assert (classes["Business Visa"], classes["Sales"], classes["Office Expenses"]) == ("ASSET", "REVENUE", "EXPENSE")


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/London", "GMTSTANDARDTIME"),
        ("Europe/Berlin", "WEUROPESTANDARDTIME"),
        ("Australia/Perth", "WAUSTRALIASTANDARDTIME"),
        ("Asia/Singapore", "SINGAPORESTANDARDTIME"),
        ("America/Los_Angeles", "PACIFICSTANDARDTIME"),
        ("Antarctica/Troll", "GMTSTANDARDTIME"),
    ],
)
def test_the_time_zone_follows_the_organisation(xero: Xero, zone: str, name: str) -> None:
    xero.connect(BAKERY)
    xero.control("PUT", f"orgs/{BAKERY}", {"timeZone": zone})
    assert time_zone(xero) == name


@pytest.mark.parametrize(
    ("position", "name"),
    [
        ("windows", "GMTSTANDARDTIME"),
        ("spaced", "GMT Standard Time"),
        ("iana", "Europe/London"),
        ("absent", None),
    ],
)
def test_the_spelling_of_time_zones(xero: Xero, position: str, name: str | None) -> None:
    xero.connect(BAKERY)
    xero.switch("timeZoneNames", position)
    assert time_zone(xero) == name


@pytest.mark.parametrize(
    ("country", "zone"),
    [("IE", "Europe/Dublin"), ("SG", "Asia/Singapore"), ("ZA", "Africa/Johannesburg"), ("XX", "UTC")],
)
def test_organisations_of_several_regions(xero: Xero, country: str, zone: str) -> None:
    made = xero.control("POST", "orgs", {"name": "A", "country": country, "currency": "USD"}, expect=201)
    assert (made["country"], made["timeZone"]) == (country, zone)
    moved = xero.control("PUT", f"orgs/{made['tenantId']}", {"country": "NZ"})
    assert moved["country"] == "NZ"


def time_zone(xero: Xero) -> str | None:
    (organisation,) = xero.call("GET", "/api.xro/2.0/Organisation").json()["Organisations"]
    return organisation.get("Timezone")
