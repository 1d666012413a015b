"""The company's own link: what the customer shares, and the way into Link for each of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import PLATFORM_KEY, Connection, ConnectionStatus, UpstreamName
from feedlane.link import connections as link_connections
from feedlane.link.linking import NotLinked, NotLinkedReason, is_full
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.texts import say
from feedlane.web.error_pages import ErrorPage, not_linked_page
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site


@dataclass(frozen=True)
class Way:
    """A connection as its row shows it. `closed` says why it cannot be started now."""

    connection: Connection
    tone: str
    state: str
    path: str
    button: str
    closed: ErrorPage | None

    @property
    def is_main(self) -> bool:
        """Whether the customer has something to do there."""
        return self.tone != "good"


def show(site: Site, request: Request, company_id: str) -> Response:
    """Its connections to Xero, or a button that makes the first one; or at once why nobody can connect now."""
    company = company_items.company(site.store, company_id)
    password_pages.require_company_password(site, request, company_id)
    settings, now = settings_items.settings(site.store), site.clock()
    name = settings_items.profile(site.store).name
    upstream = company.upstream or settings.upstream
    connections = [each for each in company_items.connections(site.store, company.id) if each.moved_to is None]
    ways = [_way(site, settings, connection, name, now) for connection in connections]
    closed = None if ways else _closed_page(site, settings, None, upstream, name, now)
    response = site.customer_page(
        "link/company",
        form_targets=_form_targets(site, upstream),
        title=say("company.title"),
        company=company,
        ways=ways,
        closed=list({page.title: page for page in (closed, *(way.closed for way in ways)) if page}.values()),
        can_connect=not ways and closed is None,
        is_direct=upstream is UpstreamName.XERO,
    )
    return response.with_cookies(*password_pages.password_cookies(request, company_id))


def first_connection(site: Site, request: Request, company_id: str) -> Response:
    """Creates the company's connection if it has none, and continues to Xero."""
    company = company_items.company(site.store, company_id)
    password_pages.require_company_password(site, request, company_id)
    connections = company_items.connections(site.store, company.id)
    connection = connections[0] if connections else _create_connection(site, company)
    return see_other(request.url(paths.start(connection)))


def _way(site: Site, settings: Settings, connection: Connection, name: str, now: datetime) -> Way:
    tone, state, button = _STATES[_state_of(connection)]
    path = paths.reconnect(connection) if connection.needs_reconnection else paths.start(connection)
    closed = _closed_page(site, settings, connection, connection.upstream, name, now)
    return Way(connection, tone, say(f"company.{state}"), path, say(f"company.{button}"), closed)


def _state_of(connection: Connection) -> str:
    if connection.needs_reconnection:
        return "reconnect"
    return "ended" if connection.status is ConnectionStatus.UNLINKED else str(connection.status)


# The pill's tone and words, and the button's words: those that Xero asks for.
_STATES = {
    "PendingAuth": ("warn", "state-pending", "connect"),
    "Linked": ("good", "state-connected", "manage"),
    "reconnect": ("bad", "state-reconnect", "reconnect"),
    "ended": ("", "state-ended", "reconnect"),
}


def _closed_page(
    site: Site, settings: Settings, connection: Connection | None, upstream: UpstreamName, name: str, now: datetime
) -> ErrorPage | None:
    """What the start would say, before the customer gets there. Looking at the page reports nothing."""
    if connection is not None and connection.is_linked:
        return None
    is_direct = upstream is UpstreamName.XERO
    if not settings.enabled or not (settings.has_keys if is_direct else settings.is_startable):
        return not_linked_page(NotLinked(NotLinkedReason.NOT_SET_UP), name)[0]
    if is_direct and is_full(site.store, settings, connection, now):
        return not_linked_page(NotLinked(NotLinkedReason.LIMIT), name)[0]
    return None


def _form_targets(site: Site, upstream: UpstreamName) -> str:
    """Where the button may lead: to Xero, or to Codat's Link, whose address only Codat knows."""
    return site.login_url if upstream is UpstreamName.XERO else "https: http://localhost:*"


def _create_connection(site: Site, company: Company) -> Connection:
    return link_connections.create(site.ports, site.clock(), company.id, PLATFORM_KEY)
