"""Link's states and the sessions of Link and the portal as items. DynamoDB removes them when their time is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from feedlane.clock import epoch
from feedlane.ids import fingerprint
from feedlane.link_state import KEPT, LinkState, UsedState
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import created, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Delete, Put, When, Write

S = TypeVar("S", bound=Record)


def add_state(state: LinkState) -> Put:
    return created(keys.state(state.fingerprint), state, expires_at=expiry(state.expires, KEPT))


def find_state(store: Store, state: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprint(state))))


def state_of(store: Store, fingerprinted: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprinted)))


def report_state(state: LinkState) -> Put:
    """Fails if the state is used or reported by now."""
    done = state.but(reported=True, verifier="")
    item = item_of(keys.state(state.fingerprint), done, expires_at=expiry(state.expires, KEPT))
    return Put(item, When(equal={"used": False, "reported": False}))


def use_state(store: Store, state: LinkState, *also: Write) -> None:
    """Together with `also`. Raises `UsedState` for all but the first of any number of callers.

    Raises `ConditionFailed` if only one of `also` failed.
    """
    key = keys.state(state.fingerprint)
    item = item_of(key, state.but(used=True, verifier=""), expires_at=expiry(state.expires, KEPT))
    try:
        store.commit(Put(item, When(equal={"used": False})), *also)
    except ConditionFailed as failed:
        if also and key not in failed.keys:
            raise
        raise UsedState("The state has been used", state) from None


def put_session(secret: str, session: Record, now: datetime, lasts: timedelta) -> Put:
    """`secret` is the cookie's value."""
    kind = type(session).__name__
    return Put(item_of(keys.session(fingerprint(secret)), session, kind=kind, expires_at=expiry(now, lasts)))


def find_session(store: Store, model: type[S], secret: str | None, now: datetime) -> S | None:
    """The session of this kind, unless it is over: DynamoDB may be days late to remove it."""
    item = store.table.get(keys.session(fingerprint(secret))) if secret else None
    if item is None or item["kind"] != model.__name__ or item["expires_at"] <= epoch(now):
        return None
    return record_in(model, item)


def remove_session(secret: str) -> Delete:
    return Delete(keys.session(fingerprint(secret)))
