"""Test your integration: what can be checked without a customer, one thing after the other, each with a remedy.

What only shows later (a message on its way, a webhook) is sent when the test begins, and looked at whenever the result
is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import connection_limit
from feedlane.companies.connection import UpstreamName
from feedlane.credentials.vault import Vault
from feedlane.errors import Conflict, NotFound, Unavailable
from feedlane.ports import Ports
from feedlane.pushes import round_trip
from feedlane.record import Record
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put
from feedlane.upkeep import codat_checks
from feedlane.upkeep.check import Check, Outcome, failed, ok, skipped
from feedlane.upkeep.outside import Outside
from feedlane.upkeep.xero_checks import XeroChecks
from feedlane.webhooks import consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery, DeliveryState

# Longer than a cold start of each function on the way.
ARRIVES_WITHIN = timedelta(seconds=60)
_NOBODY = "00000000-0000-4000-8000-000000000000"


class SelfTest(Record):
    """`id` is also that of the message on the queue. `upstream` is the one that new connections had by then."""

    id: str
    began: datetime
    upstream: UpstreamName = UpstreamName.XERO
    entries: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is tested. `redirect_uri` is where Xero sends customers back to, `callback_url` where Codat does."""

    ports: Ports
    vault: Vault
    outside: Outside
    redirect_uri: str
    callback_url: str


def last_test(store: Store) -> SelfTest | None:
    return record_in(SelfTest, store.table.get(keys.SELF_TEST))


def run(subject: Subject) -> SelfTest:
    """Makes the checks, sends what is on its way for a while, and stores all that. It replaces the last test."""
    ports, outside = subject.ports, subject.outside
    settings = settings_items.settings(ports.store)
    test = SelfTest(id=ports.new_id(), began=ports.clock(), upstream=settings.upstream)
    link = f"{ports.public_url}/link/companies/{_NOBODY}/connections/{_NOBODY}/start"
    consent, clock = _consent(subject, settings, link)
    entries = (*consent, _queue(ports, test.id), *_webhooks(ports), _alarms(outside), *clock)
    test = test.but(entries=entries)
    ports.store.commit(Put(item_of(keys.SELF_TEST, test)))
    return test


def _consent(subject: Subject, settings: Settings, link: str) -> tuple[list[Check], list[Check]]:
    """What customers meet on their way to a connection; and the clock, if there is another to compare it with.

    Xero's app is tested where new connections are its, and where it still has some.
    """
    outside, ports = subject.outside, subject.ports
    xero = XeroChecks(outside, settings, subject.redirect_uri) if _uses_xero(ports.store, settings) else None
    at_xero = xero.ask() if xero else None
    answered = ports.clock()
    asked = None if settings.is_direct else codat_checks.ask_codat(settings, outside, subject.callback_url)
    urls = [link, *([subject.redirect_uri] if xero else []), *([subject.callback_url] if asked else [])]
    faults = dict(zip(urls, outside.page_faults(*urls), strict=True))
    found: list[Check] = []
    clock: list[Check] = []
    if asked:
        found += codat_checks.checked(settings, asked, subject.callback_url, faults[subject.callback_url])
    if xero and at_xero:
        found += xero.checked(subject.vault, at_xero, faults[subject.redirect_uri])
        clock.append(xero.clock(at_xero, answered))
    return [*found, _link(faults[link])], clock


def _uses_xero(store: Store, settings: Settings) -> bool:
    return settings.is_direct or (settings.has_keys and connection_limit.linked_count(store) > 0)


def results(store: Store, test: SelfTest, now: datetime) -> list[Check]:
    """The checks as they stand now. Two reads, however many webhooks there are."""
    is_late = now - test.began > ARRIVES_WITHIN
    found = store.table.get_many(
        [keys.delivery(check.consumer_id, check.event_id) for check in test.entries if check.event_id]
    )
    entries = []
    for check in test.entries:
        if check.event_id:
            delivery = record_in(Delivery, found.get(keys.delivery(check.consumer_id, check.event_id)))
            check = _webhook_result(check, delivery, is_late)
        elif check.outcome is Outcome.RUNNING:
            check = _queue_result(check, round_trip.has_arrived(store, test.id), is_late)
        entries.append(check)
    return entries


def is_over(entries: Sequence[Check]) -> bool:
    return all(check.outcome is not Outcome.RUNNING for check in entries)


def has_passed(entries: Sequence[Check]) -> bool:
    """Whether nothing failed, and nothing is under way."""
    return all(check.outcome in (Outcome.OK, Outcome.SKIPPED) for check in entries)


def _link(fault: str) -> Check:
    title = "Link"
    if fault:
        remedy = "Look into the log of the function link, and check the address of the deployment."
        return failed(title, f"Its start does not answer: {fault}.", remedy)
    return ok(title, "Its start answers.")


def _queue(ports: Ports, id: str) -> Check:
    title = "Queue of transactions"
    try:
        round_trip.send(ports.queues, id)
    except Unavailable as error:
        return failed(title, f"The test message could not be sent: {error}", "Run the test again in a minute.")
    return Check(title=title, outcome=Outcome.RUNNING, sentence="A test message is on its way.")


def _queue_result(check: Check, has_arrived: bool, is_late: bool) -> Check:
    if has_arrived:
        return ok(check.title, "The test message was received, recognised and dropped.")
    if not is_late:
        return check
    remedy = "Look into the log of the function record_transactions, and at the alarms."
    return failed(check.title, "The test message has not been received within a minute.", remedy)


def _webhooks(ports: Ports) -> list[Check]:
    listed = webhook_items.consumers(ports.store)
    if listed:
        return [_send_webhook(ports, consumer) for consumer in listed]
    sentence = "There is no consumer."
    return [skipped("Webhooks", sentence, "Add one under Webhooks.")]


def _send_webhook(ports: Ports, consumer: Consumer) -> Check:
    title = f"Webhook to {consumer.url}"
    try:
        delivery = consumers.send_test(ports, ports.clock(), consumer.id)
    except (Conflict, NotFound):
        sentence = "It is disabled."
        return skipped(title, sentence, "Enable it under Webhooks.")
    except Unavailable as error:
        return failed(title, f"The test could not be sent: {error}", "Run the test again in a minute.")
    return Check(
        title=title,
        outcome=Outcome.RUNNING,
        sentence="A test is on its way.",
        consumer_id=consumer.id,
        event_id=delivery.event_id,
    )


def _webhook_result(check: Check, delivery: Delivery | None, is_late: bool) -> Check:
    if delivery is not None and delivery.state is DeliveryState.SUCCESS:
        milliseconds = delivery.attempts[-1].duration_ms if delivery.attempts else 0
        return ok(check.title, f"It answered in {milliseconds} ms.")
    if delivery is not None and delivery.attempts:
        last = delivery.attempts[-1]
        remedy = "Check that it is reachable from the internet and answers with a status from 200 to 299."
        return failed(check.title, f"It did not accept the test: {last.error or last.status}.", remedy)
    if not is_late:
        return check
    remedy = "Look into the logs of the functions route_events and deliver_webhooks, and at the alarms."
    return failed(check.title, "The test has not been sent within a minute.", remedy)


def _alarms(outside: Outside) -> Check:
    title = "Alarms"
    try:
        confirmed, pending = outside.alarm_recipients()
    except Unavailable as error:
        return skipped(title, f"Nobody knows who gets them: {error}")
    if pending:
        remedy = "Follow the link in the mail with which AWS asks to confirm the subscription."
        return failed(title, "An address has not confirmed that it wants them, and gets none.", remedy)
    if not confirmed:
        remedy = "Deploy with the parameter OperatorEmail, or subscribe to the alarm topic yourself."
        return skipped(title, "No address gets them.", remedy)
    return ok(title, f"{confirmed} {'address gets' if confirmed == 1 else 'addresses get'} them.")
