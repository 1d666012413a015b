"""Which token sets are stored. Whether one still has a use is looked at once a day, and when it is given up.

A secret costs money for as long as it exists, and a grant that nobody uses keeps its places at Xero.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys
from feedlane.store.store import Store
from feedlane.store.table import Add, Put

# A consent is linked within an hour, as long as the customer has for a choice. Until then nothing uses its token set.
UNUSED_AFTER = timedelta(hours=2)


def granted(token_set_id: str, now: datetime) -> Add:
    """For the commit that stores what a consent brought."""
    due = due_keys(Kind.GRANT, token_set_id, now + UNUSED_AFTER)
    fields = {"token_set_id": token_set_id, "granted": iso(now), **due}
    return Add(keys.grant(token_set_id), "consents", 1, set=fields)


def give_up(tenant_id: str, connection_id: str, token_set_id: str, now: datetime) -> Put:
    """For the commit in which a connection ends that used it."""
    pk, sk = keys.left_grant(tenant_id, connection_id)
    return Put({"pk": pk, "sk": sk, "token_set_id": token_set_id, **due_keys(Kind.GRANT, token_set_id, now)})


def last_granted(store: Store, token_set_id: str) -> str | None:
    """When its user consented last, in ISO form; None if that is not known, or it is removed."""
    item = store.table.get(keys.grant(token_set_id))
    return item["granted"] if item else None
