"""The transport of events broken on purpose: the schedules have to catch every mutation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from feedlane.events import envelope, outbox
from feedlane.events import relay as event_relay
from feedlane.store.store import Store
from feedlane.store.table import Put, Write
from feedlane.upkeep import overdue, stalled_replays
from feedlane.webhooks import deliverer
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.replay import Replay
from tests.chaos.outbox.wiring import function
from tests.stack import template

Broken = Callable[[], AbstractContextManager[Any]]


def _is_event(write: Write) -> bool:
    return isinstance(write, Put) and write.key[0].startswith("EVENT#")


def _separate_commits(events_first: bool) -> AbstractContextManager[Any]:
    real = Store.commit

    def commit(self: Store, *writes: Write) -> None:
        for events in sorted({_is_event(write) for write in writes}, reverse=events_first):
            real(self, *(write for write in writes if _is_event(write) is events))

    return patch.object(Store, "commit", commit)


def events_are_written_after_their_change() -> AbstractContextManager[Any]:
    return _separate_commits(events_first=False)


def events_are_written_before_their_change() -> AbstractContextManager[Any]:
    return _separate_commits(events_first=True)


def what_the_bus_refused_counts_as_accepted() -> AbstractContextManager[Any]:
    real = event_relay.relay

    def relay(*arguments: Any) -> None:
        real(*arguments)

    return patch.object(function("relay_events"), "relay", relay)


def events_of_one_feed_go_together() -> AbstractContextManager[Any]:
    def together(captured: Any, _: Any) -> Iterator[Any]:
        pairs = [(sequence, event_relay._bus_entry(event)) for sequence, event in captured]
        for start in range(0, len(pairs), event_relay.ENTRIES_PER_PUT_MAX):
            yield pairs[start : start + event_relay.ENTRIES_PER_PUT_MAX]

    return patch.object(event_relay, "_batches", together)


def each_attempt_has_its_own_bytes() -> AbstractContextManager[Any]:
    real, numbers = envelope.webhook_body, itertools.count()
    return patch.object(
        deliverer, "webhook_body", lambda event: real(event).replace(b"{", b"{" + b" " * next(numbers), 1)
    )


def nobody_is_rung() -> AbstractContextManager[Any]:
    return patch.object(overdue, "ring", lambda ports: overdue.Looks())


def events_are_not_listed() -> AbstractContextManager[Any]:
    return patch.object(outbox, "due_keys", lambda *_: {})


def deliveries_are_not_listed() -> AbstractContextManager[Any]:
    return patch.object(Delivery, "is_under_way", False)


def no_lost_replay_is_requeued() -> AbstractContextManager[Any]:
    return patch.object(stalled_replays, "requeue", lambda *_: None)


def a_replay_goes_backwards() -> AbstractContextManager[Any]:
    real = webhook_items.delivery_page

    def page(*arguments: Any, **options: Any) -> Any:
        return list(reversed(real(*arguments, **options)))

    return patch.object(webhook_items, "delivery_page", page)


def a_replay_forgets_what_it_has_sent() -> AbstractContextManager[Any]:
    return patch.object(Replay, "has_attempted", lambda self, delivery: False)


def lambda_stops_loops() -> AbstractContextManager[Any]:
    return patch.object(template, "allows_recursion", lambda function: False)


# By name, the mutation and the prefix of the violation that it must cause.
MUTATIONS: dict[str, tuple[Broken, str]] = {
    broken.__name__: (broken, caught_as)
    for broken, caught_as in (
        (events_are_written_after_their_change, "lost"),
        (events_are_written_before_their_change, "invented"),
        (what_the_bus_refused_counts_as_accepted, "order"),
        (events_of_one_feed_go_together, "order"),
        (each_attempt_has_its_own_bytes, "invented"),
        (nobody_is_rung, "lost"),
        (events_are_not_listed, "lost"),
        (deliveries_are_not_listed, "lost"),
        (no_lost_replay_is_requeued, "lost: a replay"),
        (lambda_stops_loops, "chains"),
        (a_replay_goes_backwards, "order: a replay"),
        (a_replay_forgets_what_it_has_sent, "invented: a replay"),
    )
}
