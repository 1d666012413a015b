"""Who may start Link while its URLs have one-time passwords: by the address, by a cookie of it, or in a session."""

from __future__ import annotations

from feedlane.companies.connection import Connection
from feedlane.link import passwords as link_passwords
from feedlane.link.passwords import LINK_PASSWORD_LIFETIME, LinkPassword
from feedlane.settings import items as settings_items
from feedlane.web import sessions
from feedlane.web.cookies import LINK, Cookie
from feedlane.web.error_pages import ErrorPage
from feedlane.web.request import Request
from feedlane.web.sessions import LinkSession
from feedlane.web.site import Site

# Codat's names.
CONNECTION_PARAMETER, COMPANY_PARAMETER = "otp", "link.otp"
_CONNECTION_COOKIE, _COMPANY_COOKIE = "feedlane_pass", "feedlane_company_pass"


def password_for_start(site: Site, request: Request, connection: Connection) -> LinkPassword | None:
    """The password with which Link may start; None if none is needed. Raises `Trouble`."""
    if not settings_items.settings(site.store).link_passwords or _is_in_session(site, request, connection):
        return None
    given = (
        request.query.get(CONNECTION_PARAMETER),
        request.cookies.get(_CONNECTION_COOKIE),
        request.cookies.get(_COMPANY_COOKIE),
    )
    return _find_opening_password(site, given, connection.company_id, connection.id)


def require_company_password(site: Site, request: Request, company_id: str) -> None:
    """Raises `Trouble` unless the company's link may be opened."""
    if settings_items.settings(site.store).link_passwords:
        given = (request.query.get(COMPANY_PARAMETER), request.cookies.get(_COMPANY_COOKIE))
        _find_opening_password(site, given, company_id, "")


def password_cookies(request: Request, company_id: str, connection_path: str = "") -> list[Cookie]:
    """What lets this browser try again with the same password, until that is spent."""
    cookies = []
    if connection_path and (clear := request.query.get(CONNECTION_PARAMETER)):
        cookies.append(Cookie(_CONNECTION_COOKIE, clear, connection_path, LINK_PASSWORD_LIFETIME))
    if clear := request.query.get(COMPANY_PARAMETER):
        paths = (f"/link/company/{company_id}", f"/link/companies/{company_id}")
        cookies += [Cookie(_COMPANY_COOKIE, clear, path, LINK_PASSWORD_LIFETIME) for path in paths]
    return cookies


def restore_if_spent(site: Site, fingerprinted: str) -> None:
    """The consent came to nothing: the link may be used again while its time lasts."""
    password = link_passwords.find_password_by_fingerprint(site.store, fingerprinted) if fingerprinted else None
    if password is not None and password.spent:
        site.store.commit(link_passwords.restore_password(password))


def spent_link_page(platform: str) -> ErrorPage:
    return ErrorPage(
        410,
        "This link is no longer valid",
        "For your safety, each link works once, and for a day at most.",
        f"Nothing was changed. Ask {platform} for a new link.",
    )


def _find_opening_password(
    site: Site, given: tuple[str | None, ...], company_id: str, connection_id: str
) -> LinkPassword:
    # A cookie's value that could not be one of ours is nobody's.
    clears = [clear for clear in given if clear and clear.isascii() and len(clear) <= 128]
    for clear in clears:
        found = link_passwords.find_password(site.store, clear)
        if found is not None and found.opens(company_id, connection_id, site.clock()):
            return found
    platform = settings_items.profile(site.store).name
    if clears:
        raise spent_link_page(platform)
    raise ErrorPage(
        403,
        "This link is incomplete",
        "Its one-time password is missing: links to connect to Xero have one here, for your safety.",
        f"Open the whole link as you received it, or ask {platform} for a new one.",
    )


def _is_in_session(site: Site, request: Request, connection: Connection) -> bool:
    """Whoever has come back from Xero for this connection has shown a password before."""
    session = sessions.find_session(site.store, LinkSession, request.cookies.get(LINK), site.clock())
    return session is not None and session.connection_id == connection.id
