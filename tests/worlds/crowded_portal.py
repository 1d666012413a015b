"""The portal of a crowded stack: companies with feeds, holds of several reasons, consumers, and dead letters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from feedlane.events.outbox import put_event
from feedlane.feeds import totals
from feedlane.feeds.gap_items import FoundGap, PushGaps, put_gaps
from feedlane.feeds.hole import Hole
from feedlane.feeds.hole_items import add_hole
from feedlane.holds import events as hold_events
from feedlane.holds import history
from feedlane.holds import items as hold_items
from feedlane.ids import derived_id
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add
from feedlane.upkeep.dead_letter_count import note_count
from feedlane.vault.leases import Leases
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.attempt_counts import count_attempt
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from feedlane.webhooks.delivery import Answer, Delivery
from tests import builders
from tests.builders import NOW
from tests.fakes.quick_table import QuickTable
from tests.worlds.many_companies import add_companies
from tests.worlds.web import API_KEY, World

REASONS = ("account-not-valid", "account-archived", "reconnection-needed", "refused", "invalid-data")
CONSUMER, EVENT = "consumer-0", "event-0-0"


def crowded(companies: int, holds: int, consumers: int) -> World:
    """With an operator signed in. Everything is put as the product puts it, so that its counters are right."""
    world = World()
    table = QuickTable()
    table.put_many(world.table.items.values())
    world.store = Store(table)
    world.site.ports = world.ports
    add_companies(world.store, companies)
    for ago in range(30):
        day = (NOW - timedelta(days=ago)).date().isoformat()
        for shard in range(totals.DAY_SHARDS):
            world.store.commit(Add(keys.delivered_total(day, shard), "lines", 40, also={"statements": 1}))
    for number in range(holds):
        _add_hold(world, number)
    for number in range(min(consumers, CONSUMERS_MAX)):
        _add_consumer(world, number)
    for number in range(holds):
        _add_dead_letter(world, number)
        _add_gap(world, number)
        _add_hole(world, number)
        _fail_refresh(world, number)
    note_count(world.store, holds, NOW)
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


def _add_hold(world: World, number: int) -> None:
    connection_id, company = derived_id("connection", str(number)), builders.company(derived_id("company", str(number)))
    names = {"company_id": company.id, "connection_id": connection_id, "account_id": f"account-{number}"}
    since = NOW - timedelta(minutes=number)
    facts = {"reason": REASONS[number % len(REASONS)], "since": since}
    hold = builders.hold(Scope.FEED, f"{connection_id}/account-{number}", id=f"hold-{number:04d}", **names, **facts)
    writes = [*hold_items.add_hold(hold), put_event(hold_events.held(world.ports, hold, 1, company, since))]
    if number % 3 == 0:
        writes.append(history.add_release(world.store, hold, since, "Operations", 3, ()))
    world.store.commit(*writes)


def _add_hole(world: World, number: int) -> None:
    hole = Hole(
        operation_key="p", company_id=derived_id("company", str(number)), requested_on=NOW - timedelta(days=number),
        transactions=2, unread=0, missing=2, error="It is too old.",
    )  # fmt: skip
    world.store.commit(add_hole(f"{derived_id('connection', str(number))}/account-{number}", hole))


def _add_gap(world: World, number: int) -> None:
    amounts = {"expected_balance": Decimal(1), "given_balance": Decimal(2)}
    gap = FoundGap(line=number + 1, transaction_id="t", after="2026-05-01", before="2026-05-02", **amounts)
    push = PushGaps(operation_key="p", found=NOW - timedelta(seconds=number), count=1, gaps=(gap,))
    world.store.commit(put_gaps(f"{derived_id('connection', str(number))}/account-{number}", push))


def _fail_refresh(world: World, number: int) -> None:
    leases = Leases(world.store.table, world.clock)
    lease = leases.take(leases.read(f"token-set-{number}"), refresh=True)
    assert lease is not None
    leases.release(lease, in_doubt=True)


def _add_dead_letter(world: World, number: int) -> None:
    ids = {"companyId": derived_id("company", str(number)), "connectionId": derived_id("connection", str(number))}
    account = f"account-{number}"
    push = {**ids, "accountId": account, "transactions": []}
    world.letters_aws.send("transactions-dead-letters.fifo", push, f"{ids['connectionId']}/{account}")


def _add_consumer(world: World, number: int) -> None:
    consumer = Consumer(id=f"consumer-{number}", url=f"https://{number}.example.com/hooks", created=NOW)
    world.store.commit(*webhook_items.add_counted_consumer(consumer, CONSUMERS_MAX))
    for at in range(60 if number == 0 else 2):
        event = webhook_events.consumer_test(builders.ports(lambda: f"event-{number}-{at}"), consumer, NOW)  # noqa: B023
        answer = Answer(status=204 if at % 5 else 500)
        delivery = Delivery.of(event, consumer.id).after_attempt(answer, NOW, 0.0)
        writes = (put_event(event), webhook_items.put_delivery(delivery, NOW), count_attempt(delivery, answer, NOW))
        world.store.commit(*writes)
