"""The forms of the set-up guide: what each step shows, and how it is saved. Each saver answers what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from feedlane.credentials.authorization import Verdict
from feedlane.errors import Finding, Invalid
from feedlane.settings import changes as settings_changes
from feedlane.settings import guide
from feedlane.settings import items as settings_items
from feedlane.settings.settings import DEFAULT_NAME, Profile, Settings
from feedlane.web.form_errors import Words
from feedlane.web.portal.settings import bank_feeds, settings_sections, xero_keys
from feedlane.web.portal.settings import profile as profile_page
from feedlane.web.request import Request
from feedlane.web.site import Site

_TEXTS: Mapping[str, tuple[str, ...]] = {
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
    names = {"app_name", "company_url", "access", "bank_feeds", "partner", "privacy_policy_url", "terms_url", "enabled"}
    shown = profile.model_dump(include={"name", "logo_url", "colour", "support_address"})
    limit = str(settings.connection_limit)
    return settings.model_dump(include=names) | shown | {"client_id": "", "connection_limit": limit}


def entered_values(request: Request, step: str) -> dict[str, Any]:
    """What the form of this step brings. A switch that is off is not sent."""
    texts = {name: request.field(name) for name in _TEXTS[step] if name in request.form}
    switch = _SWITCHES.get(step)
    return texts | ({switch: request.field(switch) == "yes"} if switch else {})


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


def _save_face(site: Site, request: Request) -> str:
    entered = entered_values(request, "face")
    profile = settings_items.profile(site.store).but(**entered | {"colour": entered.get("colour", "").lower()})
    settings_changes.change_profile(site.ports, site.clock(), profile)
    return "unnamed" if profile.name == DEFAULT_NAME else "face"


def _save_bank_feeds(site: Site, request: Request) -> str:
    """Asks Xero before it switches them on. If Xero says nothing, they are on, and the page says so."""
    changes = entered_values(request, "bank-feeds")
    if not changes["bank_feeds"]:
        settings_changes.change_settings(site.ports, site.clock(), changes)
        return "off"
    if broken := settings_changes.rules_broken_by(site.ports, changes):
        raise Invalid("Bank feeds were not switched on", broken)
    granted = bank_feeds.ask_xero(site, request)
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return "granted" if granted else "unasked"


def _save_partner(site: Site, request: Request) -> str:
    entered = entered_values(request, "partner")
    limit = entered.pop("connection_limit", "")
    if limit and not entered["partner"]:
        entered["connection_limit"] = settings_sections.whole_number(limit)
    settings_changes.change_settings(site.ports, site.clock(), entered)
    guide.remember(site.store, limit_chosen=True)
    return "partner"


def _save_enabled(site: Site, request: Request) -> str:
    changes = entered_values(request, "enable")
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return "enabled" if changes["enabled"] else "disabled"


SAVES: Mapping[str, Callable[[Site, Request], str]] = {
    "app": _save_app,
    "keys": _save_keys,
    "access": _save_access,
    "face": _save_face,
    "bank-feeds": _save_bank_feeds,
    "partner": _save_partner,
    "enable": _save_enabled,
}
