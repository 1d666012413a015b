"""How holds are kept, and the conditions that commits place on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from feedlane.clock import iso
from feedlane.errors import NotFound
from feedlane.holds.counts import count_changes
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys, next_look
from feedlane.store.records import add_record, item_of
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Add, Condition, Delete, Index, Item, Put, When, Write

_HOLD_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def holds_on(store: Store, subjects: Iterable[tuple[Scope, str]]) -> list[Hold]:
    """The holds on any of the subjects, in their order (`Feed.hold_subjects` has the widest first)."""
    hold_keys = [keys.hold(scope, subject) for scope, subject in subjects]
    items = store.table.get_many(hold_keys)
    return [Hold.model_validate(items[key]) for key in hold_keys if key in items]


def find_hold(store: Store, scope: Scope, subject: str) -> Hold | None:
    """The hold on this subject alone; wider ones may stop it too."""
    return next(iter(holds_on(store, [(scope, subject)])), None)


def holds_of_feed(store: Store, feed_id: str) -> list[Hold]:
    """The hold on this feed alone, if there is one; wider ones may stop it too."""
    return holds_on(store, [(Scope.FEED, feed_id)])


def holds(store: Store, after: str = "", limit: int | None = None) -> list[Hold]:
    """The holds in the order of their ids, after the hold `after`. The list is slightly behind the table."""
    # A space sorts after nothing.
    items = store.table.query(keys.HOLDS, start=f"{after} " if after else None, limit=limit, index=Index.LISTS)
    return [Hold.model_validate(item) for item in items]


def find_holds(store: Store, hold_ids: Iterable[str]) -> list[Hold]:
    """Those that stand, in the order of `hold_ids`. One query for each: for the few that somebody names."""
    found = []
    for hold_id in dict.fromkeys(hold_ids):
        with suppress(NotFound):
            found.append(hold_by_id(store, hold_id))
    return found


def hold_by_id(store: Store, hold_id: str) -> Hold:
    """Raises `NotFound`, also for what can be no id: people may send anything."""
    if not _HOLD_ID.fullmatch(hold_id):
        raise NotFound("hold", hold_id)
    for item in store.table.query(keys.HOLDS, start=hold_id, end=hold_id, index=Index.LISTS):
        return Hold.model_validate(item)
    raise NotFound("hold", hold_id)


def add_hold(hold: Hold) -> list[Write]:
    """Places it. Like all that changes how many holds there are, it counts it in the same commit."""
    placed = add_record(keys.hold(hold.scope, hold.subject), hold, **_hold_index_keys(hold))
    return [placed, _in_reason(hold), *count_changes([hold], [])]


def replace_hold(standing: Hold, hold: Hold) -> list[Write]:
    """Another reason on the same subject. Fails if the release of the standing one has begun."""
    item = item_of(keys.hold(hold.scope, hold.subject), hold, **_hold_index_keys(hold))
    replaced = Put(item, When(equal={"id": standing.id, "releasing": False}))
    return [replaced, _in_reason(hold), *count_changes([hold], [standing])]


def mark_releasing(hold: Hold, now: datetime) -> Put:
    """Begins its release, by whom `hold` says. Fails if that has begun, or the hold is lifted."""
    item = _releasing_item(hold.but(releasing=True), now)
    return Put(item, When(equal={"id": hold.id, "releasing": False}))


def advance_release(hold: Hold, after: str, released: int, now: datetime) -> Put:
    """Records how far its release has come. Fails if another invocation has continued or finished it."""
    return Put(_releasing_item(hold.but(release_after=after, released=released), now), _release_unchanged(hold))


def finish_release(hold: Hold) -> list[Write]:
    """Lifts it at the end of its release. Fails if another invocation has continued or finished that."""
    return _removal(hold, _release_unchanged(hold))


def remove_holds(holds: Sequence[Hold]) -> list[Write]:
    """Removes them, whichever operations have failed because of them."""
    deletes: list[Write] = []
    for hold in holds:
        deletes.append(Delete(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id})))
        deletes.append(Delete(keys.hold_of_reason(hold.scope, hold.subject)))
    return [*deletes, *count_changes([], holds)]


def remove_any_hold(store: Store, scope: Scope, subject: str) -> list[Write]:
    """For the commit that deletes the subject: removes its hold, or fails if one is placed at the same moment."""
    hold = find_hold(store, scope, subject)
    return remove_holds([hold]) if hold else [Condition(keys.hold(scope, subject), ABSENT)]


def lift_hold(hold: Hold) -> list[Write]:
    """Lifts it. Fails if an operation has failed because of it since it was read: the release would miss that one."""
    return _removal(hold, When(equal={"id": hold.id, "noticed": hold.noticed}))


def still_standing(hold: Hold) -> Add:
    """The condition of a commit made because of the hold: that it stands, and its release has not begun.

    It also counts, so that a concurrent release fails if it has not seen what the commit did.
    """
    return Add(keys.hold(hold.scope, hold.subject), "noticed", 1, when=When(equal={"id": hold.id, "releasing": False}))


def _removal(hold: Hold, when: When) -> list[Write]:
    removed = Delete(keys.hold(hold.scope, hold.subject), when)
    return [removed, Delete(keys.hold_of_reason(hold.scope, hold.subject)), *count_changes([], [hold])]


def _in_reason(hold: Hold) -> Put:
    """Its place among the holds of its reason: the oldest come first."""
    pk, sk = keys.hold_of_reason(hold.scope, hold.subject)
    index_keys = {"gsi1pk": keys.holds_of_reason(hold.reason), "gsi1sk": f"{iso(hold.since)}#{hold.id}"}
    return Put({"pk": pk, "sk": sk, "scope": hold.scope.value, "subject": hold.subject, **index_keys})


def _release_unchanged(hold: Hold) -> When:
    return When(equal={"id": hold.id, "releasing": True, "release_after": hold.release_after})


def _releasing_item(hold: Hold, now: datetime) -> Item:
    """In the due index until the release has ended, which removes the hold."""
    due = due_keys(Kind.HOLD, hold.id, next_look(now))
    return item_of(keys.hold(hold.scope, hold.subject), hold, **_hold_index_keys(hold), **due)


def _hold_index_keys(hold: Hold) -> dict[str, str]:
    return {"gsi1pk": keys.HOLDS, "gsi1sk": hold.id}
