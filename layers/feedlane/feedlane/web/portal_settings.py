"""The portal's settings page: the Xero app's keys, and what the integration may do."""

from __future__ import annotations

from typing import Any

from feedlane import connection_limit, key_changes, settings_changes
from feedlane.codat.integration import masked
from feedlane.errors import Invalid, Unavailable
from feedlane.settings import Settings
from feedlane.web import addresses
from feedlane.web.portal_session import Operator, operator
from feedlane.web.request import Request
from feedlane.web.response import Response, page, see_other
from feedlane.web.site import Site

_NAMES = {
    "enabled": "Enabled",
    "clientId": "Client ID",
    "clientSecret": "Client secret",
    "connectionLimit": "Connection limit",
    "dailyLimit": "Calls a day",
}
_MOST_DIGITS = 10


def show(site: Site, request: Request) -> Response:
    own = operator(site, request)
    settings = site.store.settings()
    entered = {
        "enabled": settings.enabled,
        "bank_feeds": settings.bank_feeds,
        "access": settings.access,
        "client_id": "",
        "connection_limit": str(settings.connection_limit),
        "daily_limit": str(settings.daily_limit),
    }
    return _page(site, request, own, settings, entered, saved=request.query.get("saved", ""))


def save(site: Site, request: Request) -> Response:
    """Keys first, for they decide whether the integration can be enabled. Fields left empty keep what is stored."""
    own = operator(site, request)
    entered: dict[str, Any] = {
        "enabled": request.field("enabled") == "yes",
        "bank_feeds": request.field("bank_feeds") == "yes",
        "access": request.field("access"),
        "client_id": request.field("client_id"),
        "connection_limit": request.field("connection_limit"),
        "daily_limit": request.field("daily_limit"),
    }
    try:
        unchecked = _save_keys(site, entered["client_id"], request.field("client_secret"))
        _save_settings(site, entered)
    except Invalid as error:
        return _page(site, request, own, site.store.settings(), entered, errors=_sentences(error), status=422)
    except Unavailable:
        errors = ["The keys could not be stored at the moment. Please try again in a minute."]
        return _page(site, request, own, site.store.settings(), entered, errors=errors, status=503)
    return see_other(request.url(f"/portal/settings?saved={'unchecked' if unchecked else 'yes'}"))


def _save_keys(site: Site, client_id: str, client_secret: str) -> bool:
    """Whether the keys are stored but Xero could not be asked about them."""
    if not client_id and not client_secret:
        return False
    if not client_secret:
        raise Invalid.field("clientSecret", "enter the secret that belongs to this client ID", "Required")
    client_id = client_id or site.store.settings().client_id
    _, check = key_changes.change_keys(site.store, site.vault, site.clock(), site.new_id, client_id, client_secret)
    return check.ok is None


def _save_settings(site: Site, entered: dict[str, Any]) -> None:
    changes = {name: entered[name] for name in ("enabled", "bank_feeds", "access")}
    changes |= {name: _whole(entered[name]) for name in ("connection_limit", "daily_limit") if entered[name]}
    settings_changes.change_settings(site.store, site.queues, site.clock(), site.new_id, changes)


def _whole(text: str) -> int:
    """What is no whole number becomes one that no rule allows, so that the rule is what the operator reads."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else -1


def _sentences(error: Invalid) -> list[str]:
    if not error.findings:
        return [error.message]
    return [f"{_NAMES.get(one.item_id, one.item_id)}: {one.message}." for one in error.findings]


def _page(
    site: Site,
    request: Request,
    own: Operator,
    settings: Settings,
    entered: dict[str, Any],
    saved: str = "",
    errors: list[str] | None = None,
    status: int = 200,
) -> Response:
    profile = site.store.profile()
    warning = "Xero could not be asked about the keys just now; they are stored all the same."
    return page(
        "portal_settings",
        status,
        logo_url=profile.logo_url,
        name=profile.name,
        title="Xero settings",
        section="settings",
        entered=entered,
        partner=connection_limit.limit_of(settings) is None,
        limits=settings_changes.CONNECTION_LIMITS,
        masked_id=masked(settings.client_id[-4:]) or "",
        masked_secret=masked(settings.client_secret_ending) or "",
        redirect_uri=addresses.redirect_uri(request),
        done="Saved." if saved else "",
        warning=warning if saved == "unchecked" else "",
        errors=errors or [],
        **own.facts,
    )
