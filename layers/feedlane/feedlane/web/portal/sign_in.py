"""Signing in to the portal with an API key, and out of it. It leads to where one wanted to go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from feedlane.errors import Invalid, TooManyAttempts, Unauthorized
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from feedlane.web import sessions
from feedlane.web.cookies import PORTAL, Cookie, full_name
from feedlane.web.form_errors import FormError
from feedlane.web.link.session import FORM_FIELD
from feedlane.web.portal.session import ShowAgain, require_operator
from feedlane.web.request import FORM_FIELDS_MAX, Request
from feedlane.web.response import Response, see_other
from feedlane.web.sessions import PORTAL_SESSION_LIFETIME, PortalSession
from feedlane.web.site import Site

HOME = "/portal"
_SIGN_IN = "/portal/sign-in"
# A page of the portal, as a link names it: nothing that leads elsewhere.
_OWN_PAGE = re.compile(r"/portal(?!/sign-)([/?][!-\[\]-~]*)?")
# What is entered in these is not put into another page.
_SECRET = re.compile("secret|key|password")
_SIGNED_IN_AGAIN = (
    "You were signed out, and are in again. Nothing has been saved yet: please check it, and send it again."
)
_NOT_A_KEY = "This is not an API key of this deployment."


def ask(site: Site, request: Request, wanted: str, is_form: bool) -> Response:
    """Asks who it is, and keeps what is `wanted`: a page, or a form with what was entered in it."""
    if is_form:
        return _page(site, wanted, _entries(request.form), status=401)
    query = f"?{urlencode({'next': wanted})}" if wanted != HOME else ""
    return see_other(request.url(_SIGN_IN + query))


def show(site: Site, request: Request) -> Response:
    return _page(site, _own_page(request.query.get("next", "")))


def sign_in(site: Site, request: Request) -> Response:
    """Raises `ShowAgain` if a form was kept."""
    now, wanted, entries = site.clock(), _own_page(request.field("next")), request.field("entries")
    try:
        with site.wrong_keys.counted(request.address, now):
            key = _key_in(site, request)
    except Unauthorized:
        return _page(site, wanted, entries, [FormError("key", _NOT_A_KEY)], 401)
    except TooManyAttempts as error:
        page = _page(site, wanted, entries, [FormError("key", str(error))], 429)
        return page.with_headers({"Retry-After": str(error.retry_after)})
    secret = site.new_secret()
    session = PortalSession(key_fingerprint=key.fingerprint, key_name=key.name)
    site.store.commit(sessions.put_session(secret, session, now, PORTAL_SESSION_LIFETIME))
    cookie = Cookie(PORTAL, secret, PORTAL_SESSION_LIFETIME)
    if entries:
        raise ShowAgain(_kept_form(request, wanted, entries, secret), 200, cookie)
    return see_other(request.url(_first_page(site, wanted))).with_cookies(cookie)


def _first_page(site: Site, wanted: str) -> str:
    """Where one wanted to go; the set-up guide for whoever wants nothing in particular while it is not enabled."""
    is_to_be_set_up = wanted == HOME and not settings_items.settings(site.store).enabled
    return "/portal/set-up" if is_to_be_set_up else wanted


def sign_out(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    site.store.commit(sessions.remove_session(operator.secret))
    return see_other(request.url(_SIGN_IN)).with_cookies(Cookie(PORTAL, "", PORTAL_SESSION_LIFETIME).expired())


def _page(site: Site, wanted: str, entries: str = "", errors: Sequence[FormError] = (), status: int = 200) -> Response:
    return site.page("portal/sign_in", status, title="Sign in", home=HOME, next=wanted, entries=entries, errors=errors)


def _key_in(site: Site, request: Request) -> ApiKey:
    """Raises `Unauthorized`."""
    clear = request.field("key")
    key = settings_items.api_key(site.store, fingerprint(clear)) if clear else None
    if key is None:
        raise Unauthorized
    return key


def _own_page(text: str) -> str:
    return text if _OWN_PAGE.fullmatch(text) else HOME


def _entries(form: Mapping[str, list[str]]) -> str:
    """What was entered, without secrets and the token of a session that has ended."""
    kept = [(name, values) for name, values in form.items() if name != FORM_FIELD and not _SECRET.search(name)]
    return urlencode(kept, doseq=True)


def _kept_form(request: Request, wanted: str, entries: str, secret: str) -> Request:
    """The request for the form, filled in. Raises `Invalid` for entries that cannot be ours."""
    parts = urlsplit(wanted)
    try:
        form = parse_qs(entries, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise Invalid("The form could not be read.") from None
    return replace(
        request,
        method="GET",
        path=parts.path,
        query=dict(parse_qsl(parts.query)),
        form=form,
        cookies={**request.cookies, full_name(PORTAL, request.is_secure): secret},
        note=_SIGNED_IN_AGAIN,
    )
