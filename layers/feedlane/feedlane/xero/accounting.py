"""What Xero's Accounting API tells of an organisation: its plan, its currencies, its bank accounts."""

from __future__ import annotations

from typing import Any

from feedlane.companies.connection import Tenant
from feedlane.companies.source_account import AccountKind
from feedlane.feeds.upstream import TargetAccount, TenantAccess
from feedlane.record import Record
from feedlane.xero.api import XeroApi
from feedlane.xero.time_zones import iana_zone

BASE_PATH = "/api.xro/2.0"
# What the Bank Feeds API can feed. PayPal accounts are bank accounts to Xero, and cannot be fed.
ACCOUNT_KINDS = {"BANK": AccountKind.BANK, "CREDITCARD": AccountKind.CREDIT_CARD}


class OrganisationDetails(Record):
    """`plan` is Xero's `Class` (open: DEMO, TRIAL, STARTER…). A demo company has no bank feeds, as a rule."""

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
        found = _objects_in(self._api.fetch(access, f"{BASE_PATH}/Organisation"), "Organisations")
        said = found[0] if found else {}
        country = str(said.get("CountryCode") or "")
        return OrganisationDetails(
            id=str(said.get("OrganisationID") or ""),
            name=str(said.get("Name") or ""),
            base_currency=str(said.get("BaseCurrency") or ""),
            country=country,
            time_zone=iana_zone(str(said.get("Timezone") or ""), country),
            plan=str(said.get("Class") or ""),
            demo=said.get("IsDemoCompany") is True,
        )

    def allows_multicurrency(self, access: TenantAccess) -> bool:
        """Whether accounts may have another currency than the organisation's own."""
        actions = _objects_in(self._api.fetch(access, f"{BASE_PATH}/Organisation/Actions"), "Actions")
        return "UseMulticurrency" in {one.get("Name") for one in actions if one.get("Status") == "ALLOWED"}

    def bank_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        """The active bank accounts and credit cards that can be fed."""
        answer = self._api.fetch(access, f"{BASE_PATH}/Accounts", {"where": 'Type=="BANK"'})
        return [
            TargetAccount(
                id=str(one["AccountID"]),
                name=str(one.get("Name") or ""),
                number=str(one.get("BankAccountNumber") or ""),
                currency=str(one.get("CurrencyCode") or ""),
                kind=ACCOUNT_KINDS[str(one["BankAccountType"])],
            )
            for one in _objects_in(answer, "Accounts")
            if one.get("AccountID") and one.get("BankAccountType") in ACCOUNT_KINDS and one.get("Status") == "ACTIVE"
        ]


def _objects_in(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = answer.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
