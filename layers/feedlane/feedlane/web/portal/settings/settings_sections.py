"""The sections of the settings: each has a page with a form of its own, which changes its fields and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedlane.settings.changes import DAILY_LIMIT_MAX, DAILY_LIMIT_MIN
from feedlane.settings.settings import Access, Settings
from feedlane.web.form_errors import Words
from feedlane.web.portal.settings import bank_feeds, codat_keys, xero_keys
from feedlane.web.request import Request

ONE_OFF_REFUSED = (
    "One-off access and bank feeds exclude each other: the access ends after 30 minutes, and nothing can be sent after "
    "that. Choose continuous access, or switch bank feeds off."
)
WORDS = Words(
    {
        "enabled": ("enabled", "Enabled"),
        "upstream": ("upstream", "Upstream"),
        "access": ("access", "Access to company data"),
        "bankFeeds": ("bank_feeds", "Bank feeds"),
        "appName": ("app_name", "App name"),
        "companyUrl": ("company_url", "Company URL"),
        "redirectUri": ("redirect_uri", "Redirect URI"),
        "privacyPolicyUrl": ("privacy_policy_url", "Privacy policy"),
        "termsUrl": ("terms_url", "Terms"),
        "connectionLimit": ("connection_limit", "Connection limit"),
        "dailyLimit": ("daily_limit", "Daily call limit"),
        "changedTransactions": ("changed_transactions", "Transactions that come again, changed"),
        "feedConnections": ("feed_connections", "Feed connections"),
        **xero_keys.FIELDS,
        **codat_keys.FIELDS,
    },
    {
        ("enabled", "Keys"): "Enabled needs the app’s keys. Enter them below.",
        ("upstream", "Enum"): "Upstream must be one of the two below.",
        ("access", "BankFeeds"): ONE_OFF_REFUSED,
        ("access", "Enum"): "Access to company data must be one of the two below.",
        ("connectionLimit", "Enum"): "Connection limit must be one of those listed: only partners have no limit.",
        ("dailyLimit", "Range"): (
            "Daily call limit must be the number of calls a day that Xero allows per organisation, from "
            f"{DAILY_LIMIT_MIN:,} to {DAILY_LIMIT_MAX:,}."
        ),
        ("changedTransactions", "Enum"): "Transactions that come again, changed: choose one of those listed.",
        **xero_keys.SENTENCES,
        **bank_feeds.SENTENCES,
    },
)
_DIGITS_MAX = 10
# Before the name of a field: what it was when the page was made.
_WAS = "was."


@dataclass(frozen=True)
class Section:
    """`switches`, `texts` and `numbers` are settings, by their names, and `secrets` its fields for keys and secrets."""

    name: str
    title: str
    about: str
    switches: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"/portal/settings/{self.name}"

    @property
    def settings(self) -> tuple[str, ...]:
        return (*self.switches, *self.texts, *self.numbers)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((*self.settings, *self.secrets))


APP = Section(
    "app",
    "Xero app",
    "What Xero Developer shows of your app, and what you have entered there.",
    switches=("enabled",),
    texts=("app_name", "company_url", "redirect_uri"),
    secrets=("client_id", "client_secret", "second_secret"),
)
ACCESS = Section(
    "access",
    "Access and partner status",
    "What your app may do at Xero, and how much of it.",
    switches=("bank_feeds", "partner"),
    texts=("access", "privacy_policy_url", "terms_url"),
    numbers=("connection_limit", "daily_limit"),
)
SENDING = Section(
    "sending",
    "Sending",
    "What becomes of pushes that do not fit their feed, and how statements are made of them.",
    switches=("gap_is_error", "refusal_holds_feed", "synthetic_balances"),
    texts=("changed_transactions",),
    numbers=("feed_connections",),
)
LINKS = Section(
    "links",
    "Customers’ links",
    "How the links are protected with which your customers connect.",
    switches=("link_passwords", "pkce"),
)
CODAT = Section(
    "codat",
    "Codat",
    "Only for connections that reach Xero through Codat’s API.",
    texts=("upstream",),
    secrets=("codat_key", "codat_webhook_secret"),
)
SECTIONS = {one.name: one for one in (APP, ACCESS, SENDING, LINKS, CODAT)}


def changes_in(section: Section, request: Request) -> dict[str, Any]:
    """What its form changes of the settings. A switch that is off is not sent; what else is not sent stays as it is.

    What is still as the page showed it stays too: somebody else may have changed it since.
    """
    changes: dict[str, Any] = {name: request.field(name) == "yes" for name in section.switches}
    changes |= {name: request.field(name) for name in section.texts if name in request.form}
    numbers = (name for name in section.numbers if name in request.form)
    changes |= {name: whole_number(request.field(name)) for name in numbers}
    if changes.get("partner"):
        changes.pop("connection_limit", None)
    return {name: value for name, value in changes.items() if not _is_untouched(request, name)}


def _is_untouched(request: Request, name: str) -> bool:
    return _WAS + name in request.form and request.field(_WAS + name) == request.field(name)


def shown_before(section: Section, request: Request, stored: Mapping[str, Any]) -> dict[str, str]:
    """Hidden fields of its form, so that `changes_in` can tell what was changed: kept while the form comes back."""
    if kept := {_WAS + name: request.field(_WAS + name) for name in section.settings if _WAS + name in request.form}:
        return kept
    switches = {_WAS + name: "yes" if stored[name] else "" for name in section.switches}
    return switches | {_WAS + name: str(stored[name]) for name in (*section.texts, *section.numbers)}


def whole_number(text: str) -> int:
    """Anything else becomes -1, which no rule allows, so that the operator reads the rule."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX else -1


def states(settings: Settings) -> dict[str, str]:
    """How each section stands, in a few words, by its name."""
    access = "Continuous" if settings.access is Access.CONTINUOUS else "One-off"
    through = "Codat" if settings.upstream == "codat" else "Xero"
    return {
        "app": ("Enabled" if settings.enabled else "Not enabled") + ("" if settings.has_keys else ", no keys"),
        "access": f"{access}, bank feeds {'on' if settings.bank_feeds else 'off'}",
        "sending": "Gaps are refused" if settings.gap_is_error else "Gaps are reported",
        "links": "With one-time passwords" if settings.link_passwords else "Without passwords",
        "codat": f"New connections go to {through}" if settings.codat.ending else "Not used",
    }
