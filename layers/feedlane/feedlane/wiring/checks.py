"""Follow-up messages: which function handles each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from feedlane.companies import items as company_items
from feedlane.errors import NotFound
from feedlane.feeds import wake_all
from feedlane.feeds.upstream import Upstream
from feedlane.follow_ups import (
    ConnectionFollowUp,
    FeedConnectionCheck,
    FollowUp,
    HoldCheck,
    OneOffAccessCheck,
    PushOperationCheck,
    RecoveryCheck,
    ReleaseCheck,
    RemovedAccountCheck,
    StatementCheck,
    UpstreamChangeCheck,
    Wake,
    WakeAll,
)
from feedlane.holds import long_release, placement
from feedlane.link import one_off_access, recovery, upstream_change
from feedlane.link.connections import Disconnect
from feedlane.mapping import hosted as mapping_hosted
from feedlane.mapping import unmapping
from feedlane.ports import Ports
from feedlane.pushes import doorbell
from feedlane.statements.feed_connection_follower import FeedConnectionFollower
from feedlane.statements.follower import StatementFollower
from feedlane.statements.waits import remove_planned_wake
from feedlane.upkeep import hosted as upkeep_hosted
from feedlane.upkeep.hosted import AtCodat


@dataclass(frozen=True)
class Checks:
    ports: Ports
    upstream: Upstream
    record_age: Callable[[timedelta], None] = lambda age: None
    """Called at each check with the age of a statement that the upstream has not ended."""
    at_codat: AtCodat = lambda connection: None
    disconnect: Disconnect = lambda connection: None

    def dispatch(self, follow_up: FollowUp) -> None:
        """Handles the message. After an exception it must be delivered again."""
        try:
            self._dispatch(follow_up)
        except NotFound as missing:
            if missing.what != "company":
                raise
            # The company has been deleted: there is nothing left to check, and no one to notify.

    def _dispatch(self, follow_up: FollowUp) -> None:
        match follow_up:
            case StatementCheck():
                StatementFollower(self.ports, self.upstream, self.record_age).follow(follow_up)
            case FeedConnectionCheck():
                FeedConnectionFollower(self.ports, self.upstream).follow(follow_up)
            case PushOperationCheck():
                doorbell.check_operation(self.ports, self.ports.clock(), follow_up)
            case Wake(feed_id=feed_id, at=at):
                remove_planned_wake(self.ports.store, feed_id, at)
                self.ports.queues.wake(feed_id)
            case WakeAll(after=after):
                wake_all.wake_all(self.ports, after)
            case HoldCheck():
                placement.wake_others(self.ports, follow_up)
            case ReleaseCheck():
                long_release.resume(self.ports, self.ports.clock(), follow_up)
            case RemovedAccountCheck(feed_id=feed_id):
                unmapping.fail_removed_account(self.ports, self.ports.clock(), feed_id)
            case _:
                self._dispatch_for_connection(follow_up)

    def _dispatch_for_connection(self, follow_up: ConnectionFollowUp) -> None:
        match follow_up:
            case OneOffAccessCheck():
                one_off_access.check(self.ports, self.ports.clock(), follow_up)
            case RecoveryCheck(company_id=company_id, connection_id=connection_id):
                connection = company_items.find_connection(self.ports.store, company_id, connection_id)
                if connection is not None:
                    mapping_hosted.end_replaced(self.ports, self.ports.clock(), connection)
                recovery.check(self.ports, self.ports.clock(), follow_up)
                self._check_hosted(follow_up)
            case UpstreamChangeCheck():
                upstream_change.check(self.ports, self.upstream, self.disconnect, self.ports.clock(), follow_up)
            case _:
                assert_never(follow_up)

    def _check_hosted(self, follow_up: RecoveryCheck) -> None:
        """Of a connection through Codat, also what has become of it there, and what was mapped there."""
        ids = (follow_up.company_id, follow_up.connection_id)
        connection = company_items.find_connection(self.ports.store, *ids)
        if connection is None or connection.is_direct:
            return
        if recovery.should_check(connection, self.ports.clock()):
            upkeep_hosted.check(self.ports, self.at_codat, connection)
            connection = company_items.find_connection(self.ports.store, *ids) or connection
        mapping_hosted.adopt_mapped(self.ports, self.upstream, self.ports.clock(), connection)
