"""Organisations, accounts and users, and the accounting API's refusals. pyxero has no bank feeds."""

import uuid
from datetime import UTC, datetime
from typing import Any

from points import BAKERY, IS_OTHER, REGIONS, Point, consent, control, equal, point, raises
from session import Session
from xero import Xero
from xero.exceptions import (
    XeroBadRequest,
    XeroForbidden,
    XeroInternalError,
    XeroNotAvailable,
    XeroNotFound,
    XeroRateLimitExceeded,
    XeroUnauthorized,
)


def names(accounts: list[dict[str, Any]]) -> list[str]:
    return [one["Name"] for one in accounts]


@point
def organisations_are_read(session: Session) -> None:
    (found,) = session.at().organisations.all()
    equal((found["Name"], found["IsDemoCompany"], found["BaseCurrency"]), (BAKERY, False, "GBP"))


def of_region(name: str) -> Point:
    def each(session: Session) -> None:
        (found,) = session.at(name).organisations.all()
        wanted = session.known[name]
        equal((found["CountryCode"], found["BaseCurrency"]), (wanted["country"], wanted["currency"]))
        zone = found["Timezone"]
        assert zone.isupper(), zone
        assert zone.endswith("STANDARDTIME"), zone

    each.__name__ = f"organisation_of_{name}"
    return each


for name in REGIONS:
    point(of_region(name))


@point
def actions_are_listed(session: Session) -> None:
    found = session.at().organisations.actions()["Actions"]
    assert {"Name": "UseMulticurrency", "Status": "ALLOWED"} in found, found


@point
def currencies_are_listed(session: Session) -> None:
    equal([one["Code"] for one in session.at().currencies.all()], ["GBP", "EUR"])


@point
def users_have_a_role(session: Session) -> None:
    equal([one["OrganisationRole"] for one in session.at().users.all()], ["FINANCIALADVISER"])
    equal([one["OrganisationRole"] for one in session.at("Read Only Ltd").users.all()], ["READONLY"])


@point
def accounts_are_listed(session: Session) -> None:
    found = session.at().accounts.all()
    equal(len(found), 7)
    assert all(isinstance(one["UpdatedDateUTC"], datetime) for one in found)


@point
def one_account_is_read(session: Session) -> None:
    (found,) = session.at().accounts.get(session.account_id("Business Visa"))
    equal((found["Name"], found["BankAccountType"]), ("Business Visa", "CREDITCARD"))


@point
def accounts_of_a_type(session: Session) -> None:
    equal(len(session.at().accounts.filter(Type="BANK")), 5)


@point
def accounts_of_another_type(session: Session) -> None:
    equal(names(session.at().accounts.filter(Type__ne="BANK")), ["Sales", "Office Expenses"])


@point
def accounts_by_id(session: Session) -> None:
    id = uuid.UUID(session.account_id("Euro Account"))
    equal(names(session.at().accounts.filter(AccountID=id)), ["Euro Account"])


@point
def accounts_but_one_by_id(session: Session) -> None:
    id = uuid.UUID(session.account_id("Euro Account"))
    equal(len(session.at().accounts.filter(AccountID__ne=id)), 6)


@point
def accounts_by_beginning(session: Session) -> None:
    found = session.at().accounts.filter(Name__startswith="Business", order="Name")
    equal(names(found), ["Business Current Account", "Business Savings Account", "Business Visa"])


@point
def accounts_by_end_and_content(session: Session) -> None:
    equal(names(session.at().accounts.filter(Name__endswith="Visa")), ["Business Visa"])
    equal(names(session.at().accounts.filter(Name__contains="Takings")), ["PayPal Takings"])


@point
def accounts_whatever_their_case(session: Session) -> None:
    equal(names(session.at().accounts.filter(Name__tolower="business visa")), ["Business Visa"])
    equal(names(session.at().accounts.filter(Name__toupper="BUSINESS VISA")), ["Business Visa"])


@point
def accounts_by_either(session: Session) -> None:
    found = session.at().accounts.filter(raw='Code=="093" OR Code=="094"', order="Code DESC")
    equal(names(found), ["PayPal Takings", "Business Visa"])


@point
def accounts_by_both(session: Session) -> None:
    equal(names(session.at().accounts.filter(Type="BANK", CurrencyCode="EUR")), ["Euro Account"])
    found = session.at().accounts.filter(raw='Status=="ACTIVE" AND (Code=="200" || Code=="453")')
    equal(names(found), ["Sales", "Office Expenses"])


@point
def accounts_with_and_without_a_number(session: Session) -> None:
    equal(len(session.at().accounts.filter(BankAccountNumber__isnull=False)), 5)
    equal(len(session.at().accounts.filter(BankAccountNumber__isnull=True)), 2)


@point
def accounts_by_a_truth(session: Session) -> None:
    equal(len(session.at().accounts.filter(EnablePaymentsToAccount=False)), 7)


@point
def accounts_since_a_date(session: Session) -> None:
    equal(len(session.at().accounts.filter(since=datetime(2020, 1, 1, tzinfo=UTC))), 7)


@point
def accounts_in_order(session: Session) -> None:
    found = names(session.at().accounts.filter(Type="BANK", order="Name DESC"))
    equal(found, sorted(found, reverse=True))
    found = names(session.at().accounts.filter(order="Type ASC, Name DESC"))
    equal((found[0], found[-1]), ("PayPal Takings", "Sales"))


@point
def archived_accounts_are_listed_as_such(session: Session) -> None:
    found = session.at("Archive Ltd").accounts.filter(Status="ARCHIVED")
    equal(names(found), ["Old Account"])
    equal(names(session.at("Archive Ltd").accounts.filter(Status__ne="ARCHIVED")), ["Sales", "Office Expenses"])


@point
def an_unknown_account_is_not_found(session: Session) -> None:
    with raises(XeroNotFound, 404):
        session.at().accounts.get(str(uuid.uuid4()))
    with raises(XeroNotFound, 404):
        session.at().accounts.get("no-guid")


@point
def a_where_that_is_none_is_a_bad_request(session: Session) -> None:
    with raises(XeroBadRequest, 400) as seen:
        session.at().accounts.filter(raw='Name is "Sales"')
    assert str(seen[0]).startswith("QueryParseException"), seen


@point
def an_organisation_that_is_not_connected_is_forbidden(session: Session) -> None:
    xero = session.at()
    session.credentials.tenant_id = str(uuid.uuid4())
    with raises(XeroForbidden, 403) as seen:
        xero.organisations.all()
    equal(seen[0].response.json()["Detail"], "AuthenticationUnsuccessful")


@point
def an_unknown_token_is_unauthorised(session: Session) -> None:
    token = {"access_token": "unknown", "token_type": "Bearer"}
    stranger = session.new_credentials(token=token, tenant_id=session.known[BAKERY]["tenantId"])
    with raises(XeroUnauthorized, 401) as seen:
        Xero(stranger).organisations.all()
    equal(seen[0].problem, "TokenInvalid")


@point
def a_limit_is_told_with_its_name_and_wait(session: Session) -> None:
    control("POST", "faults", {"match": {"path": "/Accounts"}, "fault": "rateLimit", "limit": "minute", "seconds": 7})
    with raises(XeroRateLimitExceeded, 429) as seen:
        session.at().accounts.all()
    equal(seen[0].response.headers["Retry-After"], "7")
    equal(seen[0].response.headers["X-Rate-Limit-Problem"], "minute")


@point
def the_real_limit_is_reached(session: Session) -> None:
    control("PUT", "limits", {"tenantMinute": 1})
    try:
        with raises(XeroRateLimitExceeded, 429) as seen:
            session.at("Archive Ltd").accounts.all()
            session.at("Archive Ltd").accounts.all()
    finally:
        control("PUT", "limits", {"tenantMinute": 10_000})
    equal(seen[0].response.headers["X-MinLimit-Remaining"], "0")
    assert 1 <= int(seen[0].response.headers["Retry-After"]) <= 60
    equal(seen[0].problem, f"rate limit exceeded: {'MinuteLimit' if IS_OTHER else 'minute'}")


@point
def remaining_calls_are_told_with_every_answer(session: Session) -> None:
    with raises(XeroNotFound, 404) as seen:
        session.at().accounts.get(str(uuid.uuid4()))
    assert {"X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining"} <= {
        name for name in ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining")
        if name in seen[0].response.headers
    }  # fmt: skip


@point
def an_outage_is_told(session: Session) -> None:
    control("POST", "faults", {"match": {"path": "/Accounts"}, "fault": "page", "status": 503, "content": "empty"})
    with raises(XeroNotAvailable, 503):
        session.at().accounts.all()
    control("POST", "faults", {"match": {"path": "/Accounts"}, "fault": "status", "status": 500})
    with raises(XeroInternalError, 500):
        session.at().accounts.all()


@point
def a_token_without_the_scope_is_refused(session: Session) -> None:
    user = str(uuid.uuid4())
    control("PUT", "consent", {"userId": user})
    narrow = session.new_credentials(scope=["offline_access", "openid"])
    narrow.verify(consent(narrow.generate_url(), BAKERY))
    narrow.tenant_id = session.known[BAKERY]["tenantId"]
    kind, status = (XeroUnauthorized, 401) if IS_OTHER else (XeroForbidden, 403)
    with raises(kind, status):
        Xero(narrow).accounts.all()
