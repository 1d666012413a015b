"""What Codat says about an integration's accounts, transactions and organisation."""

from typing import Any

from local.codat_simulator.errors import CodatError
from local.codat_simulator.mapping_routes import linked_connection
from local.codat_simulator.push_checks import TYPES
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall

Json = dict[str, Any]


def bank_transaction_option(sim: Codat, call: ApiCall) -> Answer:
    connection = linked_connection(sim, call)
    sim.account(connection, call.path_params["account"])
    return Answer(200, _push_option(sim))


def data_type_option(sim: Codat, call: ApiCall) -> Answer:
    sim.connection(call.path_params["company"], call.path_params["connection"])
    if call.path_params["data_type"] != "bankTransactions":
        raise CodatError(404, "The integration does not support this data type.")
    return Answer(200, _push_option(sim))


def company_information(sim: Codat, call: ApiCall) -> Answer:
    """The connected organisation, which the customer has to be shown by name."""
    organisation = sim.organisation(linked_connection(sim, call))
    if organisation is None:
        raise CodatError(404)
    body = {
        "companyName": organisation.name,
        "baseCurrency": organisation.currency,
        "planType": "DEMO" if organisation.demo else "GROW",
        "multicurrencyEnabled": len(organisation.currencies) > 1,
        "currencies": organisation.currencies,
    }
    return Answer(200, body)


def _push_option(sim: Codat) -> Json:
    types = [{"value": name, "type": "String", "displayName": name, "required": False} for name in TYPES]
    required = sim.behaviour.balance == "required"
    line = {
        "id": _property("String", "Id", "Unique in the company", True),
        "date": _property("DateTime", "Date", "Local date, neither in the future nor older than a year", True),
        "description": _property("String", "Description", "What the bank says", True),
        "counterparty": _property("String", "Counterparty", "Payee", False),
        "reference": _property("String", "Reference", "Reference", False),
        "reconciled": _property("Boolean", "Reconciled", "Whether it is reconciled", False),
        "amount": _property("Number", "Amount", "Credit is positive", True),
        "balance": _property("Number", "Balance", "After the transaction", required),
        "transactionType": {**_property("String", "Type", "Descriptive", True), "options": types},
    }
    transactions = {**_property("Array", "Transactions", "Oldest first, at most 1000", True), "properties": line}
    account = _property("String", "Account", "The source account", True)
    return {
        "type": "Object",
        "displayName": "Bank Transactions",
        "description": "Bank transactions of one account",
        "required": True,
        "properties": {"accountId": account, "transactions": transactions},
    }


def _property(kind: str, name: str, description: str, required: bool) -> Json:
    return {"type": kind, "displayName": name, "description": description, "required": required}
