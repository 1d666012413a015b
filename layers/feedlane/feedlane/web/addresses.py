"""The addresses of Link's pages, and the way back to the platform."""

from __future__ import annotations

from collections.abc import Mapping

from feedlane.connection import Connection
from feedlane.redirects import Outcome, destination
from feedlane.settings import Settings
from feedlane.web.cookies import CALLBACK_PATH
from feedlane.web.request import Request
from feedlane.web.site import Site
from feedlane.web.troubles import Trouble


def redirect_uri(request: Request, settings: Settings | None = None) -> str:
    """What is registered at Xero: this deployment's own, unless the settings have another that leads to it."""
    return (settings.redirect_uri if settings else "") or request.url(CALLBACK_PATH)


def base(connection: Connection) -> str:
    return f"/link/companies/{connection.company_id}/connections/{connection.id}"


def start(connection: Connection) -> str:
    return f"{base(connection)}/start"


def reconnect(connection: Connection) -> str:
    return f"{base(connection)}/start?link.reconnect=1"


def accounts(connection: Connection) -> str:
    return f"{base(connection)}/accounts"


def organisation(connection: Connection) -> str:
    return f"{base(connection)}/organisation"


def finish(connection: Connection) -> str:
    return f"{base(connection)}/finish"


def platform(site: Site, connection: Connection, outcome: Outcome, parameters: Mapping[str, str]) -> str | None:
    """The platform's redirect URL for this outcome, or None if there is none."""
    organisation = connection.tenant.name if connection.tenant else ""
    profile = site.store.profile()
    return destination(profile, outcome, connection.company_id, connection.id, organisation, parameters)


def with_way_back(
    site: Site, connection: Connection, parameters: Mapping[str, str], trouble: Trouble, outcome: Outcome
) -> Trouble:
    """The trouble with a link to the platform that tells it how Link ended."""
    trouble.back = platform(site, connection, outcome, parameters) or ""
    return trouble
