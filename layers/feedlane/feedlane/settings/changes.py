"""Changes to the settings and the profile: checked as a whole, and told of by an event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from feedlane.errors import Finding, Invalid
from feedlane.events.outbox import put_event
from feedlane.feeds import wake_all
from feedlane.ports import Ports
from feedlane.settings import events as settings_events
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access, Profile, Settings
from feedlane.store.table import Write

T = TypeVar("T", Settings, Profile)
# Of no interest to anybody else.
_INTERNAL_FIELDS = frozenset({"version", "keys_version"})
# Xero's limits of linked organisations: of an app without certification now (5) and formerly (25), and by tier.
CONNECTION_LIMITS = (5, 25, 50, 1000, 10_000)
# Calls a day that Xero allows for each organisation: 1,000 on the Starter tier, 5,000 on the others; contracts differ.
DAILY_LIMIT_MIN, DAILY_LIMIT_MAX = 200, 1_000_000
TEXT_LENGTH_MAX = 255
CALLBACK_PATH = "/oauth/callback"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def change_settings(ports: Ports, now: datetime, changes: dict[str, Any]) -> Settings:
    """The settings with these changed, others as they are. Raises `Invalid` with every rule that is broken.

    Once bank feeds are on again, what has waited goes on. Becoming a partner lifts the connection limit; no longer
    being one brings back the default.
    """
    before = settings_items.settings(ports.store)
    after = before.but(**changes)
    if "partner" in changes and "connection_limit" not in changes and changes["partner"] != before.partner:
        after = after.but(connection_limit=None if after.partner else Settings().connection_limit)
    if after.redirect_uri == f"{ports.public_url}{CALLBACK_PATH}":
        after = after.but(redirect_uri="")
    findings = list(_settings_findings(after, ports.public_url))
    if findings:
        raise Invalid("; ".join(f"{one.item_id}: {one.message}" for one in findings), findings)
    goes_on = after.enabled and after.bank_feeds and not (before.enabled and before.bank_feeds)
    if goes_on:
        wake_all.schedule_wake_all(ports.queues)
    stored = store_with_event(ports, now, before, after.but(access=Access(after.access)))
    if goes_on:
        wake_all.wake_all(ports)
    return stored


def change_profile(ports: Ports, now: datetime, profile: Profile) -> Profile:
    """The profile as a whole. `profile.version` is ignored: the last one wins. Raises `Invalid`."""
    if not 1 <= len(profile.name) <= TEXT_LENGTH_MAX:
        raise Invalid.field("name", f"must have 1 to {TEXT_LENGTH_MAX} characters", "Length")
    named = {"redirectUrl": profile.redirect_url, "logoUrl": profile.logo_url, "iconUrl": profile.icon_url}
    for field, url in [*named.items(), *(("whiteListUrls", url) for url in profile.white_list_urls)]:
        if url and not is_safe_url(url):
            raise Invalid.field(field, _URL_RULE, "Url")
    _require_origins(profile.allowed_origins)
    host = urlsplit(profile.redirect_url).netloc
    if "{" in host and not profile.white_list_urls:
        rule = "has a placeholder in its host: list every host it may become in whiteListUrls"
        raise Invalid.field("redirectUrl", rule, "Url")
    before = settings_items.profile(ports.store)
    return _store_profile(ports, now, before, profile.but(version=before.version))


def change_origins(ports: Ports, now: datetime, origins: list[str]) -> Profile:
    """Which web pages may call the API from a browser. Raises `Invalid` for what is not an origin."""
    _require_origins(origins)
    before = settings_items.profile(ports.store)
    after = before.but(allowed_origins=tuple(dict.fromkeys(origins)))
    return _store_profile(ports, now, before, after)


def _store_profile(ports: Ports, now: datetime, before: Profile, after: Profile) -> Profile:
    """With an event that tells what changed, if anything did."""
    if after != before:
        ports.store.commit(settings_items.put_profile(after), *_change_events(ports, now, before, after))
    return after


def _require_origins(origins: Iterable[str]) -> None:
    for origin in origins:
        if not is_safe_url(origin) or urlsplit(origin).path or urlsplit(origin).query:
            raise Invalid.field("allowedOrigins", "must be origins such as https://app.example.com", "Origin")


def is_safe_url(url: str) -> bool:
    """https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or any(character.isspace() for character in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL_HOSTS)


_URL_RULE = "must be an address with https (http only for localhost)"


def _settings_findings(settings: Settings, public_url: str) -> list[Finding]:
    """Every rule that the settings break."""
    found = []
    if settings.enabled and not settings.has_keys:
        found.append(_finding("enabled", "needs the app's keys first: PUT /integrations/gbol/credentials", "Keys"))
    if settings.access not in list(Access):
        found.append(_finding("access", f"must be {' or '.join(Access)}", "Enum"))
    if len(settings.app_name) > TEXT_LENGTH_MAX:
        found.append(_finding("appName", f"must have at most {TEXT_LENGTH_MAX} characters", "MaximumLength"))
    if "xero" in settings.app_name.casefold():
        found.append(_finding("appName", "must not contain Xero: Xero certifies no app that is called so", "Name"))
    return found + _page_findings(settings, public_url) + _limit_findings(settings)


def _page_findings(settings: Settings, public_url: str) -> list[Finding]:
    pages = {
        "companyUrl": settings.company_url,
        "privacyPolicyUrl": settings.privacy_policy_url,
        "termsUrl": settings.terms_url,
    }
    found = [_finding(field, _URL_RULE, "Url") for field, url in pages.items() if url and not is_safe_url(url)]
    if settings.redirect_uri and (rule := _redirect_rule(settings.redirect_uri, public_url)):
        found.append(_finding("redirectUri", rule, "Url"))
    missing = [field for field in ("privacyPolicyUrl", "termsUrl") if settings.partner and not pages[field]]
    return found + [_finding(field, "is required of a partner", "Required") for field in missing]


def _redirect_rule(uri: str, public_url: str) -> str:
    """What is wrong with a redirect URI; empty if nothing is.

    The browser that comes back proves itself by a cookie, so that it must come back to the host that it left.
    """
    if not is_safe_url(uri):
        return _URL_RULE
    parts = urlsplit(uri)
    if not parts.path.endswith(CALLBACK_PATH) or parts.query or parts.fragment:
        return f"must end with {CALLBACK_PATH}, where Feedlane takes Xero's answers"
    host = urlsplit(public_url).netloc
    return f"must be on the host of Link, {host}" if host and parts.netloc != host else ""


def _limit_findings(settings: Settings) -> list[Finding]:
    found = []
    if not DAILY_LIMIT_MIN <= settings.daily_limit <= DAILY_LIMIT_MAX:
        rule = (
            "must be how many calls a day Xero allows for each organisation: 1000 on the Starter tier, 5000 on the "
            f"others, or what a contract says, from {DAILY_LIMIT_MIN} to {DAILY_LIMIT_MAX}"
        )
        found.append(_finding("dailyLimit", rule, "Range"))
    return found + _connection_limit_findings(settings)


def _connection_limit_findings(settings: Settings) -> list[Finding]:
    if settings.partner and settings.connection_limit is not None:
        return [_finding("connectionLimit", "must be null: a partner has no limit", "Range")]
    if not settings.partner and settings.connection_limit not in CONNECTION_LIMITS:
        tiers = ", ".join(map(str, CONNECTION_LIMITS))
        return [_finding("connectionLimit", f"must be one of {tiers}: only a partner has none", "Enum")]
    return []


def _finding(field: str, message: str, validator: str) -> Finding:
    return Finding(item_id=field, message=message, validator=validator)


def store_with_event(ports: Ports, now: datetime, before: Settings, after: Settings) -> Settings:
    """With an event that tells what changed, if anything did."""
    if after != before:
        ports.store.commit(settings_items.put_settings(after), *_change_events(ports, now, before, after))
    return after


def _change_events(ports: Ports, now: datetime, before: T, after: T) -> list[Write]:
    """The event that names what changed, if that is anything to tell of."""
    changed = {name: value for name, value in after.model_dump().items() if value != getattr(before, name)}
    told = {name: value for name, value in changed.items() if name not in _INTERNAL_FIELDS}
    return [put_event(settings_events.settings_changed(ports, told, now))] if told else []
