"""A company's page in the portal: its connections with their accounts, and its latest push operations."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionFault
from feedlane.companies.page_links import connection_link
from feedlane.feeds import push_operation_items
from feedlane.link import passwords as link_passwords
from feedlane.link.standing_errors import standing_errors
from feedlane.settings import items as settings_items
from feedlane.web.portal.feeds import feed_rows
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import HELD, connection_state
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

OPERATIONS_SHOWN_MAX = 20
FAULTS_SHOWN_MAX = 3


def show(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    connections = company_items.connections(site.store, company.id)
    settings = settings_items.settings(site.store)
    standing = standing_errors(site.store, settings, connections)
    passwords = (
        link_passwords.issue_connection_passwords(site.store, site.clock(), site.new_secret, connections)
        if settings.link_passwords
        else {}
    )
    rows = {
        connection.id: feed_rows(site.store, company_items.source_accounts(site.store, connection.id))
        for connection in connections
    }
    return portal_page(
        site,
        operator,
        "portal_company",
        title=company.name,
        section="companies",
        company=company,
        link_passwords=settings.link_passwords,
        connections=[
            {
                "connection": connection,
                "state": connection_state(connection, any(row.state is HELD for row in rows[connection.id])),
                "link": connection_link(request.base_url, company.id, connection.id, passwords.get(connection.id, "")),
                "faults": _unresolved(connection)[-FAULTS_SHOWN_MAX:] + standing[connection.id],
                "feed_rows": rows[connection.id],
            }
            for connection in connections
        ],
        operations=list(push_operation_items.operations_of_company(site.store, company.id, OPERATIONS_SHOWN_MAX)),
    )


def _unresolved(connection: Connection) -> list[ConnectionFault]:
    return [fault for fault in connection.errors if fault.resolved_on is None]
