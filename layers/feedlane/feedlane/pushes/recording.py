"""From the queue into the ledger: each message becomes a push operation and, if it is valid, ledger lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.clock import local_date
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.errors import Finding
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.gathering import is_gathering, next_gathering
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.pushes.appending import AppendContext, append_all, refuse_all
from feedlane.pushes.message import PushMessage, QueueMessage
from feedlane.pushes.queue_door import batches, holds_and_recorded_ids, parsed, read_ahead, read_push, with_company
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.store.attempts import attempts
from feedlane.store.store import Store


def record(ports: Ports, messages: Sequence[QueueMessage], more_to_come: bool = False) -> None:
    """Records messages of one group in their order, in as few commits as possible.

    `more_to_come`: more messages wait on the queue, so that a statement that is not full yet waits a little.
    Messages without a known company go to the dead-letter queue with the reason and block no others.
    An exception means that the remaining messages are not recorded and must be received again.

    Ten messages of a feed cost two reads and a commit, and a wake-up or a last check of the holds: a request to the
    table takes far longer than the work between two of them.
    """
    for batch in batches(parsed(ports.queues, messages)):
        # A delivery or another append may change the feed at the same time.
        for attempt in attempts(f"feed {batch[0].feed_id}"):
            with attempt:
                _record(ports, ports.clock(), batch, more_to_come)


def _record(ports: Ports, now: datetime, messages: Sequence[PushMessage], more_to_come: bool) -> None:
    ahead = read_ahead(ports.store, messages)
    company, messages = with_company(ahead, ports.queues, messages)
    if company is None or not messages:
        return
    feed = feed_items.find_feed(ahead, messages[0].feed_id)
    connection = company_items.find_connection(ahead, company.id, messages[0].connection_id)
    today = local_date(now, connection.tenant.time_zone if connection and connection.tenant else "UTC")
    pushes = [read_push(ahead, message, feed, today) for message in messages]
    standing, recorded = holds_and_recorded_ids(ahead, feed, pushes) if feed else ([], {})
    # A hold that is being released does not stop new lines: they are sent under their own operation.
    holds = [hold for hold in standing if not hold.releasing]
    waits_for_customer = any(hold.scope is Scope.CONNECTION for hold in holds)
    is_linked = connection is not None and (connection.status is ConnectionStatus.LINKED or waits_for_customer)
    # A disconnected account still records if its feed is held, because mapping the account again lifts that hold; and
    # so does one whose feed connection is made as soon as Xero allows it.
    is_fed = feed is not None and (
        feed.feed_connection_id or feed.awaits_connection or any(hold.scope is Scope.FEED for hold in holds)
    )
    if feed is None or connection is None or feed.company_id != company.id or not is_linked or not is_fed:
        refuse_all(ports, pushes, _no_feed_finding(connection is not None, is_linked), company, now)
        return
    context = AppendContext(company, holds, settings_items.settings(ahead).gap_is_error, now)
    was_waiting, has_repeats = feed.waiting > 0, any(push.is_done for push in pushes)
    feed = append_all(ports, feed.but(gathering=next_gathering(feed, now, more_to_come)), recorded, pushes, context)
    should_wake = feed.flight is None and (not was_waiting or has_repeats or not is_gathering(feed, now))
    if feed.waiting and (should_wake or _is_newly_held(ports.store, feed, holds)):
        ports.queues.wake(feed.id)


def _is_newly_held(store: Store, feed: Feed, holds: Sequence[Hold]) -> bool:
    """Whether a hold was placed while we recorded: then only a wake-up fails the operations of the new lines.

    Asked only if a statement or a wake-up is under way, which may have passed before these lines were recorded.
    """
    return not holds and bool(hold_items.holds_on(store, feed.hold_subjects))


def _no_feed_finding(has_connection: bool, is_linked: bool) -> Finding:
    if not has_connection:
        return Finding(item_id="connectionId", message="is not a connection of this company", validator="Exists")
    if not is_linked:
        return Finding(item_id="connectionId", message="is not linked to a Xero organisation", validator="Linked")
    return Finding(item_id="accountId", message="is not connected to a Xero bank account", validator="Connected")
