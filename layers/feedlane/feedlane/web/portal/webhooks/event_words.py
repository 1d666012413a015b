"""Events in words for people: what happened, to whom, and the page of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from feedlane.companies.company import Company
from feedlane.companies.connection import UpstreamName
from feedlane.events import event as events
from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.web.portal.holds.hold_words import words_of
from feedlane.web.portal.states import Tone

_GOOD, _WARN, _BAD, _PLAIN = Tone.GOOD, Tone.WARN, Tone.BAD, Tone.PLAIN
_WORDS = {
    events.COMPANY_CREATED: ("Company created", _PLAIN),
    events.COMPANY_DELETED: ("Company deleted", _PLAIN),
    events.CONNECTION_CREATED: ("Connection created", _PLAIN),
    events.CONNECTION_CONNECTED: ("Connected to Xero", _GOOD),
    events.CONNECTION_DISCONNECTED: ("Disconnected from Xero", _WARN),
    events.CONNECTION_RECONNECTED: ("Reconnected to Xero", _GOOD),
    events.CONNECTION_FAILED: ("The customer could not connect", _WARN),
    events.CONNECTION_DELETED: ("Connection deleted", _PLAIN),
    events.SOURCE_ACCOUNT_CONNECTED: ("Account connected", _GOOD),
    events.SOURCE_ACCOUNT_DISCONNECTED: ("Account disconnected", _WARN),
    events.HELD: ("Held", _BAD),
    events.RELEASED: ("Released", _GOOD),
    events.GAP_FOUND: ("Gap found: transactions may be missing", _WARN),
    events.HOLE_FOUND: ("A refused push left transactions missing", _BAD),
    events.HOLE_MENDED: ("What a refused push left missing has come", _GOOD),
    events.STATEMENT_STUCK: ("A statement is in doubt", _BAD),
    events.STATEMENT_RESOLVED: ("A statement in doubt was resolved", _GOOD),
    events.CONNECTION_NEEDS_RECONNECTION: ("The customer has to reconnect", _BAD),
    events.CONNECTION_RECOVERED: ("The connection works again", _GOOD),
    events.CONNECTION_UPSTREAM_CHANGE: ("The way to Xero is being changed", _PLAIN),
    events.AUTHORIZATION_UNANSWERED: ("Customers start to connect, and do not come back", _WARN),
    events.CONNECTION_LIMIT_REACHED: ("The limit of connected organisations is reached", _BAD),
    events.DAILY_LIMIT_REACHED: ("Xero’s daily limit is reached", _WARN),
    events.SETTINGS_CHANGED: ("Settings changed", _PLAIN),
    events.CONSUMER_DISABLED: ("A webhook was disabled", _BAD),
}
# Of those that are not noted: there is one for each push.
_WORDS_OF_PUSHES = {
    events.WRITE_SUCCESSFUL: "Push delivered",
    events.WRITE_UNSUCCESSFUL: "Push failed",
    events.TEST: "Test",
}
# How a form groups the types, by the first part of their names; what is in none of these comes last.
_GROUPS = {
    "company": "Companies",
    "connection": "Connections",
    "bankTransactions": "Transactions",
    "bankFeeds": "Accounts and feeds",
}
# Settings whose names do not say it.
_SETTINGS = {
    "clientId": "client ID",
    "clientSecretEnding": "client secret",
    "secondSecretEnding": "second secret",
    "keysChecked": "check of the keys",
    "companyUrl": "company URL",
    "privacyPolicyUrl": "privacy policy",
    "termsUrl": "terms",
    "logoUrl": "logo",
    "iconUrl": "icon",
    "redirectUri": "redirect URI",
    "signInUrl": "sign-in URL",
    "pkce": "PKCE",
}
_CAPITAL = re.compile("[A-Z]")
_LAST_GROUP = "Limits, settings and webhooks"
# Of connections that go through Codat, where it is said otherwise.
_WORDS_AT_CODAT = {
    events.CONNECTION_CONNECTED: ("Connected through Codat", _GOOD),
    events.CONNECTION_DISCONNECTED: ("Disconnected at Codat", _WARN),
    events.CONNECTION_RECONNECTED: ("Reconnected through Codat", _GOOD),
}


@dataclass(frozen=True)
class EventRow:
    """`detail` says more than `words`, where the event does; `path` leads to what it is about, empty if nowhere."""

    event: Event
    words: str
    detail: str
    tone: Tone
    company: Company | None
    path: str

    @property
    def time(self) -> datetime:
        return self.event.time


@dataclass(frozen=True)
class TypeGroup:
    """Types of events with what each is called, under a common name."""

    name: str
    types: Sequence[tuple[str, str]]


def type_groups(types: Iterable[str]) -> list[TypeGroup]:
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in (*_GROUPS.values(), _LAST_GROUP)}
    for type in types:
        words = _WORDS[type][0] if type in _WORDS else _WORDS_OF_PUSHES.get(type, type)
        groups[_GROUPS.get(type.partition(".")[0], _LAST_GROUP)].append((type, words))
    return [TypeGroup(name, listed) for name, listed in groups.items() if listed]


def event_rows(store: Store, listed: Sequence[Event]) -> list[EventRow]:
    """One for each, from one read."""
    ids = dict.fromkeys(event.company_id for event in listed if event.company_id)
    found = store.table.get_many(keys.company(id) for id in ids)
    companies = {company.id: company for company in map(Company.model_validate, found.values())}
    return [_row(event, companies.get(event.company_id or "")) for event in listed]


def _row(event: Event, company: Company | None) -> EventRow:
    connection = event.payload.get("connection")
    is_at_codat = isinstance(connection, Mapping) and connection.get("upstream") == UpstreamName.CODAT
    words, tone = (is_at_codat and _WORDS_AT_CODAT.get(event.type)) or _WORDS.get(event.type, (event.type, _PLAIN))
    return EventRow(event, words, _detail(event), tone, company, _path(event, company))


def _detail(event: Event) -> str:
    payload: Mapping[str, Any] = event.payload
    match event.type:
        case events.HELD | events.RELEASED:
            return words_of(str(payload.get("reason", ""))).meaning
        case events.CONSUMER_DISABLED:
            return str(payload.get("url", ""))
        case events.SETTINGS_CHANGED:
            changed = payload.get("changed")
            return ", ".join(dict.fromkeys(map(setting_words, changed))) if isinstance(changed, list) else ""
        case events.SOURCE_ACCOUNT_CONNECTED | events.SOURCE_ACCOUNT_DISCONNECTED:
            account = payload.get("sourceAccount")
            return str(account.get("accountName") or account.get("id")) if isinstance(account, Mapping) else ""
    return ""


def setting_words(name: str) -> str:
    """What a setting is called on the pages: `connectionLimit` is the connection limit."""
    return _SETTINGS.get(name) or _CAPITAL.sub(lambda letter: f" {letter[0].lower()}", str(name))


def _path(event: Event, company: Company | None) -> str:
    payload: Mapping[str, Any] = event.payload
    if event.type == events.CONSUMER_DISABLED:
        return f"/portal/webhooks/{quote(str(payload.get('consumerId', '')), safe='')}"
    if event.type == events.HELD:
        return f"/portal/holds?q={quote(str(payload.get('holdId', '')), safe='')}"
    if event.type == events.SETTINGS_CHANGED:
        return "/portal/settings"
    return f"/portal/companies/{company.id}" if company else ""
