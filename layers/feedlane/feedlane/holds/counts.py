"""How many holds there are: of each reason, and on feeds of each connection. Kept in the commits that change that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add, Write

# Holds come in crowds, and two commits at once on one item are one too many.
SHARDS = 8
_TOTAL, _COUNT = "total", "count"
_REASON = "reason "


@dataclass(frozen=True)
class HoldCounts:
    """`by_reason`: the most frequent reason first."""

    total: int
    by_reason: Mapping[str, int]


def hold_counts(store: Store) -> HoldCounts:
    """Of the whole stack, from one read."""
    sums: Counter[str] = Counter()
    for item in store.table.get_many(keys.hold_counts(shard) for shard in range(SHARDS)).values():
        sums.update({name: count for name, count in item.items() if name == _TOTAL or name.startswith(_REASON)})
    reasons = sorted(
        ((name.removeprefix(_REASON), count) for name, count in sums.items() if name != _TOTAL and count > 0),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return HoldCounts(max(0, sums[_TOTAL]), dict(reasons))


def connections_with_held_feeds(store: Store, connection_ids: Iterable[str]) -> set[str]:
    """The ids of those connections of which a feed is held by a hold of its own, from one read for a hundred of them.

    Wider holds (on the connection, its organisation, the app) are not counted here: `hold_items.holds_on` finds them.
    """
    wanted = {keys.held_feeds(id): id for id in connection_ids}
    found = store.table.get_many(wanted)
    return {wanted[key] for key, item in found.items() if item.get(_COUNT, 0) > 0}


def count_changes(placed: Sequence[Hold], lifted: Sequence[Hold]) -> list[Write]:
    """The writes that count holds which this commit places and lifts; each item once."""
    reasons: Counter[str] = Counter()
    feeds: Counter[str] = Counter()
    for holds, amount in ((placed, 1), (lifted, -1)):
        for hold in holds:
            reasons[hold.reason] += amount
            if hold.scope is Scope.FEED and hold.connection_id:
                feeds[hold.connection_id] += amount
    writes: list[Write] = []
    changed = {_REASON + reason: amount for reason, amount in reasons.items() if amount}
    if changed:
        shard = crc32((*placed, *lifted)[0].subject.encode()) % SHARDS
        writes.append(Add(keys.hold_counts(shard), _TOTAL, len(placed) - len(lifted), also=changed))
    return writes + [Add(keys.held_feeds(id), _COUNT, amount) for id, amount in feeds.items() if amount]
