"""Changes to the settings and the profile: validated as a whole, and written with an event."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from feedlane.companies.connection import UpstreamName
from feedlane.errors import Finding, Invalid, require_all
from feedlane.events.outbox import put_event
from feedlane.feeds import wake_all
from feedlane.feeds.rules import ChangedTransactions
from feedlane.ports import Ports
from feedlane.settings import events as settings_events
from feedlane.settings import items as settings_items
from feedlane.settings.colours import CONTRAST_MIN, WHITE, contrast, darkened, is_colour
from feedlane.settings.redirect_template import rule_broken_by
from feedlane.settings.settings import Access, Profile, Settings
from feedlane.store.attempts import attempts
from feedlane.store.table import Write
from feedlane.web_address import is_mail_address, is_safe_address, origin_of

T = TypeVar("T", Settings, Profile)
# A change of these alone has no event.
_INTERNAL_FIELDS = frozenset({"version", "keys_version"})
# The limits of linked organisations that Xero is known to use: 5 for an uncertified app today, 25 formerly (still our
# default), the others on higher tiers.
CONNECTION_LIMITS = (5, 25, 50, 1000, 10_000)
# Calls a day that Xero allows per organisation: 1,000 on the Starter tier, 5,000 on the others, or as a contract says.
DAILY_LIMIT_MIN, DAILY_LIMIT_MAX = 200, 1_000_000
FEED_CONNECTIONS_VERSIONS = (1, 2)
TEXT_LENGTH_MAX = 255
URLS_MAX, URL_LENGTH_MAX = 50, 2_048
CALLBACK_PATH = "/oauth/callback"
_URL_RULE = "must be an https URL (http only for localhost)"
ONE_OFF_RULE = "must be Continuous while bank feeds are on: one-off access ends after 30 minutes, and with it the feed"


def change_settings(ports: Ports, now: datetime, changes: dict[str, Any]) -> Settings:
    """Changes these settings and keeps the others. Raises `Invalid` with every rule that is broken.

    When bank feeds are switched on, the feeds that wait are woken. Becoming a partner lifts the connection limit; no
    longer being one restores the default.
    """
    resumes = False
    for attempt in attempts("the settings"):  # others may change other fields at the same time
        before = settings_items.settings(ports.store)
        after = _valid(ports, before, changes)
        resumes |= after.enabled and after.bank_feeds and not (before.enabled and before.bank_feeds)
        if resumes:
            wake_all.schedule_wake_all(ports.queues)
        with attempt:
            stored = store_with_event(ports, now, before, after)
    if resumes:
        wake_all.wake_all(ports)
    return stored


def rules_broken_by(ports: Ports, changes: dict[str, Any]) -> list[Finding]:
    """What `change_settings` would refuse in them."""
    return _settings_findings(_changed(ports, settings_items.settings(ports.store), changes), ports.public_url)


def change_profile(ports: Ports, now: datetime, profile: Profile) -> Profile:
    """Replaces the profile. `profile.version` is ignored: the last change wins.

    Raises `Invalid` with every rule that is broken.
    """
    require_all(
        lambda: _require_length("name", profile.name),
        lambda: _require_addresses("logoUrl", profile.logo_url),
        lambda: _require_addresses("iconUrl", profile.icon_url),
        lambda: _require_colour(profile.colour),
        lambda: _require_support(profile.support_address),
        lambda: _require_addresses("signInUrl", profile.sign_in_url),
        lambda: _require_addresses("whiteListUrls", *profile.white_list_urls),
        lambda: _require_few("whiteListUrls", profile.white_list_urls),
        lambda: _require_origins(profile.allowed_origins),
        lambda: _require_redirect(profile),
    )
    return _store_profile(ports, now, lambda before: profile.but(version=before.version))


def change_origins(ports: Ports, now: datetime, origins: list[str]) -> Profile:
    """Replaces the origins whose web pages may call the API. Raises `Invalid` unless all are origins."""
    _require_origins(origins)
    return _store_profile(ports, now, lambda before: before.but(allowed_origins=tuple(dict.fromkeys(origins))))


def store_with_event(ports: Ports, now: datetime, before: Settings, after: Settings) -> Settings:
    """Stores the settings with an event that names what changed, unless nothing did."""
    if after != before:
        ports.store.commit(settings_items.put_settings(after), *_change_events(ports, now, before, after))
    return after


def _store_profile(ports: Ports, now: datetime, changed: Callable[[Profile], Profile]) -> Profile:
    """As `store_with_event`, with what has become of the profile if others change it at the same time."""
    for attempt in attempts("the profile"):
        before = settings_items.profile(ports.store)
        after = changed(before)
        with attempt:
            if after != before:
                ports.store.commit(settings_items.put_profile(after), *_change_events(ports, now, before, after))
            return after
    raise AssertionError("unreachable: the last attempt raises")


def _change_events(ports: Ports, now: datetime, before: T, after: T) -> list[Write]:
    """The event that names the changed fields; none if they are all internal."""
    changed = {
        name: value for name, value in after.model_dump().items() if getattr(after, name) != getattr(before, name)
    }
    shown = {name: value for name, value in changed.items() if name not in _INTERNAL_FIELDS}
    return [put_event(settings_events.settings_changed(ports, shown, now))] if shown else []


def _valid(ports: Ports, before: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with the changes, which brought texts, as their types. Raises `Invalid`."""
    after = _changed(ports, before, changes)
    findings = _settings_findings(after, ports.public_url)
    if findings:
        raise Invalid("; ".join(f"{finding.item_id}: {finding.message}" for finding in findings), findings)
    return after.but(
        upstream=UpstreamName(after.upstream),
        access=Access(after.access),
        changed_transactions=ChangedTransactions(after.changed_transactions),
    )


def _changed(ports: Ports, before: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with the changes, and with what follows from them."""
    after = before.but(**changes)
    if "partner" in changes and "connection_limit" not in changes and changes["partner"] != before.partner:
        after = after.but(connection_limit=None if after.partner else Settings().connection_limit)
    if after.redirect_uri == f"{ports.public_url}{CALLBACK_PATH}":
        after = after.but(redirect_uri="")
    return after


def _require_length(field: str, text: str) -> None:
    if not 1 <= len(text) <= TEXT_LENGTH_MAX:
        raise Invalid.field(field, f"must have 1 to {TEXT_LENGTH_MAX} characters", "Length")


def _require_addresses(field: str, *urls: str) -> None:
    if not all(is_safe_address(url) for url in urls if url):
        raise Invalid.field(field, _URL_RULE, "Url")


def _require_redirect(profile: Profile) -> None:
    if profile.redirect_url and (rule := rule_broken_by(profile.redirect_url, profile.white_list_urls)):
        raise Invalid.field("redirectUrl", rule, "Url")


def _require_origins(origins: Collection[str]) -> None:
    _require_few("allowedOrigins", origins)
    for origin in origins:
        if not origin or origin_of(origin) != origin:
            rule = "must be origins as a browser sends them, such as https://app.example.com"
            raise Invalid.field("allowedOrigins", rule, "Origin")


def _require_colour(colour: str) -> None:
    if colour and not is_colour(colour):
        raise Invalid.field("colour", "must be a # and six hexadecimal digits, such as #3157d5", "Colour")
    if colour and contrast(colour, WHITE) < CONTRAST_MIN:
        ratio = f"{int(contrast(colour, WHITE) * 10) / 10} to 1, and {CONTRAST_MIN} to 1 is needed"
        rule = f"is too light to be read on white or under white text ({ratio}); {darkened(colour)} is dark enough"
        raise Invalid.field("colour", rule, "Contrast")


def _require_support(address: str) -> None:
    if address and not (is_safe_address(address) or is_mail_address(address)):
        raise Invalid.field("supportAddress", "must be an e-mail address or an https URL", "Address")


def _require_few(field: str, urls: Collection[str]) -> None:
    """All are in one item of the table."""
    if len(urls) > URLS_MAX or any(len(url) > URL_LENGTH_MAX for url in urls):
        rule = f"must have at most {URLS_MAX} entries, of at most {URL_LENGTH_MAX:,} characters"
        raise Invalid.field(field, rule, "MaximumLength")


def _settings_findings(settings: Settings, public_url: str) -> list[Finding]:
    """One finding for every rule that the settings break."""
    findings = []
    if settings.enabled and not settings.is_startable:
        rule = (
            "needs the app's keys, or Codat's API key; set them with PUT /integrations/gbol/credentials or "
            "…/credentials/codatKey first"
        )
        findings.append(_finding("enabled", rule, "Keys"))
    if settings.upstream not in list(UpstreamName):
        findings.append(_finding("upstream", f"must be {' or '.join(UpstreamName)}", "Enum"))
    if settings.access not in list(Access):
        findings.append(_finding("access", f"must be {' or '.join(Access)}", "Enum"))
    if settings.bank_feeds and settings.access == Access.ONE_OFF:
        findings.append(_finding("access", ONE_OFF_RULE, "BankFeeds"))
    if settings.changed_transactions not in list(ChangedTransactions):
        findings.append(_finding("changedTransactions", f"must be one of {', '.join(ChangedTransactions)}", "Enum"))
    if settings.feed_connections not in FEED_CONNECTIONS_VERSIONS:
        findings.append(_finding("feedConnections", "must be 1 or 2, the version of Xero's API", "Enum"))
    if len(settings.app_name) > TEXT_LENGTH_MAX:
        findings.append(_finding("appName", f"must have at most {TEXT_LENGTH_MAX} characters", "MaximumLength"))
    if "xero" in settings.app_name.casefold():
        rule = 'must not contain "Xero": Xero does not certify apps with its name in theirs'
        findings.append(_finding("appName", rule, "Name"))
    return findings + _page_findings(settings, public_url) + _limit_findings(settings)


def _page_findings(settings: Settings, public_url: str) -> list[Finding]:
    pages = {
        "companyUrl": settings.company_url,
        "privacyPolicyUrl": settings.privacy_policy_url,
        "termsUrl": settings.terms_url,
    }
    findings = [_finding(field, _URL_RULE, "Url") for field, url in pages.items() if url and not is_safe_address(url)]
    if settings.redirect_uri and (rule := _redirect_rule(settings.redirect_uri, public_url)):
        findings.append(_finding("redirectUri", rule, "Url"))
    missing = [field for field in ("privacyPolicyUrl", "termsUrl") if settings.partner and not pages[field]]
    return findings + [_finding(field, "is required for partners", "Required") for field in missing]


def _redirect_rule(uri: str, public_url: str) -> str:
    """The rule that a redirect URI breaks; empty if it breaks none.

    A cookie identifies the browser that comes back from Xero, so it must come back to the host that set the cookie.
    """
    if not is_safe_address(uri):
        return _URL_RULE
    parts = urlsplit(uri)
    if not parts.path.endswith(CALLBACK_PATH) or parts.query or parts.fragment:
        return f"must end with {CALLBACK_PATH}, where Feedlane receives Xero's answers"
    host = urlsplit(public_url).netloc
    return f"must be on Link's host, {host}" if host and parts.netloc != host else ""


def _limit_findings(settings: Settings) -> list[Finding]:
    findings = []
    if not DAILY_LIMIT_MIN <= settings.daily_limit <= DAILY_LIMIT_MAX:
        rule = (
            f"must be the number of calls a day that Xero allows per organisation, from {DAILY_LIMIT_MIN} to "
            f"{DAILY_LIMIT_MAX}: 1000 on the Starter tier, 5000 on the others, or as your contract says"
        )
        findings.append(_finding("dailyLimit", rule, "Range"))
    return findings + _connection_limit_findings(settings)


def _connection_limit_findings(settings: Settings) -> list[Finding]:
    if settings.partner and settings.connection_limit is not None:
        return [_finding("connectionLimit", "must be null: partners have no limit", "Range")]
    if not settings.partner and settings.connection_limit not in CONNECTION_LIMITS:
        tiers = ", ".join(map(str, CONNECTION_LIMITS))
        return [_finding("connectionLimit", f"must be one of {tiers}: only partners have no limit", "Enum")]
    return []


def _finding(field: str, message: str, validator: str) -> Finding:
    return Finding(item_id=field, message=message, validator=validator)
