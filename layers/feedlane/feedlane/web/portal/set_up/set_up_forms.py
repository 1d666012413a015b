"""The forms of the set-up guide: what each step shows, and how it is saved. Each saver answers what came of it.

Here are those of both guides, and those of the guide to Xero; `codat_forms` has the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from feedlane.credentials.authorization import Verdict
from feedlane.errors import Finding, Invalid
from feedlane.settings import changes as settings_changes
from feedlane.settings import guide
from feedlane.settings import items as settings_items
from feedlane.settings.guide import UPSTREAM
from feedlane.settings.settings import DEFAULT_NAME, Profile, Settings
from feedlane.web.form_errors import Words
from feedlane.web.portal.settings import bank_feeds, settings_sections, xero_keys
from feedlane.web.portal.settings import profile as profile_page
from feedlane.web.request import Request
from feedlane.web.site import Site


@dataclass(frozen=True)
class Forms:
    """Those of one guide: how each step is saved, and what is said of what is wrong."""

    words: Words
    saves: Mapping[str, Callable[[Site, Request], str]]


_TEXTS: Mapping[str, tuple[str, ...]] = {
    UPSTREAM: ("upstream",),
    "app": ("app_name", "company_url"),
    "keys": ("client_id",),
    "access": ("access",),
    "face": ("name", "logo_url", "colour", "support_address"),
    "bank-feeds": (),
    "partner": ("privacy_policy_url", "terms_url", "connection_limit"),
    "enable": (),
}
_SWITCHES: Mapping[str, str] = {"bank-feeds": "bank_feeds", "partner": "partner", "enable": "enabled"}
_COPY_AGAIN = "Copy both once more from Configuration at Xero Developer; if the secret is lost, generate another."
WORDS = Words(
    {**settings_sections.WORDS.fields, **profile_page.WORDS.fields},
    {
        **settings_sections.WORDS.sentences,
        **profile_page.WORDS.sentences,
        ("enabled", "Keys"): "Enabling needs the app’s keys. Enter them in step 2.",
        ("appName", "Required"): "Enter the app’s name.",
        ("companyUrl", "Required"): "Enter the company URL.",
        ("clientId", "Required"): "Enter the client id.",
        ("clientId", "AppKeys"): f"Xero does not know this client id with this secret. {_COPY_AGAIN}",
        ("clientSecret", "AppKeys"): f"Xero knows the client id, but not this secret. {_COPY_AGAIN}",
        ("bankFeeds", "Keys"): "Xero can only be asked with the app’s client id. Enter the keys in step 2.",
        ("bankFeeds", Verdict.WRONG_REDIRECT): (
            "The redirect URI is not registered with the Xero app, and Xero looks at it before the scopes. Register it "
            "first, as step 1 says."
        ),
        ("bankFeeds", Verdict.WRONG_CLIENT): "Xero does not know the client id. Check the keys in step 2.",
    },
)


def stored_values(settings: Settings, profile: Profile) -> dict[str, Any]:
    names = {
        "upstream",
        "app_name",
        "company_url",
        "access",
        "bank_feeds",
        "partner",
        "privacy_policy_url",
        "terms_url",
        "enabled",
    }
    shown = profile.model_dump(include={"name", "logo_url", "colour", "support_address"})
    limit = str(settings.connection_limit)
    return settings.model_dump(include=names) | shown | {"client_id": "", "connection_limit": limit}


def entered_values(request: Request, step: str) -> dict[str, Any]:
    """What the form of this step brings. A switch that is off is not sent."""
    texts = {name: request.field(name) for name in _TEXTS.get(step, ()) if name in request.form}
    switch = _SWITCHES.get(step)
    return texts | ({switch: request.field(switch) == "yes"} if switch else {})


def save_upstream(site: Site, request: Request) -> str:
    """Of the connections to come. Who is enabled already is told if they lack keys now."""
    changes = entered_values(request, UPSTREAM)
    settings = settings_changes.change_settings(site.ports, site.clock(), changes)
    lacks_keys = not (settings.has_keys if settings.is_direct else settings.codat.ending)
    return f"{settings.upstream}{'-unkeyed' if settings.enabled and lacks_keys else ''}"


def _save_app(site: Site, request: Request) -> str:
    entered = entered_values(request, "app")
    missing = [
        Finding(item_id=field, message="is required", validator="Required")
        for name, field in (("app_name", "appName"), ("company_url", "companyUrl"))
        if not entered.get(name)
    ]
    broken = settings_changes.rules_broken_by(site.ports, entered)
    if missing or broken:
        raise Invalid("The app was not saved", [*missing, *broken])
    settings_changes.change_settings(site.ports, site.clock(), entered)
    return "app"


def _save_keys(site: Site, request: Request) -> str:
    client_id, secret = request.field("client_id"), request.field("client_secret")
    if not client_id and not settings_items.settings(site.store).has_keys:
        raise Invalid.field("clientId", "is required", "Required")
    if not secret:
        raise Invalid.field("clientSecret", "is required", "Required")
    if xero_keys.save_keys(site, client_id, secret):
        return "unchecked"
    guide.remember(site.store, keys_checked_on=site.clock())
    return "keys"


def _save_access(site: Site, request: Request) -> str:
    settings_changes.change_settings(site.ports, site.clock(), entered_values(request, "access"))
    guide.remember(site.store, access_chosen=True)
    return "access"


def save_face(site: Site, request: Request) -> str:
    entered = entered_values(request, "face")
    profile = settings_items.profile(site.store).but(**entered | {"colour": entered.get("colour", "").lower()})
    settings_changes.change_profile(site.ports, site.clock(), profile)
    return "unnamed" if profile.name == DEFAULT_NAME else "face"


def save_bank_feeds(site: Site, request: Request, ask: Callable[[Site, Request], bool]) -> bool | None:
    """Asks before it switches them on, and answers whether they are granted. None: they are off.

    If nobody says anything, they are on, and the page says so.
    """
    changes = entered_values(request, "bank-feeds")
    if not changes["bank_feeds"]:
        settings_changes.change_settings(site.ports, site.clock(), changes)
        return None
    if broken := settings_changes.rules_broken_by(site.ports, changes):
        raise Invalid("Bank feeds were not switched on", broken)
    granted = ask(site, request)
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return granted


def _save_bank_feeds(site: Site, request: Request) -> str:
    granted = save_bank_feeds(site, request, bank_feeds.ask_xero)
    return {None: "off", True: "granted", False: "unasked"}[granted]


def _save_partner(site: Site, request: Request) -> str:
    entered = entered_values(request, "partner")
    limit = entered.pop("connection_limit", "")
    if limit and not entered["partner"]:
        entered["connection_limit"] = settings_sections.whole_number(limit)
    settings_changes.change_settings(site.ports, site.clock(), entered)
    guide.remember(site.store, limit_chosen=True)
    return "partner"


def save_enabled(site: Site, request: Request) -> str:
    changes = entered_values(request, "enable")
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return "enabled" if changes["enabled"] else "disabled"


XERO = Forms(
    WORDS,
    {
        UPSTREAM: save_upstream,
        "app": _save_app,
        "keys": _save_keys,
        "access": _save_access,
        "face": save_face,
        "bank-feeds": _save_bank_feeds,
        "partner": _save_partner,
        "enable": save_enabled,
    },
)
