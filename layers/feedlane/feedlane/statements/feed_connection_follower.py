"""Polls the upstream for a feed connection that it is still setting up, until the account is connected."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.refusals import MAY_BE_THERE
from feedlane.feeds.upstream import FeedConnection, Refusal, TenantAccess, Upstream
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.ids import account_token
from feedlane.mapping import again, ended, mapping, unmapping
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.scope import Scope
from feedlane.statements import poll


@dataclass(frozen=True)
class _Answer:
    """The feed connection that the upstream has. `has_other`: it rejects it, and has another with the same token."""

    connection: FeedConnection | None
    has_other: bool = False


@dataclass(frozen=True)
class FeedConnectionFollower:
    """Follows feed connections. Its calls count towards the same limits as those about statements."""

    ports: Ports
    upstream: Upstream

    def follow(self, check: FeedConnectionCheck) -> None:
        """Makes or polls the feed connection, unless its account has stopped waiting. Comes again until it is there."""
        feed = feed_items.find_feed(self.ports.store, check.feed_id)
        if feed is None:
            return
        if not feed.awaits_connection and not self._has_question(feed):
            mapping.resume_feed(self.ports, self.ports.clock(), feed.id)
            return
        with poll.wait_before_call(self.ports, feed) as wait_seconds:
            if wait_seconds is not None:
                # Once only: the watch sends another in time. Each would add one that asks again and again.
                if not (check.once and wait_seconds > DELAY_SECONDS_MAX):
                    self.ports.queues.follow_up(check, poll.postponed_seconds(wait_seconds))
                return
            if feed.awaits_connection:
                is_done, answer = self._make(feed), None
            else:
                is_done, answer = False, self._poll(feed)
        if is_done or (answer is not None and self._record_end(feed, answer)):
            return
        if not check.once:
            self.ports.queues.follow_up(check.but(turn=check.turn + 1), poll.delay_seconds(check.turn))

    def _has_question(self, feed: Feed) -> bool:
        """Whether Xero is to be asked: is it still setting the feed connection up, has the customer ended it?"""
        is_suspected = bool(feed.feed_connection_id) and ended.is_suspected(self.ports.store, feed.id)
        return is_suspected or mapping.is_connecting(self.ports.store, feed)

    def _make(self, feed: Feed) -> bool:
        with suppress(Unavailable, AppKeysRejected):
            return again.try_again(self.ports, self.upstream, self.ports.clock(), feed)
        return False

    def _record_end(self, feed: Feed, answer: _Answer) -> bool:
        """Records that the feed connection is active, gone or rejected. False if none of these is certain yet."""
        now, connection = self.ports.clock(), answer.connection
        if connection is None:
            return unmapping.record_feed_connection_gone(self.ports, feed.id, feed.feed_connection_id, now)
        if connection.active:
            mapping.record_feed_connection_active(self.ports, feed.id, connection, now)
            mapping.resume_feed(self.ports, self.ports.clock(), feed.id)
            return True
        problem = connection.rejection
        if problem is None:
            return False
        if answer.has_other:
            return unmapping.record_feed_connection_repeated(self.ports, feed.id, feed.feed_connection_id, now)
        refusal = self.upstream.refusal_for_rejection(_access(feed), [problem])
        return unmapping.record_feed_connection_rejected(
            self.ports, feed.id, feed.feed_connection_id, problem, refusal, now
        )

    def _poll(self, feed: Feed) -> _Answer | None:
        """None if the upstream did not answer."""
        access = _access(feed)
        try:
            # Whatever stops Xero from answering now may be fixed, and the account still waits.
            with suppress(Unavailable, AppKeysRejected):
                connection = self.upstream.feed_connection(access, feed.feed_connection_id)
                return _Answer(connection, self._has_other(feed, connection))
        except Refused as refused:
            refusal = self.upstream.refusal_for_rejection(access, [refused.problem])
            if refusal.scope is not Scope.FEED:
                poll.hold_refused(self.ports, feed, refusal, self.ports.clock(), by_mapping=True)
        except ReconnectionNeeded as needed:
            # Only the customer can fix this, and no other call may be using this connection.
            refusal = Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=needed.problem)
            poll.hold_refused(self.ports, feed, refusal, self.ports.clock())
        return None

    def _has_other(self, feed: Feed, connection: FeedConnection | None) -> bool:
        """Whether it was rejected because another request for the same account had come first, and made one."""
        if connection is None or connection.rejection is None or connection.rejection.type not in MAY_BE_THERE:
            return False
        token = account_token(feed.connection_id, feed.account_id)
        listed = self.upstream.feed_connections(_access(feed))
        return any(other.account_token == token and other.id != connection.id for other in listed)


def _access(feed: Feed) -> TenantAccess:
    return TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id, connection_id=feed.connection_id)
