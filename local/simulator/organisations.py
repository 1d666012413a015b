"""Xero organisations (tenants) and their accounts, with the three every fresh simulator has."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

# Country -> IANA zone (for "today") and the name Xero's Organisation endpoint uses for it.
TIME_ZONES = {
    "GB": ("Europe/London", "GMTSTANDARDTIME"),
    "IE": ("Europe/Dublin", "GMTSTANDARDTIME"),
    "AU": ("Australia/Sydney", "AUSEASTERNSTANDARDTIME"),
    "NZ": ("Pacific/Auckland", "NEWZEALANDSTANDARDTIME"),
    "US": ("America/New_York", "EASTERNSTANDARDTIME"),
}
DEFAULT_TIME_ZONE = ("UTC", "UTC")


@dataclass
class Account:
    """A ledger account; `bank_type` is BANK, CREDITCARD or PAYPAL for bank accounts, None for the others."""

    account_id: str
    name: str
    code: str
    number: str
    currency: str
    bank_type: str | None = "BANK"
    ledger_type: str = "BANK"
    active: bool = True


@dataclass
class Organisation:
    tenant_id: str
    name: str
    country: str
    currency: str
    demo: bool = False
    bank_feeds: bool = True
    # True by default: an organisation without bank feeds is then found out by the push, not before it.
    feed_connections_allowed: bool = True
    currencies: list[str] = field(default_factory=list)
    time_zone: str = "UTC"
    uncertified_apps: int = 0
    accounts: list[Account] = field(default_factory=list)

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def account(self, account_id: str) -> Account | None:
        return next((one for one in self.accounts if one.account_id == account_id), None)

    def account_numbered(self, number: str, bank_type: str) -> Account | None:
        """The account a feed's number matches: all digits for a bank account, the last four for a card."""
        wanted = digits(number)
        for one in self.accounts:
            if one.bank_type != bank_type or not one.active:
                continue
            held = digits(one.number)
            if held and wanted == (held[-4:] if bank_type == "CREDITCARD" else held):
                return one
        return None


def new_organisation(
    name: str,
    country: str,
    currency: str,
    *,
    tenant_id: str | None = None,
    demo: bool = False,
    bank_feeds: bool | None = None,
    accounts: list[Account] | None = None,
) -> Organisation:
    """An organisation with its bank accounts and two ledger accounts that must never look like one."""
    held = list(accounts or [])
    currencies = [currency, *sorted({one.currency for one in held} - {currency})]
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
        currencies=currencies,
        time_zone=TIME_ZONES.get(country, DEFAULT_TIME_ZONE)[0],
        accounts=held + ledger,
    )


def default_organisations() -> list[Organisation]:
    """The same ids in every run, so that a demo and its documentation can name them."""
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
            accounts=[_account("demo-current", "Business Bank Account", "090", "09085812345678")],
        ),
    ]


def new_id() -> str:
    return str(uuid.uuid4())


def fixed_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.simulator.example"))


def digits(number: str) -> str:
    return "".join(one for one in number if one.isdigit()) or number


def _account(key: str, name: str, code: str, number: str, bank_type: str = "BANK", currency: str = "GBP") -> Account:
    return Account(fixed_id(key), name, code, number, currency, bank_type)
