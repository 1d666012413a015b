"""How many holds there are is counted in the commits that place, replace and lift them, whatever places them."""

from __future__ import annotations

from feedlane.holds import history
from feedlane.holds import items as hold_items
from feedlane.holds.counts import connections_with_held_feeds, hold_counts
from feedlane.holds.hold import Hold
from feedlane.holds.release import release
from feedlane.scope import Scope
from feedlane.store.store import Store
from tests import builders
from tests.builders import NOW
from tests.fakes.table import MemoryTable


def _hold(number: int, reason: str = "refused", connection_id: str = "c") -> Hold:
    fields = {"id": f"hold-{number}", "reason": reason, "connection_id": connection_id}
    return builders.hold(Scope.FEED, f"{connection_id}/{number}", **fields)


def test_they_are_counted_by_reason_and_by_connection() -> None:
    store = Store(MemoryTable())
    holds = [_hold(number, "refused" if number % 3 else "account-archived", f"c{number % 2}") for number in range(300)]
    for hold in holds:
        store.commit(*hold_items.add_hold(hold))
    counts = hold_counts(store)
    assert (counts.total, dict(counts.by_reason)) == (300, {"refused": 200, "account-archived": 100})
    assert connections_with_held_feeds(store, ["c0", "c1", "c2"]) == {"c0", "c1"}
    for hold in holds[1::2]:
        store.commit(*hold_items.lift_hold(hold))
    assert hold_counts(store).total == 150
    assert connections_with_held_feeds(store, ["c0", "c1"]) == {"c0"}


def test_one_that_takes_anothers_place_changes_the_reason_alone() -> None:
    store = Store(MemoryTable())
    standing, other = _hold(1), _hold(1, "account-archived").but(id="hold-2")
    store.commit(*hold_items.add_hold(standing))
    store.commit(*hold_items.replace_hold(standing, other))
    assert dict(hold_counts(store).by_reason) == {"account-archived": 1}
    assert hold_counts(store).total == 1
    assert connections_with_held_feeds(store, ["c"]) == {"c"}


def test_several_are_removed_in_one_commit() -> None:
    store = Store(MemoryTable())
    holds = [_hold(1), _hold(2), builders.hold(Scope.CONNECTION, "c", id="wide")]
    for hold in holds:
        store.commit(*hold_items.add_hold(hold))
    store.commit(*hold_items.remove_holds(holds))
    assert hold_counts(store).total == 0
    assert connections_with_held_feeds(store, ["c"]) == set()


def test_a_release_is_kept_with_who_asked_for_it_and_the_latest_ten_stay() -> None:
    ports = builders.ports()
    for number in range(12):
        hold = builders.hold(Scope.TENANT, "t", id=f"hold-{number}")
        ports.store.commit(*hold_items.add_hold(hold))
        release(ports, NOW, hold, by="Operations")
    [found] = history.latest_histories(ports.store, 5)
    assert [one.hold_id for one in found.releases] == [f"hold-{number}" for number in range(2, 12)]
    assert {one.by for one in found.releases} == {"Operations"}
    assert history.find_histories(ports.store, [(Scope.TENANT, "t")]) == {(Scope.TENANT, "t"): found}
