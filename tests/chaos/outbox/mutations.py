"""The transport of events broken on purpose: the schedules have to catch every mutation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from feedlane import aws, delivering, lost_replays, relaying
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.replay import Replay
from feedlane.store import deliveries
from feedlane.store.store import Store
from feedlane.store.table import Put, Write
from tests.chaos.outbox.wiring import function

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
    real = relaying.relay

    def relay(*arguments: Any) -> None:
        real(*arguments)

    return patch.object(function("relay_events"), "relay", relay)


def events_of_one_feed_go_together() -> AbstractContextManager[Any]:
    def together(captured: Any) -> Iterator[Any]:
        pairs = [(sequence, relaying._notice(event)) for sequence, event in captured]
        for start in range(0, len(pairs), relaying.MOST_AT_ONCE):
            yield pairs[start : start + relaying.MOST_AT_ONCE]

    return patch.object(relaying, "_together", together)


def each_attempt_has_its_own_bytes() -> AbstractContextManager[Any]:
    real, numbers = delivering.body, itertools.count()
    return patch.object(delivering, "body", lambda event: real(event).replace(b"{", b"{" + b" " * next(numbers), 1))


def nothing_is_retried() -> AbstractContextManager[Any]:
    real = aws.SQSQueues.deliver

    def deliver(self: Any, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        if delay_seconds == 0:
            real(self, consumer_id, event_id, 0)

    return patch.object(aws.SQSQueues, "deliver", deliver)


def no_lost_replay_is_requeued() -> AbstractContextManager[Any]:
    return patch.object(lost_replays, "ring_again", lambda *_: None)


def a_replay_goes_backwards() -> AbstractContextManager[Any]:
    real = deliveries.page

    def page(*arguments: Any, **options: Any) -> Any:
        return list(reversed(real(*arguments, **options)))

    return patch.object(deliveries, "page", page)


def a_replay_forgets_what_it_has_sent() -> AbstractContextManager[Any]:
    return patch.object(Replay, "has_tried", lambda self, delivery: False)


def a_single_replay_is_queued_only_after_its_commit() -> AbstractContextManager[Any]:
    real = aws.SQSQueues.deliver

    def deliver(self: Any, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        if delay_seconds != SAFETY_DELAY_SECONDS:
            real(self, consumer_id, event_id, delay_seconds)

    return patch.object(aws.SQSQueues, "deliver", deliver)


# By name, the mutation and the prefix of the violation that it must cause.
MUTATIONS: dict[str, tuple[Broken, str]] = {
    broken.__name__: (broken, caught_as)
    for broken, caught_as in (
        (events_are_written_after_their_change, "lost"),
        (events_are_written_before_their_change, "invented"),
        (what_the_bus_refused_counts_as_accepted, "lost"),
        (events_of_one_feed_go_together, "order"),
        (each_attempt_has_its_own_bytes, "invented"),
        (nothing_is_retried, "lost"),
        (no_lost_replay_is_requeued, "lost: a replay"),
        (a_replay_goes_backwards, "order: a replay"),
        (a_replay_forgets_what_it_has_sent, "invented: a replay"),
        (a_single_replay_is_queued_only_after_its_commit, "lost"),
    )
}
