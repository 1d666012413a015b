"""Connections of a company."""

from __future__ import annotations

from functools import partial

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.company_views import show_connections
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import ConnectionBody, StatusBody, UpstreamBody, parse_body
from feedlane.codat.paging import page_of, page_request
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus, UpstreamName
from feedlane.companies.shapes import CONNECTION_FIELDS, company_information_json
from feedlane.errors import Invalid
from feedlane.link import connections, moving, upstream_change
from feedlane.statements import in_flight

router = Routes()


@router.post("/companies/<company_id>/connections")
def create_connection(company_id: str) -> Response[str]:
    body = parse_body(ConnectionBody, router.body)
    parts = current_parts()
    return _answer(connections.create(parts.ports, parts.clock(), company_id, body.platform_key))


@router.get("/companies/<company_id>/connections")
def list_connections(company_id: str) -> Response[str]:
    parts = current_parts()
    request = page_request(router.parameters, CONNECTION_FIELDS, "Connection")
    company_items.company(parts.store, company_id)
    results = show_connections(company_items.connections(parts.store, company_id))
    return ok(page_of(request, f"/companies/{company_id}/connections", results))


@router.get("/companies/<company_id>/connections/<connection_id>")
def get_connection(company_id: str, connection_id: str) -> Response[str]:
    return _answer(company_items.connection(current_parts().store, company_id, connection_id))


@router.patch("/companies/<company_id>/connections/<connection_id>")
def unlink_connection(company_id: str, connection_id: str) -> Response[str]:
    body = parse_body(StatusBody, router.body)
    parts = current_parts()
    if body.status != ConnectionStatus.UNLINKED:
        raise Invalid.field("status", "can only be changed to Unlinked", "Enum")
    return _answer(connections.unlink(parts.ports, parts.disconnect, parts.clock(), company_id, connection_id))


@router.delete("/companies/<company_id>/connections/<connection_id>")
def delete_connection(company_id: str, connection_id: str) -> Response[str]:
    """200: the SDKs accept no other success status here, least of all 204."""
    parts = current_parts()
    connections.delete(parts.ports, parts.upstream, parts.disconnect, parts.clock(), company_id, connection_id)
    return ok({})


@router.post("/companies/<company_id>/connections/<connection_id>/move")
def move_connection(company_id: str, connection_id: str) -> Response[str]:
    """Answers the new connection, for another organisation."""
    parts = current_parts()
    return _answer(moving.move(parts.ports, parts.upstream, parts.disconnect, parts.clock(), company_id, connection_id))


@router.post("/companies/<company_id>/connections/<connection_id>/upstream")
def change_upstream(company_id: str, connection_id: str) -> Response[str]:
    """Answers the connection: `upstreamChange` says how far the change has come."""
    body = parse_body(UpstreamBody, router.body)
    if body.upstream not in list(UpstreamName):
        raise Invalid.field("upstream", f"must be {' or '.join(UpstreamName)}", "Enum")
    parts = current_parts()
    changed = upstream_change.change(
        parts.ports,
        parts.upstream,
        parts.disconnect,
        partial(in_flight.has_doubt, parts.ports),
        parts.clock(),
        company_id,
        connection_id,
        UpstreamName(body.upstream),
    )
    return _answer(changed)


@router.get("/companies/<company_id>/connections/<connection_id>/bankFeeds/info")
def get_company_information(company_id: str, connection_id: str) -> Response[str]:
    connection = company_items.connection(current_parts().store, company_id, connection_id)
    return ok(company_information_json(connection))


def _answer(connection: Connection) -> Response[str]:
    return ok(show_connections([connection])[0])
