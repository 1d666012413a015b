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

# Starts and returns of one connection in an hour. A customer who fails, reloads and tries again needs a few.
VISITS_PER_HOUR_MAX = 30
_RETENTION = timedelta(hours=2)


def admit(store: Store, connection_id: str, now: datetime) -> bool:
    """Counts a visit. False if there have been enough in this hour."""
    key = keys.hosted_visits(connection_id, iso(now)[:13])
    try:
        for attempt in attempts(f"the visits of connection {connection_id}"):
            item = store.table.get(key)
            count = int(item["count"]) if item else 0
            if count >= VISITS_PER_HOUR_MAX:
                return False
            counted = {"pk": key[0], "sk": key[1], "count": count + 1, "expires_at": expiry(now, _RETENTION)}
            with attempt:
                store.commit(Put(counted, ABSENT if item is None else When(equal={"count": count})))
                return True
    except AttemptsExhausted:
        return False  # very many at once are what this is against
    return False
