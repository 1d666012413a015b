"""The source account endpoints, for both of Codat's vocabularies."""

import re
from typing import Any

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.errors import CodatError
from local.codat_simulator.mappings import disconnect
from local.codat_simulator.records import Connection, SourceAccount
from local.codat_simulator.shapes import account_json
from local.codat_simulator.state import Codat
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall

Json = dict[str, Any]

TYPES_V1 = ("Debit", "Credit")
TYPES_V2 = ("checking", "savings", "loan", "creditCard", "prepaidCard")
ROUTING_TYPES = (
    "rtn", "aba", "swift", "bsb", "iban", "nz2", "trno", "sortcode", "blz", "ifsc", "bankcode", "apca", "clabe",
)  # fmt: skip
FIELDS = (
    "id", "accountName", "accountType", "accountNumber", "currency", "balance", "sortCode", "routingInfo",
    "accountInfo", "modifiedDate", "status", "feedStartDate",
)  # fmt: skip
# What the caller's object may not decide.
OURS = ("modifiedDate", "status", "feedStartDate")
TAKEN = "A bank account already exists with the same Id"


class Taken(CodatError):
    """Another account of the connection has the id."""


def list_accounts(sim: Codat, call: ApiCall) -> Answer:
    return Answer(200, [account_json(account) for account in sim.accounts_of(_connection(sim, call))])


def create_account(sim: Codat, call: ApiCall) -> Answer:
    connection = _connection(sim, call)
    return Answer(200, account_json(_create(sim, connection, read_json(call))))


def create_batch(sim: Codat, call: ApiCall) -> Answer:
    """201 if all were created, otherwise 207 with a result for each."""
    connection = _connection(sim, call)
    items = read_json(call)
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise CodatError(400, "The request body must be an array of accounts.")
    results = [_batch_result(sim, connection, item) for item in items]
    all_created = all(result["result"]["statusCode"] == 200 for result in results)
    return Answer(201 if all_created else 207, results)


def update_account(sim: Codat, call: ApiCall) -> Answer:
    """Changes the name, the status (only to disconnected), and the balance of an account that is not connected."""
    connection = _connection(sim, call)
    account = sim.account(connection, call.path_params["account"])
    body = Body(read_json(call), "SourceAccount")
    if body.text("id", required=True) not in (account.id, None):
        body.find("id", "must be the account's id")
    name, status, balance = body.text("accountName"), body.text("status"), body.number("balance")
    if status not in (None, "disconnected", account.status):
        body.find("status", "can only change to disconnected")
    if balance is not None and account.status == "connected" and balance != account.received["balance"]:
        body.find("balance", "cannot change while the account is connected")
    for fixed in ("accountType", "accountNumber", "sortCode", "currency"):
        if body.fields.get(fixed, account.received.get(fixed)) != account.received.get(fixed):
            body.find(fixed, "cannot change")
    body.known(FIELDS, sim.behaviour)
    body.done()
    if name is not None:
        account.received["accountName"] = name
    if balance is not None:
        account.received["balance"] = balance
    account.modified = sim.now()
    if status == "disconnected" and account.status != "disconnected":
        disconnect(sim, connection, account)
    return Answer(200, account_json(account))


def delete_account(sim: Codat, call: ApiCall) -> Answer:
    connection = _connection(sim, call)
    account = sim.account(connection, call.path_params["account"])
    disconnect(sim, connection, account)
    del sim.accounts[connection.id, account.id]
    return Answer(204)


def _connection(sim: Codat, call: ApiCall) -> Connection:
    """Also one that waits for its customer: accounts are created before they authorise."""
    connection = sim.connection(call.path_params["company"], call.path_params["connection"])
    if connection.status in ("Unlinked", "Deauthorized") and call.method != "GET":
        text = f"Data connection {connection.id} is not linked: its status is {connection.status}."
        raise CodatError(sim.behaviour.not_connected_status, text)
    return connection


def _batch_result(sim: Codat, connection: Connection, item: Json) -> Json:
    account_id = item.get("id")
    try:
        account = _create(sim, connection, item)
    except CodatError as error:
        findings = "; ".join(f"{finding.item_id}: {finding.message}" for finding in error.findings)
        status = "409" if isinstance(error, Taken) else str(error.status)
        return {"sourceAccountId": account_id, "result": {"statusCode": status, "error": findings or error.text}}
    result = {"statusCode": 200, "error": None, "account": account_json(account)}
    return {"sourceAccountId": account_id, "result": result}


def _create(sim: Codat, connection: Connection, item: Any) -> SourceAccount:
    body = Body(item, "CreateSourceAccount")
    account_id = body.text("id", required=True) or ""
    body.text("accountName", required=True)
    number = body.text("accountNumber", required=True) or ""
    currency = body.text("currency", required=True) or ""
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        body.find("currency", "must be an ISO 4217 code")
    kind = body.one_of("accountType", (*TYPES_V1, *TYPES_V2), required=True)
    body.number("balance", required=True)
    if number and not any(character.isdigit() for character in number):
        body.find("accountNumber", "must contain digits")
    _check_sort_code(sim, body, kind, currency)
    _check_routing(body)
    body.known(FIELDS, sim.behaviour)
    body.done()
    if (connection.id, account_id) in sim.accounts:
        raise Taken(400, TAKEN)
    received = {name: value for name, value in body.fields.items() if name in FIELDS and name not in OURS}
    account = SourceAccount(connection.id, received, sim.now())
    sim.accounts[connection.id, account_id] = account
    return account


def _check_sort_code(sim: Codat, body: Body, kind: str | None, currency: str) -> None:
    rule = sim.behaviour.sort_code
    needed = (rule != "never" and currency == "GBP") or (rule == "always" and kind in TYPES_V1)
    routed = isinstance(body.fields.get("routingInfo"), dict)
    body.text("sortCode", required=needed and not routed)


def _check_routing(body: Body) -> None:
    routing = body.fields.get("routingInfo")
    if routing is None:
        return
    if not isinstance(routing, dict) or routing.get("type", "bankcode") not in ROUTING_TYPES:
        body.find("routingInfo.type", f"must be one of {', '.join(ROUTING_TYPES)}")
