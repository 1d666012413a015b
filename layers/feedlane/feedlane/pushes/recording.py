"""From the queue into the ledger: each message becomes a push operation and, if nothing is wrong, ledger lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

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
from feedlane.pushes.queue_door import holds_and_recorded_ids, parsed, read_ahead, read_push, with_company
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.store.attempts import attempts
from feedlane.store.store import Store


def record(ports: Ports, messages: Sequence[QueueMessage], more_to_come: bool = False) -> None:
    """Records messages of one group, in their order, in as few commits as they fit into.

    `more_to_come`: others wait on the queue behind them, so that a statement that is not full yet waits a little.
    What cannot be attributed to a company goes to the dead-letter queue with its reason, so that nobody waits for it.
    An exception means that nothing of the rest is recorded, and that the messages must come again.

    Ten messages of a feed cost two reads and a commit, and a wake-up or a last look at the holds: a request to the
    table takes far longer than what is done between two of them.
    """
    for _, some in groupby(parsed(ports.queues, messages), key=lambda parcel: parcel.company_id):
        together = list(some)
        # The feed moves on meanwhile, by a delivery or another append.
        for attempt in attempts(f"feed {together[0].feed_id}"):
            with attempt:
                _record(ports, ports.clock(), together, more_to_come)


def _record(ports: Ports, now: datetime, parcels: Sequence[PushMessage], more_to_come: bool) -> None:
    ahead = read_ahead(ports.store, parcels)
    company, parcels = with_company(ahead, ports.queues, parcels)
    if company is None or not parcels:
        return
    feed = feed_items.find_feed(ahead, parcels[0].feed_id)
    connection = company_items.find_connection(ahead, company.id, parcels[0].connection_id)
    pushes = [read_push(ahead, parcel, feed, now) for parcel in parcels]
    found, known = holds_and_recorded_ids(ahead, feed, pushes) if feed else ([], {})
    # What comes while a hold is being released goes on by itself, as its own operation.
    holds = [hold for hold in found if not hold.releasing]
    waits_for_customer = any(hold.scope is Scope.CONNECTION for hold in holds)
    linked = connection is not None and (connection.status is ConnectionStatus.LINKED or waits_for_customer)
    # What comes while an account is disconnected is kept where a hold says so, which mapping it again lifts.
    fed = feed is not None and (feed.feed_connection_id or any(hold.scope is Scope.FEED for hold in holds))
    if feed is None or connection is None or feed.company_id != company.id or not linked or not fed:
        why = _no_feed_finding(connection is not None, linked)
        refuse_all(ports, pushes, why, company, now)
        return
    context = AppendContext(company, holds, settings_items.settings(ahead).gap_is_error, now)
    came_again, waited = any(push.is_done for push in pushes), feed.waiting
    feed = append_all(ports, feed.but(gathering=next_gathering(feed, now, more_to_come)), known, pushes, context)
    must_ring = feed.flight is None and (not waited or came_again or not is_gathering(feed, now))
    if feed.waiting and (must_ring or _was_held_meanwhile(ports.store, feed, holds)):
        ports.queues.wake(feed.id)


def _was_held_meanwhile(store: Store, feed: Feed, holds: Sequence[Hold]) -> bool:
    """A hold came about while we recorded behind a statement or a wake-up under way: what was recorded must be told."""
    return not holds and bool(hold_items.holds_on(store, feed.hold_subjects))


def _no_feed_finding(has_connection: bool, linked: bool) -> Finding:
    if not has_connection:
        return Finding(item_id="connectionId", message="no such connection of this company", validator="Exists")
    if not linked:
        return Finding(item_id="connectionId", message="the connection is not linked", validator="Linked")
    return Finding(item_id="accountId", message="the account is not connected to a feed", validator="Connected")
