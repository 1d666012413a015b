"""What needs the operator: a few lines, the most urgent first, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from feedlane.scope import Scope
from feedlane.settings.settings import Settings
from feedlane.upkeep.dead_letter_count import DeadLetterCount
from feedlane.web.filters import counted
from feedlane.web.portal.feeds.feeds import feed_path
from feedlane.web.portal.holds.held import HoldGroup
from feedlane.web.portal.need_facts import READ_MAX, LackingFeeds, Unrenewed
from feedlane.web.portal.states import Tone
from feedlane.webhooks.consumer import Consumer

NEEDS_MAX = 5
# From so much of the limit on, there is time to ask Xero for more.
LIMIT_NEAR_PERCENT = 90


@dataclass(frozen=True)
class Need:
    """`since`: how long it has been so. `path` leads to where `action` is done."""

    tone: Tone
    text: str
    action: str
    path: str
    since: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """What the lines are made of. `connected` of `limit` organisations; None: no limit."""

    settings: Settings
    groups: Sequence[HoldGroup]
    consumers: Sequence[Consumer]
    connected: int
    limit: int | None
    letters: DeadLetterCount
    gaps: LackingFeeds | None
    holes: LackingFeeds | None
    unrenewed: Unrenewed | None


def needs(facts: Facts) -> list[Need]:
    """At most `NEEDS_MAX`. First what stops everything, what a customer's consent depends on, and what may be lost."""
    lines = (
        *_held(facts.groups, is_wide=True),
        *_unrenewed(facts.unrenewed),
        *_letters(facts.letters),
        *_set_up(facts.settings),
        *_limit(facts.connected, facts.limit),
        *_held(facts.groups, is_wide=False),
        *_lacking(facts.holes, "Transactions of a refused push are missing", "See which", "hole"),
        *_disabled(facts.consumers),
        *_lacking(facts.gaps, "Transactions may be missing", "See the gaps", "gap"),
        *_failing(facts.consumers),
    )
    return list(islice(lines, NEEDS_MAX))


def limit_tone(connected: int, limit: int | None) -> Tone:
    """How near the limit of connected organisations is."""
    if not limit or connected * 100 < limit * LIMIT_NEAR_PERCENT:
        return Tone.PLAIN
    return Tone.BAD if connected >= limit else Tone.WARN


def _held(groups: Sequence[HoldGroup], is_wide: bool) -> Iterator[Need]:
    """A hold of the app stops everything; the others come after what keeps customers from connecting."""
    for group in groups:
        oldest = group.oldest
        if oldest is not None and (oldest.scope is Scope.APP) is is_wide:
            path = f"/portal/holds?{urlencode({'reason': group.reason})}"
            yield Need(Tone.BAD, f"{group.subject} held: {group.words.meaning}", "See what to do", path, oldest.since)


def _unrenewed(found: Unrenewed | None) -> Iterator[Need]:
    """Xero honours a refresh token that it has replaced for half an hour."""
    if found is not None:
        whose = f" of {_name(found.company.name)}" if found.company else ""
        rest = _and_others(found.count, "other", found.count >= READ_MAX)
        text = f"The access to Xero{whose}{rest} could not be renewed. The watch tries again every ten minutes"
        if found.company and not rest:
            yield Need(Tone.BAD, text, "See the company", f"/portal/companies/{found.company.id}")
        else:
            yield Need(Tone.BAD, text, "Test the integration", "/portal/set-up/test")


def _letters(letters: DeadLetterCount) -> Iterator[Need]:
    if letters.total:
        text = f"{counted(letters.total, 'message')} could not be processed and {_are(letters.total)} kept"
        yield Need(Tone.BAD, text, "See why", "/portal/dead-letters", letters.since)


def _lacking(found: LackingFeeds | None, meaning: str, action: str, state: str) -> Iterator[Need]:
    """`state`: of the feeds in their list."""
    if found is not None:
        account, company = found.account, found.company
        whose = f" of {_name(company.name)}" if company else ""
        rest = _and_others(found.count, "other feed", found.is_partial)
        if found.is_partial and not rest:
            rest = ", and perhaps in others"
        path = f"/portal/feeds?state={state}" if rest else feed_path(account.connection_id, account.id)
        text = f"{meaning} in {_name(account.account_name or account.id)}{whose}{rest}"
        yield Need(Tone.WARN, text, action, path, found.since)


def _name(text: str) -> str:
    """What people have named, in marks that keep its direction from the sentence around it."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def _and_others(count: int, noun: str, is_partial: bool) -> str:
    at_least = "at least " if is_partial else ""
    return f" and {at_least}{counted(count - 1, noun)}" if count > 1 else ""


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _set_up(settings: Settings) -> Iterator[Need]:
    if not settings.enabled:
        yield Need(Tone.WARN, "The set-up is not finished: customers cannot connect", "Go on", "/portal/set-up")


def _limit(connected: int, limit: int | None) -> Iterator[Need]:
    tone = limit_tone(connected, limit)
    if tone is not Tone.PLAIN:
        text = "No more organisations can connect" if tone is Tone.BAD else "The limit of organisations is near"
        yield Need(tone, f"{text}: {connected:,} of {limit:,}", "See how to raise it", "/portal/settings/access")


def _disabled(consumers: Sequence[Consumer]) -> Iterator[Need]:
    stopped = [one for one in consumers if one.disabled and one.disabled_because != "asked"]
    for consumer in stopped[:1]:
        rest = f" and {counted(len(stopped) - 1, 'other')}" if stopped[1:] else ""
        path = "/portal/webhooks?state=disabled" if rest else f"/portal/webhooks/{consumer.id}"
        yield Need(Tone.BAD, f"Webhooks are no longer sent to {consumer.url}{rest}", "Enable it again", path)


def _failing(consumers: Sequence[Consumer]) -> Iterator[Need]:
    failing = [one for one in consumers if one.failing_since and not one.disabled]
    for consumer in sorted(failing, key=lambda one: str(one.failing_since))[:1]:
        rest = f" and {counted(len(failing) - 1, 'other')}" if failing[1:] else ""
        path = "/portal/webhooks?state=failing" if rest else f"/portal/webhooks/{consumer.id}"
        text = f"Deliveries fail to {consumer.url}{rest}"
        yield Need(Tone.WARN, text, "See the deliveries", path, consumer.failing_since)
