"""Who is signed in to the portal, and what every page of it needs: the frame, and the token that its forms carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from feedlane.holds.counts import hold_counts
from feedlane.settings import items as settings_items
from feedlane.web import sessions
from feedlane.web.cookies import PORTAL, Cookie, value_in
from feedlane.web.filters import number
from feedlane.web.link.session import FORM_FIELD
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.sessions import PortalSession, form_token
from feedlane.web.site import Site

_OUTDATED = (
    "This form was open when your session changed. Nothing has been saved yet: please check it, and send it again."
)


class SignInNeeded(Exception):
    """No operator is signed in, or the key has since been deleted."""


class ShowAgain(Exception):
    """A form must be shown again, with what was entered: `request` asks for it, with the entries in its `form`."""

    def __init__(self, request: Request, status: int, *cookies: Cookie) -> None:
        super().__init__(request.path)
        self.request = request
        self.status = status
        self.cookies = cookies


@dataclass(frozen=True)
class Operator:
    """`note` is why the page shows a form again."""

    session: PortalSession
    secret: str
    note: str = ""

    @property
    def template_context(self) -> dict[str, Any]:
        """What every portal page needs."""
        return {"form_token": form_token(self.secret), "key_name": self.session.key_name, "note": self.note}


def find_operator(site: Site, request: Request) -> Operator | None:
    secret = value_in(request, PORTAL)
    session = sessions.find_session(site.store, PortalSession, secret, site.clock())
    if session is None or settings_items.api_key(site.store, session.key_fingerprint) is None:
        return None
    return Operator(session, secret, request.note)


def require_operator(site: Site, request: Request) -> Operator:
    """Raises `SignInNeeded`, and `ShowAgain` for a form without the session's token."""
    operator = find_operator(site, request)
    if operator is None:
        raise SignInNeeded
    if request.method == "POST" and request.field(FORM_FIELD) != form_token(operator.secret):
        raise ShowAgain(replace(request, method="GET", note=_OUTDATED), 403)
    return operator


def portal_page(site: Site, operator: Operator, template: str, status: int = 200, **context: Any) -> Response:
    """A page of the portal in its frame, from `web/templates/portal/`.

    `section` is the entry of the navigation that it belongs to.
    """
    return site.page(
        f"portal/{template}", status, home="/portal", holds=held_text(site), **operator.template_context, **context
    )


def held_text(site: Site) -> str:
    """How many holds there are, for the navigation. Empty if there are none."""
    total = hold_counts(site.store).total
    return number(total) if total else ""
