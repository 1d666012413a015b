"""`GET /connections` and `DELETE /connections/{id}`: the connections of a user, or of the app itself."""

from typing import Any

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.clock import xero_timestamp
from local.simulator.problems import gateway
from local.simulator.state import Connection, Simulator


def list_connections(sim: Simulator, call: ApiCall) -> Answer:
    """All organisations that the user has connected, or those of the consent in `authEventId`."""
    event = call.query.get("authEventId")
    visible = [connection for connection in sim.live_connections() if _may_see(call, connection)]
    return Answer(200, [render(sim, connection) for connection in visible if event in (None, connection.auth_event_id)])


def delete_connection(sim: Simulator, call: ApiCall) -> Answer:
    """Deletes by connection id. A tenant id, an event id or another user's connection gets a 403."""
    wanted = call.path_params["id"].lower()
    live = sim.live_connections()
    for connection in live:
        if connection.id == wanted:
            if not _may_see(call, connection):
                return gateway(403, "AuthenticationUnsuccessful")
            connection.removed = True
            return Answer(204)
    if any(wanted in (connection.tenant_id, connection.auth_event_id) for connection in live):
        return gateway(403, "AuthenticationUnsuccessful")
    return gateway(404, "ConnectionNotFound")


def render(sim: Simulator, connection: Connection) -> dict[str, Any]:
    organisation = sim.organisations[connection.tenant_id]
    return {
        "id": connection.id,
        "authEventId": connection.auth_event_id,
        "tenantId": connection.tenant_id,
        "tenantType": organisation.tenant_type,
        "tenantName": organisation.name,
        "createdDateUtc": xero_timestamp(connection.created_at),
        "updatedDateUtc": xero_timestamp(connection.updated_at),
    }


def _may_see(call: ApiCall, connection: Connection) -> bool:
    token = call.token
    if token is None or token.client_id != connection.client_id:
        return False
    if token.user is None:
        return "app.connections" in token.scopes
    return token.user.user_id == connection.user_id
