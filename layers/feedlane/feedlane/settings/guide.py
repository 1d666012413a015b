"""The set-up guide: seven steps, each done by facts. What no setting says is remembered here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from feedlane.record import Record
from feedlane.settings.settings import DEFAULT_NAME, Access, Profile, Settings
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put


class Guide(Record):
    """`access_chosen` and `limit_chosen`: whether somebody decided it, or it is only the default.

    `bank_feeds_granted` is Xero's last answer about the scope; None: there was none.
    """

    access_chosen: bool = False
    limit_chosen: bool = False
    keys_checked_on: datetime | None = None
    bank_feeds_granted: bool | None = None
    bank_feeds_asked_on: datetime | None = None


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
    """`keys_rejected`: whether Xero no longer knows the keys, and a hold says so.

    `has_passed`: how the last test of the integration ended; None if there was none, or it is under way.
    """
    is_enabled = settings.enabled
    states = (
        _state(bool(settings.app_name and settings.company_url)),
        _state(settings.has_keys and settings.keys_checked, failed=keys_rejected),
        _state(guide.access_chosen or is_enabled, failed=settings.bank_feeds and settings.access is Access.ONE_OFF),
        _state(profile.name != DEFAULT_NAME),
        _state(settings.bank_feeds, failed=settings.bank_feeds and guide.bank_feeds_granted is False),
        _state(settings.partner or guide.limit_chosen),
        _state(is_enabled and has_passed is True, failed=is_enabled and has_passed is False),
    )
    listed = [Step(number, *_STEPS[number - 1], state) for number, state in enumerate(states, 1)]
    if is_enabled:
        listed[-1] = replace(listed[-1], action="Test it")
    return listed


def next_step(listed: list[Step]) -> Step | None:
    """What failed comes before what is to do. None if all is done."""
    failed = (step for step in listed if step.state is StepState.FAILED)
    return next(failed, None) or next((step for step in listed if not step.is_done), None)


def _state(is_done: bool, failed: bool = False) -> StepState:
    if failed:
        return StepState.FAILED
    return StepState.DONE if is_done else StepState.TO_DO


_STEPS = (
    ("app", "Create a Xero app", "Create the app"),
    ("keys", "Retrieve the keys", "Enter the keys"),
    ("access", "Choose the access", "Choose the access"),
    ("face", "Your face in Link", "Say who you are"),
    ("bank-feeds", "Bank feeds", "Switch bank feeds on"),
    ("partner", "App partner status", "Enter the partner status"),
    ("enable", "Enable, and test your integration", "Enable it"),
)
STEP_NAMES = frozenset(name for name, _, _ in _STEPS)
