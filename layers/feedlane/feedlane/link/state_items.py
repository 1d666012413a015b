"""Link's states as items. DynamoDB deletes them when they expire."""

from __future__ import annotations

from feedlane.ids import fingerprint
from feedlane.link.choice import OrganisationChoice
from feedlane.link.state import LINK_STATE_RETENTION, LinkState
from feedlane.store import keys
from feedlane.store.records import add_record, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put, When


def add_state(state: LinkState) -> Put:
    return add_record(keys.state(state.fingerprint), state, expires_at=expiry(state.expires, LINK_STATE_RETENTION))


def find_state(store: Store, state: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(fingerprint(state))))


def find_state_by_fingerprint(store: Store, state_fingerprint: str) -> LinkState | None:
    return record_in(LinkState, store.table.get(keys.state(state_fingerprint)))


def mark_state_used(state: LinkState, code: str = "", choice: OrganisationChoice | None = None) -> Put:
    """The write fails if the state has been used. `code` is the code's fingerprint, if its consent has ended well."""
    used = state.but(used=True, verifier="", code=code, choice=choice)
    item = item_of(keys.state(state.fingerprint), used, expires_at=expiry(state.expires, LINK_STATE_RETENTION))
    return Put(item, When(equal={"used": False}))
