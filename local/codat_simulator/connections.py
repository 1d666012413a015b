"""The connection endpoints, and what changes a connection from outside."""

import secrets
from datetime import timedelta

from local.codat_simulator.bodies import Body, read_json
from local.codat_simulator.books import DEAUTHORISED
from local.codat_simulator.errors import CodatError
from local.codat_simulator.events import emit_connection
from local.codat_simulator.paging import page_of
from local.codat_simulator.records import Connection, ConnectionStatus
from local.codat_simulator.shapes import XERO_KEY, connection_json
from local.codat_simulator.state import Codat, timestamp
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.organisations import new_id

OTP_LIFETIME = timedelta(days=1)


def list_connections(sim: Codat, call: ApiCall) -> Answer:
    company = sim.company(call.path_params["company"])
    shown = [connection_json(sim, connection) for connection in sim.connections_of(company.id)]
    return page_of(call, shown, name="Connection")


def create_connection(sim: Codat, call: ApiCall) -> Answer:
    company = sim.company(call.path_params["company"])
    body = Body(read_json(call), "CreateConnection")
    platform = body.text("platformKey", required=True) or ""
    body.known(("platformKey",), sim.behaviour)
    body.done()
    if platform != XERO_KEY:
        raise CodatError(404, f"No integration was found with key {platform}")
    return Answer(200, connection_json(sim, add_connection(sim, company.id)))


def add_connection(sim: Codat, company_id: str) -> Connection:
    connection = Connection(new_id(), company_id, XERO_KEY, sim.now())
    _renew_otp(sim, connection)
    sim.connections[connection.id] = connection
    emit_connection(sim, "connection.created", connection)
    return connection


def show_connection(sim: Codat, call: ApiCall) -> Answer:
    connection = _connection(sim, call)
    _renew_otp(sim, connection)
    return Answer(200, connection_json(sim, connection))


def unlink_connection(sim: Codat, call: ApiCall) -> Answer:
    connection = _connection(sim, call)
    body = Body(read_json(call), "UpdateConnection")
    body.one_of("status", ("Unlinked",), required=True)
    body.done()
    if connection.status != "Linked":
        raise CodatError(400, f"Only a linked connection can be unlinked; this one is {connection.status}.")
    sever(sim, connection, "Unlinked")
    return Answer(200, connection_json(sim, connection))


def delete_connection(sim: Codat, call: ApiCall) -> Answer:
    """Answers 200 without a body: Codat's SDKs refuse the 204 that one would expect."""
    connection = _connection(sim, call)
    emit_connection(sim, "connection.deleted", connection)
    for account in sim.accounts_of(connection):
        del sim.accounts[connection.id, account.id]
    del sim.connections[connection.id]
    return Answer(200)


def sever(sim: Codat, connection: Connection, status: ConnectionStatus) -> None:
    """Ends a link: Unlinked on Codat's side, Deauthorized on Xero's."""
    connection.status = status
    if status == "Deauthorized":
        add_error(sim, connection, "401", "Unauthorized", DEAUTHORISED["detail"])
    emit_connection(sim, "connection.disconnected", connection)


def link(sim: Codat, connection: Connection, tenant_id: str) -> None:
    """The customer has authorised access to an organisation."""
    again = connection.status in ("Unlinked", "Deauthorized")
    if sim.behaviour.second_link == "unlinksFirst":
        for other in sim.connections_of(connection.company_id):
            if other.status == "Linked" and other is not connection:
                sever(sim, other, "Unlinked")
    was_linked = connection.status == "Linked"
    connection.status, connection.tenant_id = "Linked", tenant_id
    connection.has_feed_scope = sim.behaviour.feed_scope == "always" or bool(sim.accounts_of(connection))
    for error in connection.errors:
        error.update({"status": "Resolved", "resolvedOnUtc": timestamp(sim.now())})
    if not was_linked:
        emit_connection(sim, "connection.reconnected" if again else "connection.connected", connection)


def fail_to_link(sim: Codat, connection: Connection, code: str, text: str, message: str) -> None:
    add_error(sim, connection, code, text, message)
    emit_connection(sim, "connection.failed", connection)


def add_error(sim: Codat, connection: Connection, code: str, text: str, message: str) -> None:
    """`statusCode` is a text: Codat's SDKs refuse a number."""
    error = {"statusCode": code, "statusText": text, "errorMessage": message, "status": "Active"}
    connection.errors.append({**error, "erroredOnUtc": timestamp(sim.now())})


def _connection(sim: Codat, call: ApiCall) -> Connection:
    return sim.connection(call.path_params["company"], call.path_params["connection"])


def _renew_otp(sim: Codat, connection: Connection) -> None:
    """Every time the connection is read, its link has a fresh password, if links have one."""
    if sim.behaviour.one_time_passwords:
        connection.otp, connection.otp_until = secrets.token_urlsafe(12), sim.now() + OTP_LIFETIME
