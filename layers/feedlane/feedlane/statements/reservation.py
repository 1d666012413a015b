"""A feed's reservation: the slot that its next post, or its next look, has at its tenant's and the app's limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from feedlane.record import Record
from feedlane.scope import Scope
from feedlane.statements.limits import Lane, Slot, moment
from feedlane.store.records import expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Put

# Who comes later than this queues up again: those whom an outage made late must not all come before who is on time.
LATE_MAX = timedelta(minutes=2)
RETENTION = timedelta(hours=1)


class Reservation(Record):
    """The call may go at `until`. `lanes` has the lane of its slot for each scope that gave one: tenant, app.

    `reason` says why it waits, where that is more than its turn.
    """

    until: datetime
    lanes: dict[Scope, Lane] = {}
    reason: str = ""

    def later(self, slots: Mapping[Scope, Slot]) -> Reservation:
        """With these slots, which are later than those it has."""
        lanes = {scope: slot.lane for scope, slot in slots.items()}
        return Reservation(until=moment(max(slot.at for slot in slots.values())), lanes=self.lanes | lanes)


def valid_reservation(item: Item | None, now: datetime) -> Reservation | None:
    reservation = record_in(Reservation, item)
    return reservation if reservation is not None and now <= reservation.until + LATE_MAX else None


def put_reservation(store: Store, key: Key, reservation: Reservation) -> None:
    """Not in the commit that gives the slot, to which it would add contention: what is lost is only a slot."""
    store.commit(Put(item_of(key, reservation, expires_at=expiry(reservation.until, RETENTION))))
