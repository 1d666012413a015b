"""The push operations under which released feeds send: which feeds need one, and the writes that start it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write


def feeds_with_waiting_lines(store: Store, feeds: Iterable[Feed]) -> tuple[list[Feed], dict[str, Company]]:
    """Those of the feeds that have something to send, and their companies. Feeds of deleted companies are left out."""
    waiting = [feed for feed in feeds if feed.waiting]
    items = store.table.get_many(keys.company(id) for id in dict.fromkeys(feed.company_id for feed in waiting))
    companies = {company.id: company for company in map(Company.model_validate, items.values())}
    return [feed for feed in waiting if feed.company_id in companies], companies


def company_of(store: Store, hold: Hold, companies: dict[str, Company]) -> Company | None:
    """The hold's company, if it has one: one of `companies`, or read from the table."""
    if hold.company_id is None:
        return None
    return companies.get(hold.company_id) or company_items.find_company(store, hold.company_id)


def release_operation(feed: Feed, now: datetime, key: str) -> PushOperation:
    """The operation under which all waiting lines of the feed are sent."""
    return PushOperation(
        key=key,
        company_id=feed.company_id,
        connection_id=feed.connection_id,
        account_id=feed.account_id,
        door=Door.RELEASE,
        requested_on=now,
        transactions=feed.waiting,
        lines=feed.recorded_through - feed.delivered_through,
        through=feed.recorded_through,
    )


def operation_writes(feed: Feed, operation: PushOperation) -> list[Write]:
    return [push_operation_items.put_operation(operation), push_operation_items.add_open_operation(feed.id, operation)]


def ensure_operation(ports: Ports, now: datetime, feed: Feed) -> None:
    """Starts an operation if no hold stops the feed, and no open operation waits for its last line.

    That is so after an account was removed, which failed its operations, and created again. May be repeated.
    """
    for attempt in attempts(f"feed {feed.id}"):
        if not lacks_operation(ports.store, feed):
            return
        operation = release_operation(feed, now, ports.new_id())
        with attempt:
            after = feed.but(look=next_look(now))
            ports.store.commit(feed_items.put_feed(after), *operation_writes(feed, operation))
            return
        feed = feed_items.find_feed(ports.store, feed.id) or feed


def lacks_operation(store: Store, feed: Feed) -> bool:
    """Whether lines wait that no hold stops, and no open operation waits for the last of them."""
    if not feed.waiting or hold_items.holds_on(store, feed.hold_subjects):
        return False
    open_operations = push_operation_items.open_operations(store, feed.id, after=feed.delivered_through)
    return all(operation.through != feed.recorded_through for operation in open_operations)
