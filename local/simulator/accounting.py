"""The accounting look-ups before a feed: the organisation, its permitted actions, and its bank accounts."""

import uuid
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from local.simulator.answers import JSON, XML, Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import Account, Organisation, new_id
from local.simulator.state import Simulator
from local.simulator.time_zones import xero_name
from local.simulator.where import NotUnderstood, read_where, sort

EDITIONS = {"GB": "UK", "AU": "AU", "NZ": "NZ", "US": "US"}
# By account type, of those that there are here.
CLASSES = {"BANK": "ASSET", "REVENUE": "REVENUE", "OVERHEADS": "EXPENSE"}

ACCOUNT_FIELDS = frozenset(
    {"AccountID", "Code", "Name", "Status", "Type", "CurrencyCode", "BankAccountNumber", "BankAccountType", "Class"}
)


def show_organisation(sim: Simulator, call: ApiCall) -> Answer:
    return _answer(sim, call, {"Organisations": [_organisation(sim, call.org)]})


def list_actions(sim: Simulator, call: ApiCall) -> Answer:
    has_currencies = len(call.org.currencies) > 1
    actions = [{"Name": "UseMulticurrency", "Status": "ALLOWED" if has_currencies else "NOT-ALLOWED"}]
    return _answer(sim, call, {"Actions": actions})


def list_currencies(sim: Simulator, call: ApiCall) -> Answer:
    """Those that the organisation has added, its own among them."""
    currencies = [{"Code": code, "Description": code} for code in call.org.currencies]
    return _answer(sim, call, {"Currencies": currencies})


def list_accounts(sim: Simulator, call: ApiCall) -> Answer:
    """Filtered by `where` and sorted by `order`."""
    accounts = [_account(account, sim.now()) for account in call.org.accounts if not account.deleted]
    try:
        matches = read_where(call.query.get("where", ""))
        found = sort([one for one in accounts if matches(one)], call.query.get("order", ""), ACCOUNT_FIELDS)
    except NotUnderstood:
        error = {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "The where clause is not understood"}
        return Answer(400, error)
    return _answer(sim, call, {"Accounts": found})


def show_account(sim: Simulator, call: ApiCall) -> Answer:
    try:
        account = call.org.account(str(uuid.UUID(call.path_params["id"])))
    except ValueError:
        account = None
    if account is None or account.deleted:
        return Answer(404, b"The resource you're looking for cannot be found", "text/html")
    return _answer(sim, call, {"Accounts": [_account(account, sim.now())]})


def list_users(sim: Simulator, call: ApiCall) -> Answer:
    """The users who have connected the organisation, with their roles."""
    ids = [one.user_id for one in sim.live_connections() if one.tenant_id == call.org.tenant_id]
    users = [sim.user(id) for id in dict.fromkeys(ids)]
    shown = [
        {
            "UserID": user.user_id,
            "EmailAddress": user.email,
            "FirstName": user.given_name,
            "LastName": user.family_name,
            "IsSubscriber": False,
            "OrganisationRole": call.org.role_of(user.user_id),
        }
        for user in users
    ]
    return _answer(sim, call, {"Users": shown})


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


def _organisation(sim: Simulator, organisation: Organisation) -> dict[str, Any]:
    zone = xero_name(organisation.time_zone, organisation.country, sim.behaviour.time_zone_names)
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
        **({"Timezone": zone} if zone is not None else {}),
        "OrganisationEntityType": "COMPANY",
        "ShortCode": f"!{organisation.tenant_id[:5]}",
        "Class": "DEMO" if organisation.demo else organisation.plan,
        "Edition": "BUSINESS",
    }


def _account(account: Account, now: datetime) -> dict[str, Any]:
    content = {
        "AccountID": account.account_id,
        "Code": account.code,
        "Name": account.name,
        "Status": "ACTIVE" if account.active else "ARCHIVED",
        "Type": account.ledger_type,
        "Class": CLASSES[account.ledger_type],
        "CurrencyCode": account.currency,
        "EnablePaymentsToAccount": False,
        "HasAttachments": False,
        "UpdatedDateUTC": _net_date(now),
    }
    if account.bank_type is not None:
        content |= {"BankAccountNumber": account.number, "BankAccountType": account.bank_type}
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
