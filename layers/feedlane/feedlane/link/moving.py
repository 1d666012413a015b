"""A move to another Xero organisation: the company gets a new connection, and the ledgers of the old one are closed.

What one organisation has received and what another receives are two ledgers. They never mix, so a connection keeps its
organisation for good.
"""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.company import CONNECTIONS_MAX
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Conflict, Invalid
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Upstream
from feedlane.ids import feed_id
from feedlane.link import connections
from feedlane.link.connections import Disconnect
from feedlane.mapping import unmapping
from feedlane.ports import Ports
from feedlane.store.attempts import attempts


def move(
    ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime, company_id: str, connection_id: str
) -> Connection:
    """Replaces the connection by a new one, with the same source accounts, that any organisation can be linked to.

    The old one is unlinked. What waits in its ledgers is held there and goes to no other organisation. A repeat
    continues, and answers the same new connection. Raises `Invalid` before a first link, `Unavailable`.
    """
    old = company_items.connection(ports.store, company_id, connection_id)
    if old.tenant is None and old.linked_on is None:
        raise Invalid.field("status", f"only a connection that was linked can be moved; this one is {old.status}")
    if old.is_stopping:
        raise Conflict("The upstream of the connection is being changed: move it after that, or cancel the change.")
    new = _replacement(ports, now, old)
    for account in company_items.source_accounts(ports.store, old.id):
        feed = feed_items.find_feed(ports.store, feed_id(old.id, account.id))
        _copy(ports, now, new, account, feed)
        if account.mapping is not None or account.wanted is not None or (feed is not None and feed.changing):
            unmapping.unmap(ports, upstream, now, old, account)
    connections.unlink(ports, disconnect, now, company_id, old.id)
    return company_items.connection(ports.store, company_id, new.id)


def _replacement(ports: Ports, now: datetime, old: Connection) -> Connection:
    """The new connection: made now, or by an earlier attempt."""
    id = ports.new_id()
    for attempt in attempts(f"connection {old.id}"):
        old = company_items.connection(ports.store, old.company_id, old.id)
        if old.moved_to is not None:
            return company_items.connection(ports.store, old.company_id, old.moved_to)
        company = company_items.company(ports.store, old.company_id)
        if len(company.connection_ids) >= CONNECTIONS_MAX:
            raise Invalid(f"A company has at most {CONNECTIONS_MAX} connections: delete one that is not needed.")
        new = Connection(id=id, company_id=old.company_id, upstream=old.upstream, created=now)
        event = company_events.connection_created(ports, new, company, now)
        with_new = company.but(connection_ids=(*company.connection_ids, id))
        with attempt:
            ports.store.commit(
                company_items.add_connection(new),
                company_items.put_connection(old.but(moved_to=id)),
                company_items.put_company(with_new),
                put_event(event),
            )
    return new


def _copy(ports: Ports, now: datetime, new: Connection, account: SourceAccount, feed: Feed | None) -> None:
    """The source account for the new connection, not mapped yet. Its next feed gets its balances as `feed` does."""
    if company_items.find_source_account(ports.store, new.id, account.id) is not None:
        return
    copy = account.but(
        connection_id=new.id,
        status=SourceAccountStatus.PENDING,
        mapping=None,
        wanted=None,
        problem=None,
        mapped_on=None,
        modified=now,
        look=None,
        synthetic_balances=feed.synthetic_balances if feed else account.synthetic_balances,
        version=1,
    )
    ports.store.commit(*company_items.add_counted_account(copy, source_accounts.ACCOUNTS_MAX))
