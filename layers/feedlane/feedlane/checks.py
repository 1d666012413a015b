"""Follow-up messages: who answers each kind of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from feedlane import doorbell, holding, one_off, recovering, release_in_parts, unanswered, unmapping, waking
from feedlane.clock import Clock
from feedlane.errors import NotFound
from feedlane.follow_ups import (
    ConnectionFollowUp,
    FeedConnectionCheck,
    FollowUp,
    HoldCheck,
    LinkStartCheck,
    OneOffAccessCheck,
    PushOperationCheck,
    RecoveryCheck,
    ReleaseCheck,
    RemovedAccountCheck,
    StatementCheck,
    Wake,
    WakeAll,
)
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.statement_follower import StatementFollower
from feedlane.store.limits import wake_came
from feedlane.store.store import Store
from feedlane.upstream import Upstream


@dataclass(frozen=True)
class Checks:
    store: Store
    queues: Queues
    upstream: Upstream
    clock: Clock
    new_id: NewId
    tell_age: Callable[[timedelta], None] = lambda age: None
    """Is told how old a statement is that the upstream has not ended, whenever it is looked at."""

    def dispatch(self, follow_up: FollowUp) -> None:
        """Does what the message asks. An exception means that it must come again."""
        try:
            self._dispatch(follow_up)
        except NotFound as missing:
            if missing.what != "company":
                raise
            # Deleted meanwhile: nobody is left to look for, or to tell.

    def _dispatch(self, follow_up: FollowUp) -> None:
        match follow_up:
            case StatementCheck():
                self._follower.follow(follow_up)
            case FeedConnectionCheck():
                self._follower.follow_feed_connection(follow_up)
            case PushOperationCheck():
                doorbell.look(self.store, self.queues, self.clock(), self.new_id, follow_up)
            case Wake(feed_id=feed_id, at=at):
                wake_came(self.store, feed_id, at)
                self.queues.wake(feed_id)
            case WakeAll(after=after):
                waking.wake_all(self.store, self.queues, after)
            case HoldCheck():
                holding.wake_others(self.store, self.queues, follow_up)
            case ReleaseCheck():
                release_in_parts.resume(self.store, self.queues, self.clock(), self.new_id, follow_up)
            case RemovedAccountCheck(feed_id=feed_id):
                unmapping.end_removed(self.store, self.clock(), self.new_id, feed_id)
            case _:
                self._dispatch_of_connection(follow_up)

    def _dispatch_of_connection(self, follow_up: ConnectionFollowUp) -> None:
        ports = (self.store, self.queues, self.clock(), self.new_id)
        match follow_up:
            case OneOffAccessCheck():
                one_off.look(*ports, follow_up)
            case RecoveryCheck():
                recovering.look(*ports, follow_up)
            case LinkStartCheck():
                unanswered.look(*ports, follow_up)
            case _:
                assert_never(follow_up)

    @property
    def _follower(self) -> StatementFollower:
        return StatementFollower(self.store, self.queues, self.upstream, self.clock, self.new_id, self.tell_age)
