"""An organisation in Xero's Accounting API: its details, its currencies and its bank accounts."""

from __future__ import annotations

from feedlane.companies.connection import Tenant
from feedlane.companies.organisations import NAME_LENGTH_MAX
from feedlane.companies.source_account import AccountKind
from feedlane.feeds.upstream import TargetAccount, TenantAccess
from feedlane.record import Record
from feedlane.xero.api import XeroApi, objects_in, unreadable
from feedlane.xero.time_zones import iana_zone

BASE_PATH = "/api.xro/2.0"
# More than there are.
CURRENCIES_MAX = 300
# What the Bank Feeds API can feed. Xero counts PayPal accounts as bank accounts too, but they cannot be fed.
ACCOUNT_KINDS = {"BANK": AccountKind.BANK, "CREDITCARD": AccountKind.CREDIT_CARD}


class OrganisationDetails(Record):
    """`plan` is Xero's `Class` (an open set: DEMO, TRIAL, STARTER…). A demo company usually has no bank feeds."""

    id: str
    name: str
    base_currency: str
    country: str
    time_zone: str
    plan: str
    demo: bool

    def as_tenant(self, tenant_id: str, xero_connection_id: str) -> Tenant:
        return Tenant(
            id=tenant_id,
            name=self.name,
            xero_connection_id=xero_connection_id,
            base_currency=self.base_currency,
            country=self.country,
            time_zone=self.time_zone,
            plan=self.plan,
            demo=self.demo,
        )


class Accounting:
    """Every call raises `Refused`, `Unavailable`, `ReconnectionNeeded` or `AppKeysRejected`."""

    def __init__(self, api: XeroApi) -> None:
        self._api = api

    def organisation(self, access: TenantAccess) -> OrganisationDetails:
        organisations = objects_in(self._api.fetch(access, f"{BASE_PATH}/Organisation"), "Organisations")
        fields = organisations[0] if organisations else {}
        if not fields.get("OrganisationID") or not fields.get("BaseCurrency"):
            raise unreadable()
        country = str(fields.get("CountryCode") or "")
        return OrganisationDetails(
            id=str(fields["OrganisationID"]),
            name=str(fields.get("Name") or "")[:NAME_LENGTH_MAX],
            base_currency=str(fields["BaseCurrency"]),
            country=country,
            time_zone=iana_zone(str(fields.get("Timezone") or ""), country),
            plan=str(fields.get("Class") or ""),
            demo=fields.get("IsDemoCompany") is True,
        )

    def allows_multicurrency(self, access: TenantAccess) -> bool:
        """Whether accounts may have a currency other than the organisation's own."""
        actions = objects_in(self._api.fetch(access, f"{BASE_PATH}/Organisation/Actions"), "Actions")
        return "UseMulticurrency" in {action.get("Name") for action in actions if action.get("Status") == "ALLOWED"}

    def currencies(self, access: TenantAccess) -> tuple[str, ...]:
        """The codes of all currencies that the organisation has added, its own among them."""
        listed = objects_in(self._api.fetch(access, f"{BASE_PATH}/Currencies"), "Currencies")
        return tuple(str(currency["Code"]) for currency in listed if currency.get("Code"))[:CURRENCIES_MAX]

    def account_status(self, access: TenantAccess, account_id: str) -> str:
        """`ACTIVE`, `ARCHIVED`, or whatever Xero says of the bank account; empty if it is deleted.

        From the list: the account's own page answers a deleted one as a page in front of Xero would.
        """
        answer = self._api.fetch(access, f"{BASE_PATH}/Accounts", {"where": 'Type=="BANK"'})
        for account in objects_in(answer, "Accounts"):
            if str(account.get("AccountID")).lower() == account_id.lower():
                return str(account.get("Status") or "ACTIVE")
        return ""

    def bank_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        """The active bank accounts and credit cards that can be fed."""
        answer = self._api.fetch(access, f"{BASE_PATH}/Accounts", {"where": 'Type=="BANK"'})
        return [
            TargetAccount(
                id=str(account["AccountID"]),
                name=str(account.get("Name") or ""),
                number=str(account.get("BankAccountNumber") or ""),
                currency=str(account.get("CurrencyCode") or ""),
                kind=ACCOUNT_KINDS[str(account["BankAccountType"])],
            )
            for account in objects_in(answer, "Accounts")
            if account.get("AccountID") and account.get("Status") == "ACTIVE"
            if account.get("BankAccountType") in ACCOUNT_KINDS
        ]
