"""Messages on `transactions.fifo` that an operator sends to see whether they arrive: noted, and dropped.

They have a group of their own, which no feed can have: a feed's has a slash in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from feedlane.clock import iso
from feedlane.ids import is_uuid
from feedlane.ports import Ports
from feedlane.pushes.message import MESSAGE_VERSION, QueueMessage
from feedlane.queues import Queues
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import Put

GROUP = "feedlane-test"
KEPT = timedelta(days=1)


def send(queues: Queues, id: str) -> None:
    """`id`: a UUID that is new for each message."""
    queues.push(GROUP, id, json.dumps({"version": MESSAGE_VERSION, "test": id}))


def has_arrived(store: Store, id: str) -> bool:
    return store.table.get(keys.round_trip(id)) is not None


def without_test_messages(ports: Ports, messages: Sequence[QueueMessage]) -> Sequence[QueueMessage]:
    """The messages that are none of these. Of these, it notes that they have arrived."""
    others = []
    for message in messages:
        id = _test_id(message)
        if not id:
            others.append(message)
            continue
        pk, sk = keys.round_trip(id)
        now = ports.clock()
        ports.store.commit(Put({"pk": pk, "sk": sk, "time": iso(now), "expires_at": expiry(now, KEPT)}))
    return others


def _test_id(message: QueueMessage) -> str:
    """Empty if it is another message: then it is told what is wrong with it, as any."""
    if message.group != GROUP:
        return ""
    try:
        id = json.loads(message.body).get("test")
    except (ValueError, AttributeError):
        return ""
    return id if isinstance(id, str) and is_uuid(id) else ""
