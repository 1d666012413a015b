"""The mapping endpoints: which accounts of Xero a source account may feed, and which it feeds."""

from datetime import datetime
from typing import Any

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.books import feeds_of, last_balance, options_for, refuses_feeds
from local.codat_simulator.errors import CodatError
from local.codat_simulator.mappings import connect, disconnect, reveal
from local.codat_simulator.records import Connection, Mapping, SourceAccount
from local.codat_simulator.settling import downstream_message
from local.codat_simulator.state import Codat
from local.simulator import exact_json
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import Account

Json = dict[str, Any]

TAKEN = "A feed connection already exists to this account"
RESOLUTION = f"{TAKEN}. Disconnect the existing feed connection, or choose another account."


def list_mappings(sim: Codat, call: ApiCall) -> Answer:
    connection = linked_connection(sim, call)
    accounts = sim.accounts_of(connection)
    for account in accounts:
        reveal(sim, connection, account)
        if account.mapping is not None and account.mapping.ended:
            disconnect(sim, connection, account)
    return Answer(200, [_mapping_json(sim, connection, account) for account in accounts])


def create_mapping(sim: Codat, call: ApiCall) -> Answer:
    connection = linked_connection(sim, call)
    body = Body(read_json(call), "BankFeedAccountMapping")
    source_id = body.text("sourceAccountId", required=True)
    target_id, start = body.text("targetAccountId"), body.text("feedStartDate")
    if start is not None and not _is_date(start):
        body.find("feedStartDate", "must be a date")
    body.known(("sourceAccountId", "targetAccountId", "feedStartDate"), sim.behaviour)
    body.done()
    account = sim.account(connection, source_id or "")
    if account.mapping is not None:
        if target_id is not None and account.mapping.target_id == target_id:
            return _answer(account)
        return _refused(sim, account, RESOLUTION)
    refused = refuses_feeds(sim, connection)
    if refused is not None:
        reason = f"Feed Connection failed({refused['status']}): {exact_json.write(refused).decode()}"
        return _refused(sim, account, downstream_message(reason))
    if target_id is not None:
        if feeds_of(sim, connection.tenant_id or "", target_id):
            return _refused(sim, account, RESOLUTION)
        if target_id not in {option.account_id for option in options_for(sim, connection, account)}:
            raise CodatError(400, f"Target account {target_id} was not found or does not fit the source account.")
    map_account(sim, connection, account, target_id, start)
    return _answer(account)


def map_account(
    sim: Codat, connection: Connection, account: SourceAccount, target_id: str | None, start: str | None
) -> None:
    """Begins a feed; without a target, with a new account in Xero."""
    account.mapping = Mapping(target_id, start, sim.after(sim.timing.mapping_seconds))
    account.status, account.modified = "connecting", sim.now()
    if target_id is not None and sim.behaviour.existing_target == "connected":
        connect(sim, connection, account)


def linked_connection(sim: Codat, call: ApiCall) -> Connection:
    """The connection of the path. Raises a 404, or Codat's refusal of one that is not linked."""
    connection = sim.connection(call.path_params["company"], call.path_params["connection"])
    if connection.status != "Linked":
        text = f"Data connection {connection.id} is not linked: its status is {connection.status}."
        raise CodatError(sim.behaviour.not_connected_status, text)
    return connection


def _answer(account: SourceAccount) -> Answer:
    assert account.mapping is not None, "a mapped account has a mapping"
    target_id = account.mapping.target_id if account.status == "connected" else None
    body = {"sourceAccountId": account.id, "targetAccountId": target_id, "status": account.status, "error": None}
    return Answer(200, body)


def _refused(sim: Codat, account: SourceAccount, text: str) -> Answer:
    if sim.behaviour.refused_mapping == "400":
        raise CodatError(400, text)
    return Answer(200, {"sourceAccountId": account.id, "targetAccountId": None, "status": "Failed", "error": text})


def _mapping_json(sim: Codat, connection: Connection, account: SourceAccount) -> Json:
    """An account that is still connecting does not show its new target."""
    mapping, received = account.mapping, account.received
    organisation = sim.organisation(connection)
    shown: Json = {
        "sourceAccountId": account.id,
        "sourceAccountName": received["accountName"],
        "sourceAccountNumber": received["accountNumber"],
        "sourceBalance": received["balance"],
        "sourceCurrency": received["currency"],
        "status": "pending" if mapping is None else account.status,
        "targetAccountOptions": [_option(sim, option) for option in options_for(sim, connection, account)],
    }
    if mapping is not None and account.status == "connected" and organisation is not None:
        target = organisation.account(mapping.target_id or "")
        shown["targetAccountId"] = mapping.target_id
        shown["targetAccountName"] = target.name if target else None
        shown["targetAccountNumber"] = target.number if target else None
        shown["feedStartDate"] = mapping.feed_start_date
    return shown


def _option(sim: Codat, account: Account) -> Json:
    return {
        "id": account.account_id,
        "name": account.name,
        "accountNumber": account.number,
        "sortCode": "",
        "balance": last_balance(sim, account),
    }


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
