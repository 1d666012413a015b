"""The end of a mapping because the upstream changes: what waits stays, and goes on once the account is mapped there."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, UpstreamName
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import AppKeysRejected
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Upstream
from feedlane.ids import feed_id
from feedlane.mapping import ended, unmapping
from feedlane.mapping import items as mapping_items
from feedlane.ports import Ports
from feedlane.store.store import Store
from feedlane.store.table import Write

# Who has come back to link the connection usually maps its accounts at once.
MAPPED_WITHIN = timedelta(days=1)


def is_left_unmapped(store: Store, feed: Feed, now: datetime) -> bool:
    """Whether the connection was linked at its next upstream, and nobody has mapped the feed's account there."""
    connection = company_items.find_connection(store, feed.company_id, feed.connection_id)
    if connection is None or connection.change is not None or connection.linked_on is None:
        return False
    return feed.changing and now - connection.linked_on >= MAPPED_WITHIN


def end_mapping(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount, to: UpstreamName
) -> None:
    """Ends the feed connection, and has the feed wait for the upstream `to`. Nothing of it is in flight.

    A repeat does nothing. Raises `Unavailable`, and `ConditionFailed` if the account is changed at the same time, or
    the access has ended meanwhile: then the mapping may be that of the next upstream.
    """
    is_mapped = account.mapping is not None or account.wanted is not None
    feed = feed_items.find_feed(ports.store, feed_id(connection.id, account.id))
    if not is_mapped and (feed is None or feed == mapping_items.before_upstream(feed, to)):
        return
    writes: list[Write] = [company_items.same_access(connection)]
    if is_mapped:
        with suppress(AppKeysRejected):  # who cannot reach it any more has lost it
            unmapping.end_feed_connection(upstream, connection, account)
        # What the customer maps on a page of the next upstream's may be adopted, as for an account never mapped.
        nothing = {"mapping": None, "wanted": None, "problem": None, "mapped_on": None, "look": None}
        after = account.but(status=SourceAccountStatus.DISCONNECTED, modified=now, **nothing)
        company = company_items.company(ports.store, account.company_id)
        writes += company_items.change_source_account(account, after)
        writes += ended.disconnected_event_writes(ports, account, after, company, now)

    def also(_: Feed | None) -> list[Write]:
        return writes

    mapping_items.record_unmapping(ports.store, connection, account, also, to=to)
