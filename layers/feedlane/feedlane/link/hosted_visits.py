"""How often a link may lead to questions to Codat, whose calls in a day are counted for all customers together.

Whoever has a link can open it a thousand times, and a mail scanner does. At Xero, a start costs no call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.attempts import AttemptsExhausted, attempts
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Put, When

# Starts of one connection in an hour, and returns from one start. A customer who fails, reloads and tries again needs a
# few. Each start has returns of its own: whoever opens the link again and again keeps nobody from coming back.
STARTS_PER_HOUR_MAX, RETURNS_PER_START_MAX = 30, 5
_RETENTION = timedelta(hours=2)


def admit_start(store: Store, connection_id: str, now: datetime) -> bool:
    """Counts a start. False if there have been enough in this hour."""
    return _admit(store, connection_id, STARTS_PER_HOUR_MAX, now)


def admit_return(store: Store, state: str, now: datetime) -> bool:
    """Counts a return from what was started with this state (its fingerprint). False if there have been enough."""
    return _admit(store, state, RETURNS_PER_START_MAX, now)


def _admit(store: Store, visited: str, visits_max: int, now: datetime) -> bool:
    key = keys.hosted_visits(visited, iso(now)[:13])
    try:
        for attempt in attempts(f"the visits of {visited}"):
            item = store.table.get(key)
            count = int(item["count"]) if item else 0
            if count >= visits_max:
                return False
            counted = {"pk": key[0], "sk": key[1], "count": count + 1, "expires_at": expiry(now, _RETENTION)}
            with attempt:
                store.commit(Put(counted, ABSENT if item is None else When(equal={"count": count})))
                return True
    except AttemptsExhausted:
        return False  # very many at once are what this is against
    return False
