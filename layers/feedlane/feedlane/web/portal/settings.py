"""The portal's settings page: the Xero app's keys, and the integration's options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from feedlane.credentials.vault import SecretSlot
from feedlane.errors import AppKeysRejected, Finding, Invalid, Unavailable
from feedlane.settings import app_keys
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.settings.shapes import masked
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.link import paths
from feedlane.web.portal import codat_keys
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

ONE_OFF_REFUSED = (
    "One-off access and bank feeds exclude each other: the access ends after 30 minutes, and nothing can be sent after "
    "that. Choose continuous access, or switch bank feeds off."
)
_KEYS_CHANGED = (
    "The secret was not saved: someone else has just changed the keys. Enter it again if it belongs to the client ID "
    "that is shown now."
)
_SWITCHES = (
    "enabled", "bank_feeds", "partner", "pkce", "link_passwords", "gap_is_error", "refusal_holds_feed",
    "synthetic_balances",
)  # fmt: skip
_TEXTS = (
    "upstream", "access", "app_name", "company_url", "redirect_uri", "privacy_policy_url", "terms_url",
    "changed_transactions",
)  # fmt: skip
_NUMBERS = ("connection_limit", "daily_limit", "feed_connections")
WORDS = Words(
    {
        "enabled": ("enabled", "Enabled"),
        "upstream": ("upstream", "Upstream"),
        "clientId": ("client_id", "Client ID"),
        "clientSecret": ("client_secret", "Client secret"),
        "secondSecret": ("second_secret", "Second secret"),
        "access": ("access", "Access to company data"),
        "appName": ("app_name", "App name"),
        "companyUrl": ("company_url", "Company URL"),
        "redirectUri": ("redirect_uri", "Redirect URI"),
        "privacyPolicyUrl": ("privacy_policy_url", "Privacy policy"),
        "termsUrl": ("terms_url", "Terms"),
        "connectionLimit": ("connection_limit", "Connection limit"),
        "dailyLimit": ("daily_limit", "Daily call limit"),
        "changedTransactions": ("changed_transactions", "Transactions that come again, changed"),
        "feedConnections": ("feed_connections", "Feed connections"),
        **codat_keys.FIELDS,
    },
    {
        ("enabled", "Keys"): "Enabled needs the app’s keys. Enter them below.",
        ("upstream", "Enum"): "Upstream must be one of the two below.",
        ("access", "BankFeeds"): ONE_OFF_REFUSED,
        ("access", "Enum"): "Access to company data must be one of the two below.",
        ("clientSecret", "Required"): "Enter the secret that belongs to this client ID.",
        ("clientSecret", "Changed"): _KEYS_CHANGED,
        ("connectionLimit", "Enum"): "Connection limit must be one of those listed: only partners have no limit.",
        ("changedTransactions", "Enum"): "Transactions that come again, changed: choose one of those listed.",
    },
)
_DIGITS_MAX = 10
_SAVED_MESSAGES = {
    "yes": "Saved.",
    "unchecked": "Saved.",
    "codatUnchecked": "Saved.",
    "dropped": "It has been removed. The other one is in use.",
}
_UNCHECKED = {
    "unchecked": "The keys were saved, but Xero could not be reached to check them.",
    "codatUnchecked": "The key was saved, but Codat could not be reached to check it.",
}
VAULT_UNAVAILABLE = "The keys could not be checked or saved. Please try again in a minute."


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    settings = settings_items.settings(site.store)
    shown = _entered_values(request, settings) if request.form else _stored_values(request, settings)
    return _page(site, operator, settings, shown, saved=request.query.get("saved", ""))


def save(site: Site, request: Request) -> Response:
    """Saves the keys first: they decide whether the integration can be enabled. Keys left empty stay as they are."""
    operator = require_operator(site, request)
    entered = _entered_values(request, settings_items.settings(site.store))
    try:
        _require_current_keys(request, settings_items.settings(site.store))
        outcome = _save_all(site, request, entered)
    except Invalid as error:
        return _page(site, operator, settings_items.settings(site.store), entered, form_errors(error, WORDS), 422)
    except (Unavailable, AppKeysRejected):
        errors = whole_form(VAULT_UNAVAILABLE)
        return _page(site, operator, settings_items.settings(site.store), entered, errors, 503)
    return see_other(request.url(f"/portal/settings?saved={outcome}"))


def drop_secret(site: Site, request: Request) -> Response:
    """Removes one of two secrets, if Xero accepts the other."""
    operator = require_operator(site, request)
    slot = SecretSlot.SECOND if request.field("which") == SecretSlot.SECOND else SecretSlot.FIRST
    settings = settings_items.settings(site.store)
    stored = _stored_values(request, settings)
    try:
        if not codat_keys.drop(site, request.field("which")):
            app_keys.drop_secret(site.ports, site.vault, site.clock(), slot)
    except Invalid as error:
        return _page(site, operator, settings, stored, form_errors(error, WORDS), 422)
    except (Unavailable, AppKeysRejected):
        return _page(site, operator, settings, stored, whole_form(VAULT_UNAVAILABLE), 503)
    return see_other(request.url("/portal/settings?saved=dropped"))


def _stored_values(request: Request, settings: Settings) -> dict[str, Any]:
    return settings.model_dump(include={*_SWITCHES, *_TEXTS}) | {
        "redirect_uri": paths.redirect_uri(request, settings),
        "client_id": "",
        "connection_limit": str(settings.connection_limit),
        "daily_limit": str(settings.daily_limit),
        "feed_connections": str(settings.feed_connections),
    }


def _entered_values(request: Request, settings: Settings) -> dict[str, Any]:
    """The form's values. A switch that is off is not sent; a text that is not sent stays as it is."""
    switches = {name: request.field(name) == "yes" for name in _SWITCHES}
    texts = {name: request.field(name) for name in _TEXTS if name in request.form}
    keys = {name: request.field(name) for name in ("client_id", *_NUMBERS)}
    return _stored_values(request, settings) | switches | texts | keys


def _require_current_keys(request: Request, settings: Settings) -> None:
    """A secret entered without a client ID belongs to the client ID that the page showed, and to no other."""
    secrets = request.field("client_secret") or request.field("second_secret")
    version_shown = request.field("keys_version")
    has_changed = bool(version_shown) and version_shown != str(settings.keys_version)
    if secrets and not request.field("client_id") and has_changed:
        rule = "was not saved: someone else has just changed the keys. Review them and try again"
        raise Invalid.field("clientSecret", rule, "Changed")


def _save_all(site: Site, request: Request, entered: dict[str, Any]) -> str:
    """What came of it, one of `_SAVED_MESSAGES`. Raises `Invalid` with all that is wrong of keys and settings."""
    outcome, findings = "yes", list[Finding]()
    saves: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("unchecked", lambda: save_keys(site, entered["client_id"], request.field("client_secret"))),
        ("unchecked", lambda: _save_second_secret(site, request.field("second_secret"))),
        ("codatUnchecked", lambda: codat_keys.save(site, request)),
    )
    for unchecked, save in saves:
        try:
            outcome = unchecked if save() else outcome
        except Invalid as error:
            findings += error.findings
    changes = _changes(entered, paths.redirect_uri(request))
    if findings:
        others = settings_changes.rules_broken_by(site.ports, changes)
        # Without keys it cannot be enabled, but the keys are what is to be mended.
        raise Invalid("The keys were not saved", [*(one for one in others if one.validator != "Keys"), *findings])
    settings_changes.change_settings(site.ports, site.clock(), changes)
    return outcome


def save_keys(site: Site, client_id: str, client_secret: str) -> bool:
    """Saves the keys that were entered. Whether Xero could not be reached to check them."""
    if not client_id and not client_secret:
        return False
    if not client_secret:
        raise Invalid.field("clientSecret", "enter the secret that belongs to this client ID", "Required")
    client_id = client_id or settings_items.settings(site.store).client_id
    _, check = app_keys.change_keys(site.ports, site.vault, site.clock(), client_id, client_secret)
    return check.ok is None


def _save_second_secret(site: Site, client_secret: str) -> bool:
    """The same for the second secret, whose findings name its own field."""
    if not client_secret:
        return False
    try:
        _, check = app_keys.add_second_secret(site.ports, site.vault, site.clock(), client_secret)
    except Invalid as error:
        raise Invalid(error.message, [finding.but(item_id="secondSecret") for finding in error.findings]) from None
    return check.ok is None


def _changes(entered: dict[str, Any], default_redirect_uri: str) -> dict[str, Any]:
    """What the form changes of the settings, beside the keys."""
    changes = {name: entered[name] for name in (*_SWITCHES, *_TEXTS)}
    if changes["redirect_uri"] == default_redirect_uri:
        changes["redirect_uri"] = ""
    numbers = [name for name in _NUMBERS if not (name == "connection_limit" and entered["partner"])]
    return changes | {name: whole_number(entered[name]) for name in numbers if entered[name]}


def whole_number(text: str) -> int:
    """Anything else becomes -1, which no rule allows, so that the operator reads the rule."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX else -1


def _page(
    site: Site,
    operator: Operator,
    settings: Settings,
    entered: dict[str, Any],
    errors: Sequence[FormError] = (),
    status: int = 200,
    saved: str = "",
) -> Response:
    return portal_page(
        site,
        operator,
        "portal_settings",
        status,
        title="Xero settings",
        section="settings",
        entered=entered,
        connection_limits=settings_changes.CONNECTION_LIMITS,
        keys_version=settings.keys_version,
        masked_id=masked(settings.client_id[-4:]) or "",
        masked_secret=masked(settings.client_secret_ending) or "",
        masked_second=masked(settings.second_secret_ending) or "",
        done=_SAVED_MESSAGES.get(saved, ""),
        warning=_UNCHECKED.get(saved, ""),
        **codat_keys.shown(settings),
        errors=errors,
    )
