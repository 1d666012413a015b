"""Xero organisations (tenants) and their accounts, and the three that every new simulator has."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from local.simulator.time_zones import COUNTRY_ZONES, UTC

# Roles that may manage bank feeds, as Xero's accounting API names them. The others: READONLY, INVOICEONLY, ...
FEED_ROLES = ("FINANCIALADVISER", "STANDARD")

# Some of Xero's, which are an open set; the default first.
PLANS = ("COMPREHENSIVE", "STARTER", "STANDARD", "PREMIUM", "ULTIMATE", "LEDGER", "CASHBOOK", "TRIAL")


@dataclass
class Account:
    """A ledger account. `bank_type` is BANK, CREDITCARD or PAYPAL for bank accounts, None for others."""

    account_id: str
    name: str
    code: str
    number: str
    currency: str
    bank_type: str | None = "BANK"
    ledger_type: str = "BANK"
    active: bool = True
    deleted: bool = False


@dataclass
class Organisation:
    tenant_id: str
    name: str
    country: str
    currency: str
    demo: bool = False
    bank_feeds: bool = True
    # True by default: then the first push meets the missing bank feeds, not the mapping.
    feed_connections_allowed: bool = True
    currencies: list[str] = field(default_factory=list)
    time_zone: str = UTC
    uncertified_apps: int = 0
    accounts: list[Account] = field(default_factory=list)
    # Xero's `Class`: the plan that the organisation pays for. A demo company has none.
    plan: str = PLANS[0]
    # ORGANISATION, PRACTICE, or another: an open set.
    tenant_type: str = "ORGANISATION"
    # By user id; whoever is not named is an adviser.
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def takes_feed_connections(self) -> bool:
        return self.bank_feeds or self.feed_connections_allowed

    def today(self, now: datetime, zone: str | None = None) -> date:
        """The date in the organisation's time zone, or in another."""
        return now.astimezone(ZoneInfo(zone or self.time_zone)).date()

    def role_of(self, user_id: str) -> str:
        return self.roles.get(user_id, "FINANCIALADVISER")

    def account(self, account_id: str) -> Account | None:
        return next((account for account in self.accounts if account.account_id == account_id), None)

    def account_numbered(self, number: str, bank_type: str) -> Account | None:
        """The account that the number matches: all digits for a bank account, the last four for a card."""
        wanted = digits(number)
        for account in self.accounts:
            if account.bank_type != bank_type or not account.active:
                continue
            known = digits(account.number)
            if known and wanted == (known[-4:] if bank_type == "CREDITCARD" else known):
                return account
        return None


def new_organisation(
    name: str,
    country: str,
    currency: str,
    *,
    tenant_id: str | None = None,
    demo: bool = False,
    bank_feeds: bool | None = None,
    feed_connections_allowed: bool = True,
    accounts: list[Account] | None = None,
) -> Organisation:
    """An organisation with its bank accounts, and two ledger accounts that are not bank accounts."""
    bank_accounts = list(accounts or [])
    currencies = [currency, *sorted({account.currency for account in bank_accounts} - {currency})]
    ledger = [
        Account(new_id(), "Sales", "200", "", currency, bank_type=None, ledger_type="REVENUE"),
        Account(new_id(), "Office Expenses", "453", "", currency, bank_type=None, ledger_type="OVERHEADS"),
    ]
    return Organisation(
        tenant_id=tenant_id or new_id(),
        name=name,
        country=country,
        currency=currency,
        demo=demo,
        bank_feeds=not demo if bank_feeds is None else bank_feeds,
        feed_connections_allowed=feed_connections_allowed,
        currencies=currencies,
        time_zone=COUNTRY_ZONES.get(country, UTC),
        accounts=bank_accounts + ledger,
    )


def default_organisations() -> list[Organisation]:
    """The ids are the same in every run, so that documentation can name them."""
    return [
        new_organisation(
            "Harbour Bakery Ltd",
            "GB",
            "GBP",
            tenant_id=fixed_id("harbour-bakery"),
            accounts=[
                _account("harbour-current", "Business Current Account", "090", "20454555779911"),
                _account("harbour-savings", "Business Savings Account", "091", "20454555779922"),
                _account("harbour-euro", "Euro Account", "092", "20454588112233", currency="EUR"),
                _account("harbour-card", "Business Visa", "093", "4242", bank_type="CREDITCARD"),
                _account("harbour-paypal", "PayPal Takings", "094", "takings@harbourbakery.example", "PAYPAL"),
            ],
        ),
        new_organisation(
            "Northwind Joinery",
            "GB",
            "GBP",
            tenant_id=fixed_id("northwind-joinery"),
            bank_feeds=False,
            accounts=[_account("northwind-current", "Joinery Current Account", "090", "40111122334455")],
        ),
        new_organisation(
            "Demo Company (UK)",
            "GB",
            "GBP",
            tenant_id=fixed_id("demo-company-uk"),
            demo=True,
            # Refused at once here; the other organisation without bank feeds meets its 403 with the first push.
            feed_connections_allowed=False,
            accounts=[_account("demo-current", "Business Bank Account", "090", "09085812345678")],
        ),
    ]


def new_id() -> str:
    return str(uuid.uuid4())


def fixed_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.simulator.example"))


def digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit()) or number


def _account(key: str, name: str, code: str, number: str, bank_type: str = "BANK", currency: str = "GBP") -> Account:
    return Account(fixed_id(key), name, code, number, currency, bank_type)
