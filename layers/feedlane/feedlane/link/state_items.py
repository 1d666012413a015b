"""Link's states and the sessions of Link and the portal as items. DynamoDB removes them when their time is over."""

from __future__ import annotations

from typing import TypeVar

from feedlane.ids import fingerprint
from feedlane.link.state import LINK_STATE_RETENTION, LinkState, UsedState
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import add_record, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Put, When, Write

S = TypeVar("S", bound=Record)


def add_state(state: LinkState) -> Put:
    return add_record(keys.state(state.fingerprint), state, expires_at=expiry(state.expires, LINK_STATE_RETENTION))


def find_state(store: Store, state: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprint(state))))


def find_state_by_fingerprint(store: Store, fingerprinted: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprinted)))


def mark_state_reported(state: LinkState) -> Put:
    """Fails if the state is used or reported by now."""
    done = state.but(reported=True, verifier="")
    item = item_of(keys.state(state.fingerprint), done, expires_at=expiry(state.expires, LINK_STATE_RETENTION))
    return Put(item, When(equal={"used": False, "reported": False}))


def use_state(store: Store, state: LinkState, *also: Write) -> None:
    """Together with `also`. Raises `UsedState` for all but the first of any number of callers.

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
