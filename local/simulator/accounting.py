"""The accounting look-ups made before a feed: the organisation, what it may do, and its bank accounts."""

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
    many = len(call.org.currencies) > 1
    actions = [{"Name": "UseMulticurrency", "Status": "ALLOWED" if many else "NOT-ALLOWED"}]
    return _answer(sim, call, {"Actions": actions})


def list_accounts(sim: Simulator, call: ApiCall) -> Answer:
    """Of Xero's `where` language, equalities joined by AND: `Type=="BANK" AND Status=="ACTIVE"`."""
    wanted = _read_where(call.query.get("where", ""))
    if wanted is None:
        error = {
            "ErrorNumber": 16,
            "Type": "QueryParseException",
            "Message": "The where clause is not understood",
        }
        return Answer(400, error)
    accounts = [_account(one, sim.now()) for one in call.org.accounts]
    matching = [one for one in accounts if all(one.get(name) == value for name, value in wanted)]
    return _answer(sim, call, {"Accounts": matching})


def _read_where(where: str) -> list[tuple[str, str]] | None:
    if not where:
        return []
    parts = [_COMPARISON.fullmatch(one) for one in _AND.split(where)]
    return [(one[1], one[2]) for one in parts if one] if all(parts) else None


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
    # Xero's accounting API answers XML to everybody who does not ask for JSON.
    return Answer(200, ElementTree.tostring(_as_xml("Response", body), "utf-8", xml_declaration=True), XML)


def _organisation(one: Organisation) -> dict[str, Any]:
    zone = TIME_ZONES.get(one.country, DEFAULT_TIME_ZONE)
    return {
        "OrganisationID": one.tenant_id,
        "Name": one.name,
        "LegalName": one.name,
        "PaysTax": True,
        "Version": EDITIONS.get(one.country, "GLOBAL"),
        "OrganisationType": "COMPANY",
        "BaseCurrency": one.currency,
        "CountryCode": one.country,
        "IsDemoCompany": one.demo,
        "OrganisationStatus": "ACTIVE",
        "Timezone": zone[1],
        "OrganisationEntityType": "COMPANY",
        "ShortCode": f"!{one.tenant_id[:5]}",
        "Class": "DEMO" if one.demo else "COMPREHENSIVE",
        "Edition": "BUSINESS",
    }


def _account(one: Account, now: datetime) -> dict[str, Any]:
    content = {
        "AccountID": one.account_id,
        "Code": one.code,
        "Name": one.name,
        "Status": "ACTIVE" if one.active else "ARCHIVED",
        "Type": one.ledger_type,
        "CurrencyCode": one.currency,
        "EnablePaymentsToAccount": False,
        "HasAttachments": False,
        "UpdatedDateUTC": _net_date(now),
    }
    if one.bank_type is not None:
        content |= {"BankAccountNumber": one.number, "BankAccountType": one.bank_type, "Class": "ASSET"}
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
