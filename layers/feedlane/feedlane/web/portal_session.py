"""Signing in to the portal with an API key, and what its forms must prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedlane.ids import fingerprint
from feedlane.sessions import PORTAL_LASTS, PortalSession, form_token
from feedlane.store import link_states
from feedlane.web.cookies import PORTAL, portal_cookie
from feedlane.web.link_session import FORM_FIELD
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.web.troubles import Trouble


class SignInNeeded(Exception):
    """Nobody is signed in, or the key was deleted meanwhile."""


@dataclass(frozen=True)
class Operator:
    session: PortalSession
    secret: str

    @property
    def facts(self) -> dict[str, Any]:
        """What every page of the portal shows."""
        return {"form_token": form_token(self.secret), "key_name": self.session.key_name}


def operator(site: Site, request: Request) -> Operator:
    """Raises `SignInNeeded`, and `Trouble` for a form that another page has sent."""
    secret = request.cookies.get(PORTAL, "")
    session = link_states.find_session(site.store, PortalSession, secret, site.clock())
    if session is None or site.store.api_key(session.key_fingerprint) is None:
        raise SignInNeeded
    if request.method == "POST" and request.field(FORM_FIELD) != form_token(secret):
        text = "It was open for too long, or was sent from elsewhere."
        raise Trouble(403, "This form is no longer valid", text, way="/portal", way_text="Open the portal")
    return Operator(session, secret)


def portal_page(site: Site, operator: Operator, template: str, status: int = 200, **facts: Any) -> Response:
    return site.page(template, status, **operator.facts, **facts)


def sign_in_page(site: Site, request: Request, error: str = "", status: int = 200) -> Response:
    return site.page("portal_sign_in", status, title="Sign in", error=error)


def sign_in(site: Site, request: Request) -> Response:
    """A key has 256 random bits: guessing needs no brake."""
    key = request.field("key")
    found = site.store.api_key(fingerprint(key)) if key else None
    if found is None:
        return sign_in_page(site, request, "This is not an API key of this deployment.", 401)
    secret, now = site.new_secret(), site.clock()
    session = PortalSession(key_fingerprint=found.fingerprint, key_name=found.name)
    site.store.commit(link_states.put_session(secret, session, now, PORTAL_LASTS))
    return see_other(request.url("/portal")).with_cookies(portal_cookie(secret, PORTAL_LASTS))


def sign_out(site: Site, request: Request) -> Response:
    own = operator(site, request)
    site.store.commit(link_states.remove_session(own.secret))
    return see_other(request.url("/portal/sign-in")).with_cookies(portal_cookie("", PORTAL_LASTS).ended())
