"""A platform as it might be after some weeks: companies and feeds with believable names, amounts and troubles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.companies.source_accounts import ACCOUNTS_MAX
from feedlane.events.event import Event
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.feeds.totals import DAY_SHARDS
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.store import keys
from feedlane.store.table import Add, Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from tests import builders

COMPANIES = (
    "Alder & Finch Architects", "Beacon Street Dental", "Copperfield Antiques", "Dunmore Farm Shop", "Eastgate Cycles",
    "Fenwick Plumbing", "Greenway Physiotherapy", "Hollis Printworks", "Ivy Lane Nursery", "Juniper Catering",
    "Kestrel Freight", "Larkspur Events",
)  # fmt: skip
PLANS = ("Standard", "Premium", "Starter")
DAYS, WAITING = 38, 4
OPENING = {"current": Decimal("18240.55"), "savings": Decimal("42500")}
BOOKINGS = (
    ("Card takings", "", "1284.60"), ("Drawing paper", "Weston Mill", "-412.35"),
    ("Invoice 2043", "Harbour Hotel", "640"),
    ("Van lease", "Northgate Vehicles", "-289.90"), ("Card takings", "", "807.25"), ("Wages", "", "-1935.40"),
    ("Electricity", "Severn Power", "-184.12"),
)  # fmt: skip
# By the place of the company: what Xero says, and how long ago it began to.
ARCHIVED = Problem(
    type="account-archived",
    title="Account archived",
    status=422,
    detail="The bank account that this feed is connected to is archived.",
)
NO_BANK_FEEDS = Problem(
    type="invalid-organisation-bank-feeds",
    title="Invalid Organisation",
    status=403,
    detail="The organisation does not support automated bank feeds.",
)
HELD = {
    3: ("account-archived", ARCHIVED, timedelta(hours=26)),
    8: ("account-archived", ARCHIVED, timedelta(hours=5)),
    10: ("organisation-without-bank-feeds", NO_BANK_FEEDS, timedelta(minutes=50)),
}


@dataclass(frozen=True)
class Believable:
    """Whose pages are worth a picture."""

    company: Company
    feed: Feed


def add_believable_data(ports: Ports) -> Believable:
    """Everything is put as the product puts it, so that its counters are right."""
    now = ports.clock()
    for ago in range(30):
        day = now - timedelta(days=ago)
        share = 0.2 if day.weekday() > 4 else 1 + day.day % 5 / 6
        key = keys.delivered_total(day.date().isoformat(), ago % DAY_SHARDS)
        ports.store.commit(Add(key, "lines", int(340 * share), also={"statements": int(31 * share)}))
    made = [_add_company(ports, place, now) for place in range(len(COMPANIES))]
    for number, url in enumerate(("https://api.ledgerly.example/xero-events", "https://ops.ledgerly.example/alerts")):
        consumer = Consumer(id=derived_id("consumer", str(number)), url=url, created=now - timedelta(days=60))
        ports.store.commit(*webhook_items.add_counted_consumer(consumer, CONSUMERS_MAX))
    return made[0]


def _add_company(ports: Ports, place: int, now: datetime) -> Believable:
    created = now - timedelta(days=44 - place * 3, minutes=place * 7)
    connection_id, name = derived_id("connection", COMPANIES[place]), COMPANIES[place]
    company = builders.company(
        derived_id("company", name), name=name, created=created, connection_ids=(connection_id,), tags={"region": "uk"}
    )
    tenant = builders.tenant(
        derived_id("tenant", name), name=name, country="GB", base_currency="GBP", plan=PLANS[place % len(PLANS)]
    )
    linked = {"tenant": tenant, "linked_on": created + timedelta(hours=2)}
    connection = builders.linked(connection_id, company_id=company.id, created=created, **linked)
    ports.store.commit(
        *company_items.add_counted_company(company),
        company_items.add_connection(connection),
        Add(keys.LINKED_COUNT, "count", 1, set={"mark": f"+{connection_id}#1", "reported": 0}),
        put_event(company_events.connection_connected(ports, connection, company, connection.linked_on or now)),
    )
    feeds = [
        _add_feed(ports, company, connection, id, account_name, number, now)
        for id, account_name, number in (
            ("current", "Business current account", f"2048{place:02}17"),
            ("savings", "Reserve account", f"2048{place:02}92"),
        )
    ]
    if place in HELD:
        _add_hold(ports, company, feeds[0], place, now)
    return Believable(company, feeds[0])


def _add_feed(
    ports: Ports, company: Company, connection: Connection, id: str, name: str, number: str, now: datetime
) -> Feed:
    days = [list(day) for day in _days(OPENING[id], id, now)]
    lines, store = [line for day in days for line in day], ports.store
    waiting = WAITING if id == "current" else 0
    recorded = {"recorded_through": len(lines), "recorded_date": lines[-1].date, "recorded_balance": lines[-1].balance}
    delivered = {"delivered_through": len(lines) - waiting, "delivered_on": now - timedelta(minutes=3)}
    feed = builders.feed(connection, id, created=connection.linked_on, statements=DAYS, **recorded | delivered)
    account = _account(feed, name, number, connection.linked_on or now)
    pending = account.but(status=SourceAccountStatus.PENDING)
    store.commit(
        *company_items.add_counted_account(pending, ACCOUNTS_MAX),
        feed_items.add_feed(feed),
        Add(keys.waiting_total(0), "waiting", feed.waiting),
    )
    connected = company_events.source_account_connected(ports, account, company, account.modified)
    store.commit(*company_items.change_source_account(pending, account), put_event(connected))
    store.commit(*feed_items.add_lines(feed.id, 1, lines))
    for statement in _statements(feed, days, now):
        store.commit(*statement_items.add_statement(statement, b"{}"))
    for push in _pushes(feed, days, now):
        store.commit(push_operation_items.put_operation(push))
    return feed


def _account(feed: Feed, name: str, number: str, modified: datetime) -> SourceAccount:
    mapping = AccountMapping(feed_connection_id=feed.feed_connection_id, account_token=number)
    of_bank = {
        "account_name": name,
        "account_number": number,
        "sort_code": "204817",
        "balance": OPENING[feed.account_id],
    }
    return builders.mapped_account(feed, mapping=mapping, modified=modified, **of_bank)


def _days(balance: Decimal, account_id: str, now: datetime) -> Iterator[Iterator[Line]]:
    """The lines of each day: few at the weekend, and at least enough for what waits today."""
    number = 0
    for ago in reversed(range(DAYS)):
        day = now - timedelta(days=ago)
        count = 7 if not ago else 2 if day.weekday() > 4 else 5 + day.day * 5 % 7
        lines = []
        for _ in range(count if account_id == "current" else 1 + count // 4):
            description, payee, amount = BOOKINGS[number % len(BOOKINGS)]
            swing = Decimal((number * number + day.day * 11) % 47 - 23) * Decimal("21.15")
            signed = Decimal(amount) + swing
            balance, number = balance + signed, number + 1
            lines.append(Line(f"bk-{70310 + number}", str(day.date()), signed, balance, description, payee, "", ""))
        yield iter(lines)


def _statements(feed: Feed, days: list[list[Line]], now: datetime) -> Iterator[StatementRecord]:
    """One for each day, of what does not wait."""
    first, balance = 1, OPENING[feed.account_id]
    for number, day in enumerate(days, 1):
        sent = day[: feed.delivered_through - first + 1]
        ended = now - timedelta(days=DAYS - number, minutes=3)
        yield StatementRecord(
            feed_id=feed.id, number=number, first=first, last=first + len(sent) - 1, state=StatementState.DELIVERED,
            start_date=sent[0].date, end_date=sent[-1].date, start_balance=balance, end_balance=sent[-1].balance,
            upstream_id=derived_id(feed.id, str(number)), created=ended, posted_on=ended, ended_on=ended,
        )  # fmt: skip
        first, balance = first + len(sent), sent[-1].balance


def _pushes(feed: Feed, days: list[list[Line]], now: datetime) -> Iterator[PushOperation]:
    """Those of the last week."""
    for ago, day in enumerate(reversed(days[-7:])):
        is_done = ago > 0 or not feed.waiting
        asked = now - timedelta(days=ago, minutes=5)
        yield PushOperation(
            key=derived_id(feed.id, f"push {ago}"), company_id=feed.company_id, connection_id=feed.connection_id,
            account_id=feed.account_id, door=Door.API if ago % 3 else Door.QUEUE, requested_on=asked,
            status=PushStatus.SUCCESS if is_done else PushStatus.PENDING, status_code=200 if is_done else 202,
            completed_on=asked + timedelta(seconds=9) if is_done else None, transactions=len(day), lines=len(day),
        )  # fmt: skip


def _add_hold(ports: Ports, company: Company, feed: Feed, place: int, now: datetime) -> None:
    reason, problem, ago = HELD[place]
    hold: Hold = builders.hold(
        Scope.FEED, feed.id, id=derived_id("hold", feed.id), reason=reason, problem=problem, since=now - ago,
        company_id=company.id, connection_id=feed.connection_id, account_id=feed.account_id,
    )  # fmt: skip
    event: Event = hold_events.held(ports, hold, feed.waiting, company, hold.since)
    writes: list[Write] = [*hold_items.add_hold(hold), put_event(event)]
    ports.store.commit(*writes)
