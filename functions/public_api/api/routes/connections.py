"""Connections of a company."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.company_views import show_connections
from api.requests import Routes
from feedlane import connections
from feedlane.codat.bodies import ConnectionBody, StatusBody, parsed
from feedlane.codat.companies import CONNECTION_FIELDS
from feedlane.codat.company_information import company_information_json
from feedlane.codat.paging import page_of, page_request
from feedlane.connection import Connection, ConnectionStatus
from feedlane.errors import Invalid

router = Routes()


@router.post("/companies/<company_id>/connections")
def create_connection(company_id: str) -> Response[str]:
    body, current = parsed(ConnectionBody, router.body), parts.current
    return _answer(connections.create(current.store, current.clock(), current.new_id, company_id, body.platform_key))


@router.get("/companies/<company_id>/connections")
def list_connections(company_id: str) -> Response[str]:
    current = parts.current
    request = page_request(router.parameters, CONNECTION_FIELDS, "Connection")
    current.store.company(company_id)
    results = show_connections(current.store.connections(company_id))
    return ok(page_of(request, f"/companies/{company_id}/connections", results))


@router.get("/companies/<company_id>/connections/<connection_id>")
def get_connection(company_id: str, connection_id: str) -> Response[str]:
    return _answer(parts.current.store.connection(company_id, connection_id))


@router.patch("/companies/<company_id>/connections/<connection_id>")
def unlink_connection(company_id: str, connection_id: str) -> Response[str]:
    body, current = parsed(StatusBody, router.body), parts.current
    if body.status != ConnectionStatus.UNLINKED:
        raise Invalid.field("status", "can only be changed to Unlinked", "Enum")
    return _answer(
        connections.unlink(current.store, current.disconnect, current.clock(), current.new_id, company_id, connection_id)
    )


@router.delete("/companies/<company_id>/connections/<connection_id>")
def delete_connection(company_id: str, connection_id: str) -> Response[str]:
    """200: the SDKs accept no other success status here, least of all 204."""
    current, now = parts.current, parts.current.clock()
    connections.delete(
        current.store, current.upstream, current.queues, current.disconnect, now, current.new_id, company_id, connection_id
    )
    return ok({})


@router.get("/companies/<company_id>/connections/<connection_id>/bankFeeds/info")
def get_company_information(company_id: str, connection_id: str) -> Response[str]:
    connection = parts.current.store.connection(company_id, connection_id)
    return ok(company_information_json(connection))


def _answer(connection: Connection) -> Response[str]:
    return ok(show_connections([connection])[0])
