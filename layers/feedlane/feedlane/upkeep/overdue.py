"""Goes through the due index, and has each item that is overdue looked at: whoever nobody comes back for is rung."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from feedlane.holds import long_release
from feedlane.link import recovery, unanswered_starts
from feedlane.mapping import mapping
from feedlane.ports import Ports
from feedlane.pushes import doorbell
from feedlane.settings import items as settings_items
from feedlane.statements import overdue as feeds
from feedlane.store import due
from feedlane.store.due import Kind, Look
from feedlane.store.table import ConditionFailed, Item, Key
from feedlane.webhooks import overdue as webhooks

# Of one kind in one run, which has time for about so many. The next run does the rest: the longest overdue come first.
LOOKS_MAX = 4000
# Of all kinds. Each gets an equal part of what is left, so that none takes the time of those behind it.
LOOKS_TIME = timedelta(seconds=200)
# The last look may take a while, and what was found is still to be reported.
TIME_KEPT = timedelta(seconds=30)
# Of one kind. After these, a queue is out of reach, not one item at fault.
FAILURES_MAX = 20
# How often another kind is the first: the last one has the time that the others leave.
FIRST_FOR = timedelta(minutes=10)

# Places and grants need the vault: `leftovers` looks at them.
_LOOKS: dict[Kind, Callable[[Ports, datetime, Item], Look]] = {
    Kind.FEED: feeds.look,
    Kind.PUSH: doorbell.look,
    Kind.HOLD: long_release.look,
    Kind.ACCOUNT: mapping.look,
    Kind.CONNECTION: recovery.look,
    Kind.LINK_START: unanswered_starts.look,
    Kind.EVENT: webhooks.look_at_event,
    Kind.DELIVERY: webhooks.look_at_delivery,
}


@dataclass
class Looks:
    """What came of a run: how many of each kind were rung, and what could not be looked at, with the kind of error."""

    rung: Counter[Kind] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


def ring(ports: Ports, time_left: timedelta = LOOKS_TIME + TIME_KEPT) -> Looks:
    """Looks at what is overdue, and rings whoever nobody comes back for: a message was lost, or is very late.

    It ends before the invocation does: the steps before it may have taken most of its time.
    Concurrent runs are safe: whoever is rung twice does nothing the second time.
    """
    looks, stop = Looks(), ports.clock() + min(LOOKS_TIME, time_left - TIME_KEPT)
    kinds = _kinds(ports)
    for number, kind in enumerate(kinds):
        now = ports.clock()
        _ring_kind(ports, kind, now + (stop - now) / (len(kinds) - number), looks)
    return looks


def _kinds(ports: Ports) -> list[Kind]:
    """In the order of this run. While nothing may be sent, feeds stay overdue: they are rung as soon as it may."""
    settings = settings_items.settings(ports.store)
    may_send = settings.enabled and settings.bank_feeds
    kinds = [kind for kind in _LOOKS if kind is not Kind.FEED or may_send]
    first = int(ports.clock().timestamp() // FIRST_FOR.total_seconds()) % len(kinds)
    return kinds[first:] + kinds[:first]


def _ring_kind(ports: Ports, kind: Kind, stop: datetime, looks: Looks) -> None:
    """Whatever fails here stops no other kind."""
    failures_before = len(looks.failed)
    try:
        overdue = due.overdue(ports.store, kind, ports.clock(), LOOKS_MAX)
    except Exception as error:
        looks.failed.append(f"{kind.value}: {type(error).__name__}")
        return
    for key in overdue:
        if ports.clock() > stop or len(looks.failed) - failures_before == FAILURES_MAX:
            return
        try:
            _look(ports, kind, key, looks)
        except Exception as error:
            looks.failed.append(f"{'/'.join(key)}: {type(error).__name__}")


def _look(ports: Ports, kind: Kind, key: Key, looks: Looks) -> None:
    item, now = ports.store.table.get(key), ports.clock()
    if item is None or not due.is_overdue(item, now):
        return  # the index lags
    try:
        look = _LOOKS[kind](ports, now, item)
    except ConditionFailed:
        return  # it has just changed: the next run looks again, if it must
    except Exception as error:
        # One that cannot be looked at stops no other: it goes behind them.
        looks.failed.append(f"{'/'.join(key)}: {type(error).__name__}")
        look = Look(again=due.next_look(now))
    looks.rung[kind] += look.rung
    with suppress(ConditionFailed):  # written since: whoever did that has decided anew
        ports.store.commit(due.after_look(item, look))
