"""Follow-up messages: who answers each kind of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from feedlane import doorbell, holding, one_off, recovering, release_in_parts, unanswered, unmapping, waking
from feedlane.clock import Clock
from feedlane.errors import NotFound
from feedlane.ids import NewId
from feedlane.queues import Check, Queues
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

    def dispatch(self, check: Check) -> None:
        """Does what the message asks. An exception means that it must come again."""
        try:
            self._dispatch(check)
        except NotFound as missing:
            if missing.what != "company":
                raise
            # Deleted meanwhile: nobody is left to look for, or to tell.

    def _dispatch(self, check: Check) -> None:
        ports = (self.store, self.queues, self.clock(), self.new_id)
        follower = StatementFollower(self.store, self.queues, self.upstream, self.clock, self.new_id, self.tell_age)
        answers: dict[str, Callable[[], None]] = {
            "statement": lambda: follower.follow(check),
            "feedConnection": lambda: follower.follow_feed_connection(check),
            doorbell.KIND: lambda: doorbell.look(*ports, check),
            "wake": lambda: self._wake(check),
            waking.KIND: lambda: waking.wake_all(self.store, self.queues, check.after),
            "hold": lambda: holding.wake_others(self.store, self.queues, check),
            release_in_parts.KIND: lambda: release_in_parts.resume(*ports, check),
            "removed": lambda: unmapping.end_removed(self.store, self.clock(), self.new_id, check.feed_id),
            one_off.KIND: lambda: one_off.look(*ports, check),
            recovering.KIND: lambda: recovering.look(*ports, check),
            unanswered.KIND: lambda: unanswered.look(*ports, check),
        }
        if check.kind not in answers:
            raise ValueError(f"no such kind of check: {check.kind}")
        answers[check.kind]()

    def _wake(self, check: Check) -> None:
        wake_came(self.store, check.feed_id, check.at)
        self.queues.wake(check.feed_id)
