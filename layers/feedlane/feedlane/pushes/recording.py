"""From the queue into the ledger: each message becomes a push operation and, if it is valid, ledger lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.clock import local_date
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.errors import Finding
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.gathering import is_gathering, next_gathering
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.pushes.appending import AppendContext, append_all
from feedlane.pushes.holes import mend, open_holes, touched
from feedlane.pushes.message import PushMessage, QueueMessage
from feedlane.pushes.queue_door import (
    Push,
    batches,
    holds_and_recorded_ids,
    parsed,
    read_ahead,
    read_push,
    with_company,
)
from feedlane.pushes.refusing import refuse_all
from feedlane.pushes.round_trip import without_test_messages
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings, rules_for
from feedlane.store.attempts import attempts
from feedlane.store.store import Store


def record(ports: Ports, messages: Sequence[QueueMessage], more_to_come: bool = False) -> None:
    """Records messages of one group in their order, in as few commits as possible.

    `more_to_come`: more messages wait on the queue, so that a statement that is not full yet waits a little.
    Messages without a known company go to the dead-letter queue with the reason and block no others. An operator's test
    message is noted and dropped.
    An exception means that the remaining messages are not recorded and must be received again.

    Ten messages of a feed cost two reads and a commit, and a wake-up or a last check of the holds: a request to the
    table takes far longer than the work between two of them.
    """
    for batch in batches(parsed(ports.queues, without_test_messages(ports, messages))):
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
    today = local_date(now, connection.time_zone if connection else "UTC")
    pushes = [read_push(ahead, message, feed, today) for message in messages]
    standing, recorded = holds_and_recorded_ids(ahead, feed, pushes) if feed else ([], {})
    waits_for_customer = any(hold.scope is Scope.CONNECTION for hold in standing)
    is_linked = connection is not None and (connection.waits_for_upstream or waits_for_customer)
    # A disconnected account still records if its feed is held, because mapping the account again lifts that hold; so
    # does one whose feed connection is made as soon as Xero allows it, and one to be mapped at another upstream.
    is_fed = feed is not None and (
        feed.feed_connection_id
        or feed.awaits_connection
        or feed.changing
        or any(hold.scope is Scope.FEED for hold in standing)
    )
    if feed is None or connection is None or feed.company_id != company.id or not is_linked or not is_fed:
        own = feed if feed is not None and feed.company_id == company.id else None
        refuse_all(ports, own, recorded, pushes, _no_feed_finding(connection is not None, is_linked), company, now)
        return
    settings = settings_items.settings(ahead)
    was_waiting, has_repeats = feed.waiting > 0, any(push.is_done for push in pushes)
    gathering = feed.but(gathering=next_gathering(feed, now, more_to_come))
    feed, holds = _append(ports, now, gathering, recorded, pushes, company, settings, standing)
    should_wake = feed.flight is None and (not was_waiting or has_repeats or not is_gathering(feed, now))
    # A backfill does not fail with the hold that it may lift; if that stands after all, a wake-up fails it.
    has_backfill = bool(holds) and any(push.operation.backfill for push in pushes)
    if feed.waiting and (should_wake or has_backfill or _is_newly_held(ports.store, feed, holds)):
        ports.queues.wake(feed.id)


def _append(
    ports: Ports,
    now: datetime,
    feed: Feed,
    recorded: dict[str, RecordedTransaction],
    pushes: Sequence[Push],
    company: Company,
    settings: Settings,
    standing: Sequence[Hold],
) -> tuple[Feed, list[Hold]]:
    """Appends the pushes, and mends the holes that they fill. Returns the feed after that, and the holds before it."""
    held_before = [hold for hold in standing if not hold.releasing]
    while True:
        # A hold that is being released does not stop new lines: they are sent under their own operation.
        holds = [hold for hold in standing if not hold.releasing]
        holes = open_holes(ports.store, feed, [push.operation for push in pushes])
        rules = rules_for(settings, feed)
        context = AppendContext(company, holds, rules, settings.refusal_holds_feed, holes, now)
        appended = append_all(ports, feed, recorded, pushes, context)
        feed, recorded = appended.feed, appended.recorded
        done, pushes = pushes[: appended.handled], pushes[appended.handled :]
        filled = touched(done[-1], holes.values()) if done else []
        if filled:
            named = {push.operation.backfill for push in done if not _is_refused(push, appended.refused)}
            feed = mend(ports, feed, filled, named, company)
        if not pushes:
            return feed, held_before
        standing = hold_items.holds_on(ports.store, feed.hold_subjects)


def _is_refused(push: Push, refused: frozenset[str]) -> bool:
    return push.operation.is_refused or push.operation.key in refused


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
