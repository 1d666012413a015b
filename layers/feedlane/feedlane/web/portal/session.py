"""Signing in to the portal with an API key, and the token that its forms must carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedlane.errors import TooManyAttempts, Unauthorized
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from feedlane.web import sessions
from feedlane.web.cookies import PORTAL, Cookie, value_in
from feedlane.web.link.session import FORM_FIELD, form_invalid_page
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.sessions import PORTAL_SESSION_LIFETIME, PortalSession, form_token
from feedlane.web.site import Site


class SignInNeeded(Exception):
    """No operator is signed in, or the key has since been deleted."""


@dataclass(frozen=True)
class Operator:
    session: PortalSession
    secret: str

    @property
    def template_context(self) -> dict[str, Any]:
        """What every portal page needs."""
        return {"form_token": form_token(self.secret), "key_name": self.session.key_name}


def require_operator(site: Site, request: Request) -> Operator:
    """Raises `SignInNeeded`, and `ErrorPage` for a form without the session's token."""
    secret = value_in(request, PORTAL)
    session = sessions.find_session(site.store, PortalSession, secret, site.clock())
    if session is None or settings_items.api_key(site.store, session.key_fingerprint) is None:
        raise SignInNeeded
    if request.method == "POST" and request.field(FORM_FIELD) != form_token(secret):
        raise form_invalid_page("/portal", "Open the portal")
    return Operator(session, secret)


def portal_page(site: Site, operator: Operator, template: str, status: int = 200, **context: Any) -> Response:
    return site.page(template, status, **operator.template_context, **context)


def sign_in_page(site: Site, request: Request, error: str = "", status: int = 200) -> Response:
    return site.page("portal_sign_in", status, title="Sign in", error=error)


def sign_in(site: Site, request: Request) -> Response:
    now = site.clock()
    try:
        with site.wrong_keys.counted(request.address, now):
            key = _key_in(site, request)
    except Unauthorized:
        return sign_in_page(site, request, "This is not an API key of this deployment.", 401)
    except TooManyAttempts as error:
        page = sign_in_page(site, request, str(error), 429)
        return page.with_headers({"Retry-After": str(error.retry_after)})
    secret = site.new_secret()
    session = PortalSession(key_fingerprint=key.fingerprint, key_name=key.name)
    site.store.commit(sessions.put_session(secret, session, now, PORTAL_SESSION_LIFETIME))
    return see_other(request.url("/portal")).with_cookies(Cookie(PORTAL, secret, PORTAL_SESSION_LIFETIME))


def _key_in(site: Site, request: Request) -> ApiKey:
    """Raises `Unauthorized`."""
    clear = request.field("key")
    key = settings_items.api_key(site.store, fingerprint(clear)) if clear else None
    if key is None:
        raise Unauthorized
    return key


def sign_out(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    site.store.commit(sessions.remove_session(operator.secret))
    return see_other(request.url("/portal/sign-in")).with_cookies(Cookie(PORTAL, "", PORTAL_SESSION_LIFETIME).expired())
