"""Link's states as items. DynamoDB deletes them when they expire."""

from __future__ import annotations

from feedlane.ids import fingerprint
from feedlane.link.state import LINK_STATE_RETENTION, LinkState, UsedState
from feedlane.store import keys
from feedlane.store.due import LATE_AFTER, Kind, due_keys
from feedlane.store.records import add_record, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Put, When, Write


def add_state(state: LinkState) -> Put:
    """Listed in the due index until it is used or reported."""
    due = due_keys(Kind.LINK_START, state.fingerprint, state.expires + LATE_AFTER)
    expires_at = expiry(state.expires, LINK_STATE_RETENTION)
    return add_record(keys.state(state.fingerprint), state, expires_at=expires_at, **due)


def find_state(store: Store, state: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprint(state))))


def find_state_by_fingerprint(store: Store, state_fingerprint: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(state_fingerprint)))


def mark_state_reported(state: LinkState) -> Put:
    """The write fails if the state has been used or reported."""
    reported = state.but(reported=True, verifier="")
    item = item_of(keys.state(state.fingerprint), reported, expires_at=expiry(state.expires, LINK_STATE_RETENTION))
    return Put(item, When(equal={"used": False, "reported": False}))


def use_state(store: Store, state: LinkState, *also: Write) -> None:
    """Commits the use of the state together with `also`. Raises `UsedState` for all callers but the first.

    Raises `ConditionFailed` if only one of `also` failed.
    """
    key = keys.state(state.fingerprint)
    item = item_of(key, state.but(used=True, verifier=""), expires_at=expiry(state.expires, LINK_STATE_RETENTION))
    try:
        store.commit(Put(item, When(equal={"used": False})), *also)
    except ConditionFailed as failed:
        if also and key not in failed.keys:
            raise
        raise UsedState("The state has been used", state) from None
