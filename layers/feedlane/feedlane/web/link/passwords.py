"""Checks a Link URL's one-time password: from the URL, from a cookie, or already shown to start the session."""

from __future__ import annotations

import re

from feedlane.companies.connection import Connection
from feedlane.link import passwords as link_passwords
from feedlane.link.passwords import LINK_PASSWORD_LIFETIME, LinkPassword
from feedlane.settings import items as settings_items
from feedlane.web import sessions
from feedlane.web.cookies import (
    Cookie,
    company_password_name,
    connection_password_name,
    link_cookie_name,
    value_in,
)
from feedlane.web.error_pages import ErrorPage, explained
from feedlane.web.request import Request
from feedlane.web.sessions import LinkSession
from feedlane.web.site import Site

# Codat's parameter names.
CONNECTION_PARAMETER, COMPANY_PARAMETER = "otp", "link.otp"
# Our passwords are of these characters: nothing else is looked up, or put into a cookie.
_PASSWORD = re.compile(r"[A-Za-z0-9_-]{1,128}")


def password_for_start(site: Site, request: Request, connection: Connection) -> LinkPassword | None:
    """The password with which Link may start; None if none is needed. Raises `ErrorPage`."""
    if not settings_items.settings(site.store).link_passwords or _is_in_session(site, request, connection):
        return None
    candidates = (
        request.query.get(CONNECTION_PARAMETER),
        value_in(request, connection_password_name(connection.id)),
        value_in(request, company_password_name(connection.company_id)),
    )
    return _find_opening_password(site, candidates, connection.company_id, connection.id)


def require_company_password(site: Site, request: Request, company_id: str) -> None:
    """Raises `ErrorPage` unless the request may open the company's link."""
    if settings_items.settings(site.store).link_passwords:
        candidates = (request.query.get(COMPANY_PARAMETER), value_in(request, company_password_name(company_id)))
        _find_opening_password(site, candidates, company_id, "")


def password_cookies(request: Request, company_id: str, connection_id: str = "") -> list[Cookie]:
    """The password from the URL, so that this browser can try again until it is spent."""
    cookies = []
    if connection_id and (clear := _plausible(request.query.get(CONNECTION_PARAMETER))):
        cookies.append(Cookie(connection_password_name(connection_id), clear, LINK_PASSWORD_LIFETIME))
    if clear := _plausible(request.query.get(COMPANY_PARAMETER)):
        cookies.append(Cookie(company_password_name(company_id), clear, LINK_PASSWORD_LIFETIME))
    return cookies


def restore_if_spent(site: Site, fingerprint: str) -> None:
    """After a failed consent: the link works again until it expires."""
    password = link_passwords.find_password_by_fingerprint(site.store, fingerprint) if fingerprint else None
    if password is not None and password.spent:
        site.store.commit(link_passwords.restore_password(password))


def spent_link_page(platform: str) -> ErrorPage:
    return explained(410, "link-spent", name=platform)


def _find_opening_password(
    site: Site, candidates: tuple[str | None, ...], company_id: str, connection_id: str
) -> LinkPassword:
    plausible = [clear for clear in map(_plausible, candidates) if clear]
    for clear in plausible:
        password = link_passwords.find_password(site.store, clear)
        if password is not None and password.opens(company_id, connection_id, site.clock()):
            return password
    platform = settings_items.profile(site.store).name
    if plausible:
        raise spent_link_page(platform)
    raise explained(403, "link-incomplete", name=platform)


def _plausible(clear: str | None) -> str:
    """The value, if it can be one of our passwords."""
    return clear if clear and _PASSWORD.fullmatch(clear) else ""


def _is_in_session(site: Site, request: Request, connection: Connection) -> bool:
    """A customer who has come back from Xero for this connection used a password to get there."""
    secret = value_in(request, link_cookie_name(connection.id))
    session = sessions.find_session(site.store, LinkSession, secret, site.clock())
    return session is not None and session.connection_id == connection.id
