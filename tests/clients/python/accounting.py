"""Organisations, accounts and users, and the accounting API's refusals. The SDK has no bank feeds."""

import time
import uuid
from datetime import UTC, datetime

from points import BAKERY, IS_OTHER, REGIONS, Point, control, equal, point, raises
from session import Session
from xero_python.accounting import TimeZone
from xero_python.exceptions import (
    AccountingBadRequestException,
    HTTPStatusException,
    NotFoundException,
    RateLimitException,
)


@point
def organisations_are_read(session: Session) -> None:
    (found,) = session.accounting.get_organisations(session.tenant()).organisations
    equal((found.name, found.is_demo_company, found.base_currency.value), (BAKERY, False, "GBP"))
    equal((found.organisation_type, found.organisation_status), ("COMPANY", "ACTIVE"))
    equal((found._class, found.edition), ("COMPREHENSIVE", "BUSINESS"))
    equal(found.version, "UK")


@point
def a_demo_company_says_so(session: Session) -> None:
    (found,) = session.accounting.get_organisations(session.tenant("Demo Company (UK)")).organisations
    equal((found.is_demo_company, found._class), (True, "DEMO"))


def of_region(name: str) -> Point:
    def each(session: Session) -> None:
        (found,) = session.accounting.get_organisations(session.tenant(name)).organisations
        wanted = session.known[name]
        equal((found.country_code.value, found.base_currency.value), (wanted["country"], wanted["currency"]))
        assert isinstance(found.timezone, TimeZone), found.timezone

    each.__name__ = f"organisation_of_{name}"
    return each


for name in REGIONS:
    point(of_region(name))


@point
def actions_are_listed(session: Session) -> None:
    found = session.accounting.get_organisation_actions(session.tenant()).actions
    equal([(one.name, one.status) for one in found], [("UseMulticurrency", "ALLOWED")])
    found = session.accounting.get_organisation_actions(session.tenant("Northwind Joinery")).actions
    equal([(one.name, one.status) for one in found], [("UseMulticurrency", "NOT-ALLOWED")])


@point
def currencies_are_listed(session: Session) -> None:
    found = session.accounting.get_currencies(session.tenant()).currencies
    equal([one.code.value for one in found], ["GBP", "EUR"])


@point
def users_have_a_role(session: Session) -> None:
    equal(session.accounting.get_users(session.tenant()).users[0].organisation_role, "FINANCIALADVISER")
    equal(session.accounting.get_users(session.tenant("Read Only Ltd")).users[0].organisation_role, "READONLY")


@point
def accounts_are_listed(session: Session) -> None:
    found = session.accounting.get_accounts(session.tenant()).accounts
    equal(len(found), 7)
    bank = next(one for one in found if one.name == "Euro Account")
    equal((bank.type.value, bank.bank_account_type, bank.currency_code.value), ("BANK", "BANK", "EUR"))
    equal((bank.status, bank._class, bank.bank_account_number), ("ACTIVE", "ASSET", "20454588112233"))
    assert isinstance(bank.updated_date_utc, datetime)


@point
def one_account_is_read(session: Session) -> None:
    (found,) = session.accounting.get_account(session.tenant(), session.account_id("Business Visa")).accounts
    equal((found.name, found.bank_account_type), ("Business Visa", "CREDITCARD"))
    (found,) = session.accounting.get_account(session.tenant(), session.account_id("PayPal Takings")).accounts
    equal(found.bank_account_type, "PAYPAL")


@point
def accounts_by_equality(session: Session) -> None:
    equal(len(session.accounts('Type=="BANK"')), 5)
    equal(session.accounts('Type!="BANK"'), ["Sales", "Office Expenses"])


@point
def accounts_by_id(session: Session) -> None:
    id = session.account_id("Euro Account")
    equal(session.accounts(f'AccountID==guid("{id}")'), ["Euro Account"])
    equal(session.accounts(f'AccountID == Guid("{id.upper()}")'), ["Euro Account"])
    equal(len(session.accounts(f'AccountID!=GUID("{id}")')), 6)


@point
def accounts_by_either_and_both(session: Session) -> None:
    equal(session.accounts('Code=="093" OR Code=="094"', "Code DESC"), ["PayPal Takings", "Business Visa"])
    equal(session.accounts('Type=="BANK"&&CurrencyCode=="EUR"'), ["Euro Account"])
    equal(session.accounts('Type=="BANK" AND (Code=="090" || Code=="200")'), ["Business Current Account"])


@point
def accounts_by_methods(session: Session) -> None:
    equal(len(session.accounts('Name.StartsWith("Business")')), 3)
    equal(session.accounts('Name!=null AND Name.StartsWith("Business V")'), ["Business Visa"])
    equal(session.accounts('Name.EndsWith("Takings")'), ["PayPal Takings"])
    equal(session.accounts('Name.Contains("uro")'), ["Euro Account"])
    equal(session.accounts('Name.ToLower()=="business visa"'), ["Business Visa"])


@point
def accounts_in_order(session: Session) -> None:
    found = session.accounts('Type=="BANK"', "Name DESC")
    equal(found, sorted(found, reverse=True))
    equal(session.accounts(order="Type ASC, Name DESC")[-1], "Sales")


@point
def accounts_since_a_date(session: Session) -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    equal(len(session.accounting.get_accounts(session.tenant(), if_modified_since=since).accounts), 7)


@point
def archived_accounts_are_listed_as_such(session: Session) -> None:
    equal(session.accounts('Status=="ARCHIVED"', name="Archive Ltd"), ["Old Account"])
    (found,) = session.accounting.get_accounts(session.tenant("Archive Ltd"), where='Status=="ARCHIVED"').accounts
    equal(found.status, "ARCHIVED")


@point
def an_unknown_account_is_not_found(session: Session) -> None:
    with raises(NotFoundException, 404):
        session.accounting.get_account(session.tenant(), str(uuid.uuid4()))
    with raises(NotFoundException, 404):
        session.accounting.get_account(session.tenant(), "no-guid")


@point
def a_where_that_is_none_is_a_bad_request(session: Session) -> None:
    with raises(AccountingBadRequestException, 400) as seen:
        session.accounts('Name is "Sales"')
    equal((seen[0].error_data["ErrorNumber"], seen[0].error_data["Type"]), (16, "QueryParseException"))


@point
def an_order_that_is_none_is_a_bad_request(session: Session) -> None:
    with raises(AccountingBadRequestException, 400):
        session.accounts(order="Colour")


@point
def an_organisation_that_is_not_connected_is_forbidden(session: Session) -> None:
    with raises(HTTPStatusException, 403):
        session.accounting.get_organisations(str(uuid.uuid4()))


@point
def an_unknown_token_is_unauthorised(session: Session) -> None:
    with session.using(session.token | {"access_token": "unknown"}), raises(HTTPStatusException, 401):
        session.accounting.get_organisations(session.tenant())


@point
def a_wait_that_xero_names_is_waited_out(session: Session) -> None:
    """The SDK does so itself, and asks again: so `Retry-After` is what it understands."""
    control("POST", "faults", {"match": {"path": "/Accounts"}, "fault": "rateLimit", "limit": "minute", "seconds": 1})
    began = time.monotonic()
    equal(len(session.accounts()), 7)
    assert time.monotonic() - began >= 1


@point
def a_limit_without_a_wait_is_told_with_its_name(session: Session) -> None:
    control("PUT", "limits", {"tenantConcurrent": 0})
    try:
        with raises(RateLimitException, 429) as seen:
            session.accounts()
    finally:
        control("PUT", "limits", {"tenantConcurrent": 5})
    headers = seen[0].http_resp.urllib3_response.headers
    equal(headers["X-Rate-Limit-Problem"], "ConcurrentLimit" if IS_OTHER else "concurrent")
    assert "Retry-After" not in headers


@point
def an_outage_is_told(session: Session) -> None:
    control("POST", "faults", {"match": {"path": "/Accounts"}, "fault": "page", "status": 503})
    with raises(HTTPStatusException, 503):
        session.accounts()
