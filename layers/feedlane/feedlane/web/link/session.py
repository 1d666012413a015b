"""The session that a customer gets on returning from Xero, and the token that its forms must carry."""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.web import sessions
from feedlane.web.cookies import link_cookie_name, value_in
from feedlane.web.error_pages import ErrorPage, NoSuchPage, explained
from feedlane.web.link import paths
from feedlane.web.request import Request
from feedlane.web.sessions import LinkSession, form_token
from feedlane.web.site import Site

FORM_FIELD = "formToken"


@dataclass(frozen=True)
class Visit:
    """A customer in a valid session, and the connection it is for."""

    connection: Connection
    session: LinkSession
    secret: str

    @property
    def form_token(self) -> str:
        return form_token(self.secret)


def require_visit(site: Site, request: Request, company_id: str, connection_id: str) -> Visit:
    """Raises `ErrorPage` without a session for this connection, or for a form without its token."""
    connection = company_items.find_connection(site.store, company_id, connection_id)
    if connection is None:
        raise NoSuchPage
    secret = value_in(request, link_cookie_name(connection_id))
    session = sessions.find_session(site.store, LinkSession, secret, site.clock())
    if session is None or (session.company_id, session.connection_id) != (company_id, connection_id):
        raise _no_session(connection)
    if request.method == "POST" and request.field(FORM_FIELD) != form_token(secret):
        raise form_invalid_page(paths.accounts(connection), "continue")
    return Visit(connection, session, secret)


def form_invalid_page(retry_url: str, retry: str) -> ErrorPage:
    """`retry` names the words of the link."""
    return explained(403, "form-invalid", retry_url, retry, field=FORM_FIELD)


def _no_session(connection: Connection) -> ErrorPage:
    return explained(401, "no-session", paths.start(connection), "continue-with-xero")
