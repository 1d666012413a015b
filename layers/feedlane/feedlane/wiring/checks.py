"""Follow-up messages: who answers each kind of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from feedlane.clock import Clock
from feedlane.errors import NotFound
from feedlane.feeds import wake_all
from feedlane.feeds.upstream import Upstream
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
from feedlane.holds import long_release, placement
from feedlane.ids import NewId
from feedlane.link import one_off_access, recovery, unanswered_starts
from feedlane.mapping import unmapping
from feedlane.pushes import doorbell
from feedlane.queues import Queues
from feedlane.statements.follower import StatementFollower
from feedlane.statements.waits import remove_planned_wake
from feedlane.store.store import Store


@dataclass(frozen=True)
class Checks:
    store: Store
    queues: Queues
    upstream: Upstream
    clock: Clock
    new_id: NewId
    record_age: Callable[[timedelta], None] = lambda age: None
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
                doorbell.check_operation(self.store, self.queues, self.clock(), self.new_id, follow_up)
            case Wake(feed_id=feed_id, at=at):
                remove_planned_wake(self.store, feed_id, at)
                self.queues.wake(feed_id)
            case WakeAll(after=after):
                wake_all.wake_all(self.store, self.queues, after)
            case HoldCheck():
                placement.wake_others(self.store, self.queues, follow_up)
            case ReleaseCheck():
                long_release.resume(self.store, self.queues, self.clock(), self.new_id, follow_up)
            case RemovedAccountCheck(feed_id=feed_id):
                unmapping.fail_removed_account(self.store, self.clock(), self.new_id, feed_id)
            case _:
                self._dispatch_of_connection(follow_up)

    def _dispatch_of_connection(self, follow_up: ConnectionFollowUp) -> None:
        ports = (self.store, self.queues, self.clock(), self.new_id)
        match follow_up:
            case OneOffAccessCheck():
                one_off_access.check(*ports, follow_up)
            case RecoveryCheck():
                recovery.check(*ports, follow_up)
            case LinkStartCheck():
                unanswered_starts.check(*ports, follow_up)
            case _:
                assert_never(follow_up)

    @property
    def _follower(self) -> StatementFollower:
        return StatementFollower(self.store, self.queues, self.upstream, self.clock, self.new_id, self.record_age)
