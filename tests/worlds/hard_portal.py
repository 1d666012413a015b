"""The hardest stack to show: more of everything than a page has, of names that no page expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionFault, ConnectionStatus
from feedlane.companies.source_account import AccountMapping, SourceAccountStatus
from feedlane.errors import Finding
from feedlane.events.outbox import put_event
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.gap_items import FoundGap, PushGaps
from feedlane.feeds.hole import Hole
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.holds import events as hold_events
from feedlane.holds import history
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.store import keys
from feedlane.store.table import Put
from feedlane.web.portal.holds import hold_words
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from feedlane.webhooks.delivery import Answer, Delivery
from feedlane.webhooks.replay import Replay, ReplayState
from tests import builders

# 255 letters without a place to break, and a text from right to left with a picture in it.
LONG, RIGHT_TO_LEFT = "Wm" * 127 + "x", "مخبز الميناء 🥐 " * 12
NAMES = {"long": LONG, "right to left": RIGHT_TO_LEFT}
LINES, STATEMENTS, MANY = 700, 35, 27
BIG = Decimal("987654321098.76")
# Each reason that has words of its own, and one that has not.
REASONS = (*vars(hold_words)["_BY_REASON"], "an-unknown-reason")


@dataclass(frozen=True)
class Hard:
    """The ids of what is worth a look."""

    company_id: str
    connection_id: str
    account_id: str
    hold_id: str
    consumer_id: str
    event_id: str
    push_key: str


def add_hard_data(ports: Ports, connection: Connection, name: str) -> Hard:
    """Around this connection, whose company, organisation and accounts get the name."""
    store, now = ports.store, ports.clock()
    company = company_items.company(store, connection.company_id)
    named = company.but(name=name, tags={"region": "uk", "note": name[:90]}, connection_ids=(connection.id,))
    linked = connection.but(
        status=ConnectionStatus.LINKED,
        tenant=builders.tenant(name=name, country="GB", base_currency="GBP", plan="Standard"),
        token_set_id="tokens-1",
        linked_on=now - timedelta(days=40),
        errors=(_fault(name, now), _fault(name, now)),
    )
    store.commit(company_items.put_company(named), company_items.put_connection(linked))
    feeds = [_feed(linked, f"account-{number:02}", now) for number in range(MANY)]
    for feed in feeds:
        store.commit(*_account(feed, name, now), feed_items.add_feed(feed))
    _fill(ports, feeds[0], name, now)
    for number in range(MANY):
        other = builders.company(f"company-{number:02}", name=name, created=now, tags=named.tags)
        store.commit(*company_items.add_counted_company(other))
    for number, hold in enumerate(_holds(feeds[0], name, now)):
        event = hold_events.held(ports, hold, number, named, hold.since)
        writes = [*hold_items.add_hold(hold), put_event(event)]
        store.commit(*writes, history.add_release(store, hold, hold.since, name[:50], 987_654_321, ()))
    for number in range(8):
        key = ApiKey(id=f"key-{number}", name=name[:50], fingerprint=f"f-{number}", ending="abcd", created=now)
        store.commit(settings_items.add_api_key(key))
    consumer_id, event_id = _add_consumers(ports, name, now)
    return Hard(company.id, linked.id, feeds[0].account_id, "hold-00", consumer_id, event_id, push_key="refused")


def _fault(name: str, on: datetime) -> ConnectionFault:
    return ConnectionFault(status_code="403", status_text=name, error_message=name, errored_on=on, reason="x" * 40)


def _feed(connection: Connection, account_id: str, now: datetime) -> Feed:
    at_xero = {"delivered_through": LINES - 20, "statements": STATEMENTS - 1, "delivered_on": now}
    recorded = {"recorded_through": LINES, "recorded_date": str(now.date()), "recorded_balance": BIG}
    return builders.feed(connection, account_id, created=now, gaps=1, holes=1, **recorded | at_xero)


def _account(feed: Feed, name: str, now: datetime) -> tuple[Put, ...]:
    mapping = AccountMapping(
        feed_connection_id=feed.feed_connection_id, account_token=feed.account_id, target_account_name=name
    )
    number = int(feed.account_id[-2:])
    status = (SourceAccountStatus.CONNECTED, SourceAccountStatus.CONNECTING)[number % 5 == 4]
    facts = {"account_name": name, "account_number": f"2001{number:04}", "balance": BIG, "modified": now}
    account = builders.mapped_account(feed, mapping=mapping, status=status, **facts)
    if number % 3 == 2:
        refusal = Problem(type="invalid-request", title=name, status=400, detail=name)
        account = account.but(mapping=None, status=SourceAccountStatus.PENDING, problem=refusal)
    return (company_items.add_source_account(account),)


def _fill(ports: Ports, feed: Feed, name: str, now: datetime) -> None:
    """Lines, statements, refused pushes, gaps and holes of one feed."""
    store = ports.store
    store.commit(*feed_items.add_lines(feed.id, 1, list(_lines(name, now))))
    for number in range(1, STATEMENTS):
        store.commit(*statement_items.add_statement(_statement(feed, number, name, now), b"x"))
    refused = _refused(feed, name, now)
    store.commit(push_operation_items.put_operation(refused))
    for number in range(MANY):
        store.commit(push_operation_items.put_operation(refused.but(key=f"{number:02}-{name[:40]}", errors=())))
    gap = FoundGap(
        line=680, transaction_id=name[:200], after="2026-01-01", before="2026-02-09", expected_balance=-BIG,
        given_balance=BIG,
    )  # fmt: skip
    push = PushGaps(operation_key="refused", found=now, count=999, gaps=(gap, gap))
    pk, sk = keys.gaps(feed.id, gap.line)
    hole = Hole(
        operation_key="refused", company_id=feed.company_id, requested_on=now, transactions=987_654, unread=3,
        missing=987_651, next_missing=name[:200], first_date="2026-01-01", last_date="2026-02-09", error=name,
    )  # fmt: skip
    store.commit(Put(push.model_dump(mode="json") | {"pk": pk, "sk": sk}), hole_items.add_hole(feed.id, hole))


def _lines(name: str, now: datetime) -> Iterator[Line]:
    for number in range(1, LINES + 1):
        day = str((now - timedelta(days=(LINES - number) // 30)).date())
        text = (name, "Card payment")[number % 2]
        yield Line(f"t-{number}", day, Decimal(-number), BIG, text, text, text, "")


def _statement(feed: Feed, number: int, name: str, now: datetime) -> StatementRecord:
    ended, is_last = now - timedelta(hours=20 * (STATEMENTS - number)), number == STATEMENTS - 1
    return StatementRecord(
        feed_id=feed.id, number=number, first=number * 20 - 19, last=number * 20,
        state=StatementState.POSTING if is_last else StatementState.DELIVERED, start_date=str(ended.date()),
        end_date=str(ended.date()), start_balance=-BIG, end_balance=BIG, upstream_id=name[:36],
        created=ended, posted_on=ended, ended_on=None if is_last else ended, stuck=is_last,
    )  # fmt: skip


def _refused(feed: Feed, name: str, now: datetime) -> PushOperation:
    ids = (name[:200], *(f"new-{number}" for number in range(60)))
    findings = tuple(Finding(item_id=id, message=name, validator="Chronological") for id in ids)
    return PushOperation(
        key="refused", company_id=feed.company_id, connection_id=feed.connection_id, account_id=feed.account_id,
        door=Door.API, requested_on=now, completed_on=now, status=PushStatus.FAILED, status_code=400, transactions=61,
        error_message=name, errors=findings,
    )  # fmt: skip


def _holds(feed: Feed, name: str, now: datetime) -> Iterator[Hold]:
    """One of each reason. Two stop more than a feed."""
    yield _hold(0, Scope.FEED, feed.id, REASONS[-1], name, now).but(
        company_id=feed.company_id, connection_id=feed.connection_id, account_id=feed.account_id, line=1,
        transaction_id=name[:200],
    )  # fmt: skip
    yield _hold(1, Scope.APP, APP_SUBJECT, "app-suspended", name, now)
    yield _hold(2, Scope.CONNECTION, feed.connection_id, "reconnection-needed", name, now).but(
        company_id=feed.company_id, connection_id=feed.connection_id, releasing=True, released=987_654_321
    )
    for number, reason in enumerate((*REASONS, *[REASONS[0]] * 4), 3):
        yield _hold(number, Scope.FEED, f"gone/{number}", reason, name, now).but(
            company_id=f"company-{number % MANY:02}", connection_id="gone", account_id=str(number)
        )


def _hold(number: int, scope: Scope, subject: str, reason: str, name: str, now: datetime) -> Hold:
    problem = Problem(type="invalid-organisation-bank-feeds", title=name, status=403, detail=name)
    since = now - timedelta(hours=number)
    return builders.hold(scope, subject, id=f"hold-{number:02}", reason=reason, problem=problem, since=since)


def _add_consumers(ports: Ports, name: str, now: datetime) -> tuple[str, str]:
    """More than a page has; the first with deliveries of each outcome, the second one disabled."""
    store = ports.store
    for number in range(MANY):
        consumer = Consumer(
            id=f"consumer-{number:02}", url=f"https://platform.example/{number}/{name}", created=now,
            company_tags=(f"note:{name[:90]}",), header_names=("x" * 60,), disabled=number == 1,
            disabled_because="gone" if number == 1 else "",
        )  # fmt: skip
        store.commit(*webhook_items.add_counted_consumer(consumer, CONSUMERS_MAX))
        for at in range(MANY if number == 0 else 1):
            event = webhook_events.consumer_test(builders.ports(lambda: f"event-{number}-{at}"), consumer, now)  # noqa: B023
            answer = Answer(status=(204, 500)[at % 2], excerpt=name, duration_ms=987_654)
            delivery = Delivery.of(event, consumer.id).after_attempt(answer, now, 0.0)
            store.commit(put_event(event), webhook_items.put_delivery(delivery, now))
    for number, state in enumerate(ReplayState):
        replay = Replay(
            id=f"replay-{number}", consumer_id="consumer-00", since=now, until=now, started=now, state=state,
            succeeded=987_654_321, failed=987_654_321,
        )  # fmt: skip
        store.commit(webhook_items.put_replay(replay, now))
    return "consumer-00", "event-0-1"
