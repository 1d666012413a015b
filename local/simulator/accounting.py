"""The accounting look-ups before a feed: the organisation, its permitted actions, and its bank accounts."""

import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from local.simulator.answers import JSON, XML, Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import DEFAULT_TIME_ZONE, TIME_ZONES, Account, Organisation, new_id
from local.simulator.state import Simulator

EDITIONS = {"GB": "UK", "AU": "AU", "NZ": "NZ", "US": "US"}

_COMPARISON = re.compile(r'\s*(\w+)\s*==\s*"([^"]*)"\s*')
_AND = re.compile(r"&&|\bAND\b", re.IGNORECASE)


def show_organisation(sim: Simulator, call: ApiCall) -> Answer:
    return _answer(sim, call, {"Organisations": [_organisation(call.org)]})


def list_actions(sim: Simulator, call: ApiCall) -> Answer:
    has_currencies = len(call.org.currencies) > 1
    actions = [{"Name": "UseMulticurrency", "Status": "ALLOWED" if has_currencies else "NOT-ALLOWED"}]
    return _answer(sim, call, {"Actions": actions})


def list_accounts(sim: Simulator, call: ApiCall) -> Answer:
    """Supports only equalities joined by AND in `where`: `Type=="BANK" AND Status=="ACTIVE"`."""
    conditions = _read_where(call.query.get("where", ""))
    if conditions is None:
        error = {
            "ErrorNumber": 16,
            "Type": "QueryParseException",
            "Message": "The where clause is not understood",
        }
        return Answer(400, error)
    accounts = [_account(account, sim.now()) for account in call.org.accounts]
    matching = [account for account in accounts if all(account.get(name) == value for name, value in conditions)]
    return _answer(sim, call, {"Accounts": matching})


def _read_where(where: str) -> list[tuple[str, str]] | None:
    if not where:
        return []
    comparisons = [_COMPARISON.fullmatch(comparison) for comparison in _AND.split(where)]
    return [(comparison[1], comparison[2]) for comparison in comparisons if comparison] if all(comparisons) else None


def _answer(sim: Simulator, call: ApiCall, content: dict[str, Any]) -> Answer:
    body = {
        "Id": new_id(),
        "Status": "OK",
        "ProviderName": sim.app.name,
        "DateTimeUTC": _net_date(sim.now()),
        **content,
    }
    if "json" in call.headers.get("accept", ""):
        return Answer(200, body, JSON)
    # Xero's accounting API answers XML unless the caller asks for JSON.
    return Answer(200, ElementTree.tostring(_as_xml("Response", body), "utf-8", xml_declaration=True), XML)


def _organisation(organisation: Organisation) -> dict[str, Any]:
    zone = TIME_ZONES.get(organisation.country, DEFAULT_TIME_ZONE)
    return {
        "OrganisationID": organisation.tenant_id,
        "Name": organisation.name,
        "LegalName": organisation.name,
        "PaysTax": True,
        "Version": EDITIONS.get(organisation.country, "GLOBAL"),
        "OrganisationType": "COMPANY",
        "BaseCurrency": organisation.currency,
        "CountryCode": organisation.country,
        "IsDemoCompany": organisation.demo,
        "OrganisationStatus": "ACTIVE",
        "Timezone": zone[1],
        "OrganisationEntityType": "COMPANY",
        "ShortCode": f"!{organisation.tenant_id[:5]}",
        "Class": "DEMO" if organisation.demo else "COMPREHENSIVE",
        "Edition": "BUSINESS",
    }


def _account(account: Account, now: datetime) -> dict[str, Any]:
    content = {
        "AccountID": account.account_id,
        "Code": account.code,
        "Name": account.name,
        "Status": "ACTIVE" if account.active else "ARCHIVED",
        "Type": account.ledger_type,
        "CurrencyCode": account.currency,
        "EnablePaymentsToAccount": False,
        "HasAttachments": False,
        "UpdatedDateUTC": _net_date(now),
    }
    if account.bank_type is not None:
        content |= {"BankAccountNumber": account.number, "BankAccountType": account.bank_type, "Class": "ASSET"}
    return content


def _net_date(moment: datetime) -> str:
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


def _as_xml(name: str, value: Any) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(value, dict):
        element.extend(_as_xml(key, content) for key, content in value.items())
    elif isinstance(value, list):
        element.extend(_as_xml(name.removesuffix("s"), content) for content in value)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)
    return element
