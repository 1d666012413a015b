"""The set-up guide: for each upstream its steps, done by facts. What no setting says is remembered here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from feedlane.companies.connection import UpstreamName
from feedlane.record import Record
from feedlane.settings.settings import DEFAULT_NAME, Access, Profile, Settings
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put


class Guide(Record):
    """`access_chosen` and `limit_chosen`: whether somebody decided it, or it is only the default.

    `bank_feeds_granted` is Xero's last answer about the scope, `codat_ready` what Codat said when bank feeds were
    switched on through it; None: there was none.
    """

    access_chosen: bool = False
    limit_chosen: bool = False
    keys_checked_on: datetime | None = None
    bank_feeds_granted: bool | None = None
    bank_feeds_asked_on: datetime | None = None
    codat_ready: bool | None = None
    codat_asked_on: datetime | None = None


class StepState(StrEnum):
    TO_DO = "to do"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    number: int
    name: str
    title: str
    action: str
    """What its button in the overview of the steps says."""
    state: StepState

    @property
    def is_done(self) -> bool:
        return self.state is StepState.DONE


def guide(store: Store) -> Guide:
    return record_in(Guide, store.table.get(keys.GUIDE)) or Guide()


def put_guide(guide: Guide) -> Put:
    """The last writer wins: each only says what somebody has just done."""
    return Put(item_of(keys.GUIDE, guide))


def remember(store: Store, **facts: object) -> None:
    store.commit(put_guide(guide(store).but(**facts)))


def steps(
    settings: Settings, profile: Profile, guide: Guide, keys_rejected: bool, has_passed: bool | None
) -> list[Step]:
    """Those of the upstream that connections to come have.

    `keys_rejected`: whether it no longer knows the keys, and a hold says so. `has_passed`: how the last test of the
    integration ended; None if there was none, or it is under way.
    """
    is_enabled = settings.enabled
    has_face = _state(profile.name != DEFAULT_NAME)
    tested = _state(is_enabled and has_passed is True, failed=is_enabled and has_passed is False)
    if settings.is_direct:
        states = (*_at_xero(settings, guide, keys_rejected, has_face), tested)
    else:
        states = (*_at_codat(settings, keys_rejected), has_face, _bank_feeds(settings, guide.codat_ready), tested)
    named = _STEPS[UpstreamName(settings.upstream)]
    listed = [Step(number, *named[number - 1], state) for number, state in enumerate(states, 1)]
    if is_enabled:
        listed[-1] = replace(listed[-1], action="Test it")
    return listed


def step_names(upstream: UpstreamName) -> tuple[str, ...]:
    """In their order."""
    return tuple(name for name, _, _ in _STEPS[upstream])


def _at_xero(settings: Settings, guide: Guide, keys_rejected: bool, has_face: StepState) -> Sequence[StepState]:
    return (
        _state(bool(settings.app_name and settings.company_url)),
        _state(settings.has_keys and settings.keys_checked, failed=keys_rejected),
        _state(
            guide.access_chosen or settings.enabled, failed=settings.bank_feeds and settings.access is Access.ONE_OFF
        ),
        has_face,
        _bank_feeds(settings, guide.bank_feeds_granted),
        _state(settings.partner or guide.limit_chosen),
    )


def _at_codat(settings: Settings, key_rejected: bool) -> Sequence[StepState]:
    """Only Codat's portal shows the secret, once the endpoint is added there."""
    return (
        _state(bool(settings.codat.ending) and settings.codat.checked, failed=key_rejected),
        _state(bool(settings.codat.webhook_ending)),
    )


def _bank_feeds(settings: Settings, is_granted: bool | None) -> StepState:
    return _state(settings.bank_feeds, failed=settings.bank_feeds and is_granted is False)


def next_step(listed: list[Step]) -> Step | None:
    """What failed comes before what is to do. None if all is done."""
    failed = (step for step in listed if step.state is StepState.FAILED)
    return next(failed, None) or next((step for step in listed if not step.is_done), None)


def _state(is_done: bool, failed: bool = False) -> StepState:
    if failed:
        return StepState.FAILED
    return StepState.DONE if is_done else StepState.TO_DO


_FACE = ("face", "Your face in Link", "Say who you are")
_BANK_FEEDS = ("bank-feeds", "Bank feeds", "Switch bank feeds on")
_ENABLE = ("enable", "Enable, and test your integration", "Enable it")
_STEPS = {
    UpstreamName.XERO: (
        ("app", "Create a Xero app", "Create the app"),
        ("keys", "Retrieve the keys", "Enter the keys"),
        ("access", "Choose the access", "Choose the access"),
        _FACE,
        _BANK_FEEDS,
        ("partner", "App partner status", "Enter the partner status"),
        _ENABLE,
    ),
    UpstreamName.CODAT: (
        ("codat-key", "Codat’s API key", "Enter Codat’s API key"),
        ("codat-side", "Redirect and webhooks at Codat", "Tell Codat where you are"),
        _FACE,
        _BANK_FEEDS,
        _ENABLE,
    ),
}
# The choice between the two guides: no step of either, and always made.
UPSTREAM = "upstream"
STEP_NAMES = frozenset(name for steps in _STEPS.values() for name, _, _ in steps) | {UPSTREAM}
