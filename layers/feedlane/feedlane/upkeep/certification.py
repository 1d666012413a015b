"""Xero's checkpoints for a bank feeds app, run against this deployment: each with its evidence, or what is missing.

The checkpoints are those of Xero's review form as Codat's documentation lists them (`docs/xero-setup.md`). What a
reviewer must see with their own eyes stays for people: such a checkpoint says what to attach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from feedlane.companies import connection_limit
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.events import event as event_types
from feedlane.settings import guide as set_up
from feedlane.settings import items as settings_items
from feedlane.settings.guide import Guide
from feedlane.settings.settings import DEFAULT_NAME, OFFLINE_ACCESS, Access, Profile, Settings
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Index
from feedlane.upkeep.daily_round import RoundState
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer

# So many accounts are looked at: what is right for these is no matter of their number.
ACCOUNTS_READ_MAX = 25
# The daily round may begin late in one day and early in the next.
ROUND_WITHIN = timedelta(days=2)
CUSTOMERS_MIN = 3
# What a platform must hear of to tell its customers: refusals, and what is missing.
_TOLD = (event_types.HELD, event_types.WRITE_UNSUCCESSFUL, event_types.HOLE_FOUND)


class Verdict(StrEnum):
    SHOWN = "shown"
    MISSING = "missing"
    BY_HAND = "by hand"
    """Nothing is missing here, and the reviewer must be shown something."""


@dataclass
class Checkpoint:
    """`asks` is what Xero wants to see. `attach` is what a person has to add."""

    number: int
    title: str
    asks: str
    evidence: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    attach: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        if self.missing:
            return Verdict.MISSING
        return Verdict.BY_HAND if self.attach else Verdict.SHOWN

    def note(self, holds: bool, evidence: str, missing: str) -> None:
        if holds:
            self.evidence.append(evidence)
        else:
            self.missing.append(missing)


@dataclass(frozen=True)
class Facts:
    settings: Settings
    profile: Profile
    guide: Guide
    round: RoundState
    consumers: Sequence[Consumer]
    accounts: Sequence[SourceAccount]
    linked: int
    now: datetime

    @property
    def mapped(self) -> list[SourceAccount]:
        return [account for account in self.accounts if account.status is SourceAccountStatus.CONNECTED]


def facts(store: Store, now: datetime) -> Facts:
    """A bounded number of reads, however much there is."""
    accounts = store.table.query(keys.ACCOUNTS, limit=ACCOUNTS_READ_MAX, index=Index.LISTS)
    return Facts(
        settings=settings_items.settings(store),
        profile=settings_items.profile(store),
        guide=set_up.guide(store),
        round=record_in(RoundState, store.table.get(keys.ROUND)) or RoundState(),
        consumers=[consumer for consumer in webhook_items.consumers(store) if not consumer.disabled],
        accounts=[SourceAccount.model_validate(item) for item in accounts],
        linked=connection_limit.linked_count(store),
        now=now,
    )


def checkpoints(facts: Facts) -> list[Checkpoint]:
    """All eleven, in Xero's order."""
    listed = []
    for number, (title, asks, examine) in enumerate(_CHECKPOINTS, 1):
        checkpoint = Checkpoint(number, title, asks)
        examine(checkpoint, facts)
        listed.append(checkpoint)
    return listed


def _name(point: Checkpoint, facts: Facts) -> None:
    settings, profile = facts.settings, facts.profile
    point.note(
        bool(settings.app_name),
        f"The app is called “{settings.app_name}”. A name with “Xero” in it is refused.",
        "The app's name is not entered: step 1 of the set-up.",
    )
    point.note(
        profile.name != DEFAULT_NAME,
        f"Link shows the name “{profile.name}”.",
        "Link still shows the name Feedlane: step 4 of the set-up.",
    )
    point.note(
        bool(profile.support_address),
        f"Customers find help at {profile.support_address}.",
        "There is no support address: step 4 of the set-up.",
    )


def _branding(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append("Link's buttons use Xero's words: Connect to Xero, Disconnect from Xero.")
    point.evidence.append("Link shows no altered mark of Xero's, and the platform's own name and logo.")
    point.attach.append("A picture of Link's first page, and of the page in your product that leads to it.")


def _connections(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append("Link and the portal show the organisation's name and the connection's state in words.")
    point.evidence.append("Customers reconnect and disconnect in Link; the platform does so over the API too.")
    point.evidence.append("When a customer is deleted, the connection ends at Xero first, and then here.")
    _linked(point, facts)
    _rounds(point, facts, "A connection that ended at Xero is noticed by the daily round")


def _errors(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append("Each error page of Link says what happened, what to do, and leads on.")
    point.evidence.append("A refusal of Xero's is kept in Xero's words, with its type, title and detail.")
    point.attach.append("A picture of Link after a consent that was cancelled.")


def _offline(point: Checkpoint, facts: Facts) -> None:
    point.note(
        facts.settings.access is Access.CONTINUOUS,
        f"Access is continuous: Link asks for {OFFLINE_ACCESS}.",
        "Access is one-off: step 3 of the set-up.",
    )


def _limits(point: Checkpoint, facts: Facts) -> None:
    daily = f"{facts.settings.daily_limit:,}"
    point.evidence.append(
        f"For each tenant, at most 60 calls a minute, 5 at once and {daily} a day, across all functions."
    )
    point.evidence.append("Statements: at most 180 in any minute for the app. Every Retry-After is kept.")


def _scopes(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append(f"Link asks for these and no others: {' '.join(facts.settings.scopes)}.")
    point.note(
        facts.settings.bank_feeds,
        "Bank feeds are on.",
        "Bank feeds are off: step 5 of the set-up.",
    )
    asked = facts.guide.bank_feeds_asked_on
    point.note(
        facts.guide.bank_feeds_granted is True,
        f"Xero granted the scope bankfeeds when it was asked on {asked:%Y-%m-%d}." if asked else "",
        "Xero has not confirmed the scope bankfeeds: switch bank feeds on in step 5.",
    )


def _mapping(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append("In Link, customers map each source account to a bank account in Xero, or have one made.")
    point.note(
        bool(facts.mapped),
        f"Of the first {len(facts.accounts)} source accounts, {len(facts.mapped)} are mapped.",
        "No source account is mapped yet: try it with a test company.",
    )


def _bank(point: Checkpoint, facts: Facts) -> None:
    numbered = [account for account in facts.mapped if account.account_number]
    point.note(
        bool(numbered),
        f"{len(numbered)} mapped accounts have the number that Xero shows.",
        "No mapped account with a number is there to be shown.",
    )
    point.attach.append("A picture of such an account in Xero, with the bank's name and logo as you registered them.")


def _tokens(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append(
        "Tokens are refreshed one at a time, stored before they are used, and kept in Secrets Manager."
    )
    _rounds(point, facts, "Idle tokens are refreshed by the daily round")


def _missed(point: Checkpoint, facts: Facts) -> None:
    point.evidence.append("A rejected statement holds its feed; after the release, everything is sent in order.")
    point.evidence.append("What is missing is shown as a gap, and can be sent later.")
    told = [one for one in facts.consumers if not one.event_types or set(_TOLD) <= set(one.event_types)]
    names = ", ".join(_TOLD)
    point.note(
        bool(told),
        f"{len(told)} webhook consumers are told of {names}.",
        f"No webhook consumer is told of {names}: add one, so that you can tell your customers.",
    )


def _linked(point: Checkpoint, facts: Facts) -> None:
    linked = facts.linked
    point.note(
        linked >= CUSTOMERS_MIN,
        f"{linked:,} organisations are connected.",
        f"{linked} of the {CUSTOMERS_MIN} organisations that Xero wants to see active within 30 days are connected.",
    )


def _rounds(point: Checkpoint, facts: Facts, what: str) -> None:
    state = facts.round
    ran_lately = bool(state.day) and facts.now - _begun(state, facts.now) < ROUND_WITHIN
    point.note(ran_lately, f"{what}, last on {state.day}.", f"{what}, which has not run lately: look at the alarms.")


def _begun(state: RoundState, now: datetime) -> datetime:
    return datetime.fromisoformat(state.day).replace(tzinfo=now.tzinfo)


_CHECKPOINTS: tuple[tuple[str, str, Callable[[Checkpoint, Facts], None]], ...] = (
    ("Name and support", "The app's name does not contain “Xero”, and customers find support.", _name),
    ("Branding", "Xero's brand is used as its guidelines say, with its Connect and Disconnect buttons.", _branding),
    (
        "Connections",
        "Customers see the organisation's name and status, can reconnect and disconnect; an end at Xero is noticed.",
        _connections,
    ),
    ("Errors", "Customers are told what went wrong, and what to do.", _errors),
    ("Offline access", "The app works while the customer is away.", _offline),
    ("Rate limits", "The app keeps Xero's limits.", _limits),
    ("Scopes", "The app asks for no more than it needs.", _scopes),
    ("Account mapping", "Customers choose which bank account is fed.", _mapping),
    ("The bank in Xero", "Bank name, logo and account number are right in Xero.", _bank),
    ("Tokens", "Tokens are refreshed on a schedule.", _tokens),
    ("Missed and rejected statements", "They are handled and made good, and the user is told.", _missed),
)
