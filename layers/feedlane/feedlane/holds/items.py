"""How holds are kept, and the conditions that other commits place on them."""

from __future__ import annotations

from collections.abc import Iterable

from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import add_record, item_of
from feedlane.store.store import Store
from feedlane.store.table import Add, Delete, Put, When


def holds_on(store: Store, subjects: Iterable[tuple[Scope, str]]) -> list[Hold]:
    """The holds on any of these, in the order of the question (the widest first, as `hold.subjects` asks)."""
    wanted = [keys.hold(scope, subject) for scope, subject in subjects]
    found = store.table.get_many(wanted)
    return [Hold.model_validate(found[key]) for key in wanted if key in found]


def holds(store: Store) -> list[Hold]:
    return [Hold.model_validate(item) for item in store.table.query(keys.HOLDS, index=True)]


def add_hold(hold: Hold) -> Put:
    return add_record(keys.hold(hold.scope, hold.subject), hold, **_hold_index_keys(hold))


def replace_hold(standing: Hold, hold: Hold) -> Put:
    """Another reason on the same subject. Fails if the release of the one that stands has begun."""
    item = item_of(keys.hold(hold.scope, hold.subject), hold, **_hold_index_keys(hold))
    return Put(item, When(equal={"id": standing.id, "releasing": False}))


def mark_releasing(hold: Hold) -> Put:
    """Its release begins. Fails if it has begun, or the hold is lifted."""
    item = item_of(keys.hold(hold.scope, hold.subject), hold.but(releasing=True), **_hold_index_keys(hold))
    return Put(item, When(equal={"id": hold.id, "releasing": False}))


def advance_release(hold: Hold, after: str, released: int) -> Put:
    """Its release has come so far. Fails if somebody else has brought it on, or to its end."""
    moved = hold.but(release_after=after, released=released)
    return Put(item_of(keys.hold(hold.scope, hold.subject), moved, **_hold_index_keys(hold)), _release_unchanged(hold))


def finish_release(hold: Hold) -> Delete:
    """Fails as well if somebody else has brought its release on, or to its end."""
    return Delete(keys.hold(hold.scope, hold.subject), _release_unchanged(hold))


def remove_hold(hold: Hold) -> Delete:
    """Whatever has happened on its account."""
    return Delete(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id}))


def lift_hold(hold: Hold) -> Delete:
    """Fails if an operation has failed on its account since it was read."""
    return Delete(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id, "noticed": hold.noticed}))


def _release_unchanged(hold: Hold) -> When:
    return When(equal={"id": hold.id, "releasing": True, "release_after": hold.release_after})


def _hold_index_keys(hold: Hold) -> dict[str, str]:
    return {"gsi1pk": keys.HOLDS, "gsi1sk": hold.id}


def still_standing(hold: Hold) -> Add:
    """The condition that the hold is still there, and that its release has not begun, for a commit on its account.

    Counted, so that no release passes at the same moment that has not seen what the commit did.
    """
    return Add(keys.hold(hold.scope, hold.subject), "noticed", 1, when=When(equal={"id": hold.id, "releasing": False}))
