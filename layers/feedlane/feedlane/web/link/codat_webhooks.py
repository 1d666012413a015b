"""Codat's webhooks: they ring, and nothing that they say is believed.

Whoever is rung asks Codat. So a webhook that is lost, late, early or sent twice changes nothing but the time.
"""

from __future__ import annotations

from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.errors import Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import FlightStatus
from feedlane.follow_ups import FeedConnectionCheck, RecoveryCheck, StatementCheck
from feedlane.ids import feed_id
from feedlane.json_object import json_object
from feedlane.statements import items as statement_items
from feedlane.store import keys
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site
from feedlane.webhooks import received

_ID_LENGTH_MAX = 200


def receive(site: Site, request: Request) -> Response:
    """204: rung, or nothing to ring. 401: not signed. Codat sends again what gets neither."""
    now = site.clock()
    try:
        id = received.verify(request.headers, request.body, site.codat_webhook_secrets, now)
    except received.NotSigned:
        return _answer(401)
    except Unavailable:
        return _answer(503)
    if not received.is_known(site.store, id):
        _ring(site, json_object(request.body) or {})
        site.store.commit(received.remember(id, now))
    return _answer(204)


def _answer(status: int) -> Response:
    return Response(status, headers={"Content-Security-Policy": "default-src 'none'"})


def _ring(site: Site, event: dict[str, Any]) -> None:
    type, payload = _text(event.get("eventType")), _object(event.get("payload"))
    for connection in _connections(site, payload):
        if ".write." in type:
            _ring_statements(site, connection, _text(payload.get("id")))
        elif type.startswith("bankFeeds.sourceAccount."):
            account_id = _text(_object(payload.get("sourceAccount")).get("id"))
            check = FeedConnectionCheck(feed_id=feed_id(connection.id, account_id), once=True)
            site.queues.follow_up(check, 0)
            _ring_connection(site, connection)
        elif type.startswith("connection."):
            _ring_connection(site, connection)


def _ring_statements(site: Site, connection: Connection, push_key: str) -> None:
    """The statement that is this push. If its answer has not come yet, it is polled soon anyway."""
    for feed in feed_items.feeds_of_connection(site.store, connection.id):
        if feed.flight is None or feed.flight.status is not FlightStatus.PENDING:
            continue
        statement = statement_items.find_statement(site.store, feed.id, feed.flight.number)
        if statement is not None and statement.upstream_id == push_key:
            check = StatementCheck(feed_id=feed.id, number=statement.number, turn=statement.turn, once=True)
            site.queues.follow_up(check, 0)


def _ring_connection(site: Site, connection: Connection) -> None:
    check = RecoveryCheck(company_id=connection.company_id, connection_id=connection.id)
    site.queues.follow_up(check, 0)


def _connections(site: Site, payload: dict[str, Any]) -> list[Connection]:
    """Ours that stand for the connection at Codat; none for what is not ours, or is not linked yet."""
    company_id = _text(_object(payload.get("referenceCompany")).get("id"))
    connection_id = _text(payload.get("connectionId")) or _text(_object(payload.get("connection")).get("id"))
    if not company_id or not connection_id:
        return []
    found = []
    for item in site.store.table.query(keys.tenant(company_id), prefix="LINKED#"):
        connection = company_items.find_connection(site.store, item["company_id"], item["connection_id"])
        place = connection.hosted if connection else None
        if connection is not None and place is not None and place.connection_id.lower() == connection_id.lower():
            found.append(connection)
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _ID_LENGTH_MAX else ""
