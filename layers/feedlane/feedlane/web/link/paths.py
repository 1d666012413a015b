"""The URLs of Link's pages, and the URL that returns to the platform."""

from __future__ import annotations

from collections.abc import Mapping

from feedlane.companies.connection import Connection
from feedlane.settings import items as settings_items
from feedlane.settings.changes import CALLBACK_PATH
from feedlane.settings.settings import Settings
from feedlane.web.error_pages import ErrorPage
from feedlane.web.link.redirects import RedirectResult, destination_url
from feedlane.web.request import Request
from feedlane.web.site import Site

CODAT_WEBHOOKS_PATH = "/codat/webhooks"


def redirect_uri(request: Request, settings: Settings | None = None) -> str:
    """The redirect URI registered with Xero: this deployment's own, unless the settings name another."""
    return (settings.redirect_uri if settings else "") or request.url(CALLBACK_PATH)


def connection_path(connection: Connection) -> str:
    return path_of(connection.company_id, connection.id)


def path_of(company_id: str, connection_id: str) -> str:
    return f"/link/companies/{company_id}/connections/{connection_id}"


def start(connection: Connection) -> str:
    return f"{connection_path(connection)}/start"


def reconnect(connection: Connection) -> str:
    return f"{connection_path(connection)}/start?link.reconnect=1"


def accounts(connection: Connection) -> str:
    return f"{connection_path(connection)}/accounts"


def disconnect(connection: Connection) -> str:
    return f"{connection_path(connection)}/disconnect"


def disconnect_account(connection: Connection) -> str:
    return f"{connection_path(connection)}/accounts/disconnect"


def organisation(connection: Connection) -> str:
    return f"{connection_path(connection)}/organisation"


def finish(connection: Connection) -> str:
    return f"{connection_path(connection)}/finish"


def platform_url(
    site: Site, connection: Connection, outcome: RedirectResult, parameters: Mapping[str, str]
) -> str | None:
    """The platform's redirect URL with this outcome, or None without a usable one."""
    organisation = connection.tenant.name if connection.tenant else ""
    profile = settings_items.profile(site.store)
    return destination_url(profile, outcome, connection.company_id, connection.id, organisation, parameters)


def with_return_url(
    site: Site, connection: Connection, parameters: Mapping[str, str], error: ErrorPage, outcome: RedirectResult
) -> ErrorPage:
    """The error page, with a link back to the platform that reports this outcome."""
    error.return_url = platform_url(site, connection, outcome, parameters) or ""
    return error
