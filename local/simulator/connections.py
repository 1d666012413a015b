"""`GET /connections` and `DELETE /connections/{id}`: what a user, or the app itself, is connected to."""

from typing import Any

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.clock import xero_timestamp
from local.simulator.problems import gateway
from local.simulator.state import Connection, Simulator


def list_connections(sim: Simulator, call: ApiCall) -> Answer:
    """Every organisation the user ever connected, unless `authEventId` narrows it to one consent."""
    event = call.query.get("authEventId")
    visible = [one for one in sim.live_connections() if _may_see(call, one)]
    return Answer(200, [render(sim, one) for one in visible if event in (None, one.auth_event_id)])


def delete_connection(sim: Simulator, call: ApiCall) -> Answer:
    """Takes a connection's id; a tenant id, an event id or another user's connection gets a 403."""
    wanted = call.path_params["id"].lower()
    live = sim.live_connections()
    for one in live:
        if one.id == wanted:
            if not _may_see(call, one):
                return gateway(403, "AuthenticationUnsuccessful")
            one.removed = True
            return Answer(204)
    if any(wanted in (one.tenant_id, one.auth_event_id) for one in live):
        return gateway(403, "AuthenticationUnsuccessful")
    return gateway(404, "ConnectionNotFound")


def render(sim: Simulator, one: Connection) -> dict[str, Any]:
    return {
        "id": one.id,
        "authEventId": one.auth_event_id,
        "tenantId": one.tenant_id,
        "tenantType": "ORGANISATION",
        "tenantName": sim.organisations[one.tenant_id].name,
        "createdDateUtc": xero_timestamp(one.created_at),
        "updatedDateUtc": xero_timestamp(one.updated_at),
    }


def _may_see(call: ApiCall, one: Connection) -> bool:
    token = call.token
    if token is None or token.client_id != one.client_id:
        return False
    if token.user is None:
        return "app.connections" in token.scopes
    return token.user.user_id == one.user_id
