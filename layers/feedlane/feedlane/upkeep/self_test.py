"""Test your integration: what can be checked without a customer, one thing after the other, each with a remedy.

What only shows later (a message on its way, a webhook) is sent when the test begins, and looked at whenever the result
is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from feedlane.credentials.authorization import Authorization, Verdict
from feedlane.credentials.vault import Vault
from feedlane.errors import AppKeysRejected, Conflict, NotFound, Unavailable
from feedlane.ports import Ports
from feedlane.pushes import round_trip
from feedlane.record import Record
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put
from feedlane.upkeep.outside import Outside
from feedlane.webhooks import consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery, DeliveryState

# Longer than a cold start of each function on the way.
ARRIVES_WITHIN = timedelta(seconds=60)
# Tokens and signatures of webhooks are still good with this much.
CLOCK_DIFFERENCE_MAX = timedelta(seconds=60)
_NOBODY = "00000000-0000-4000-8000-000000000000"
_BANK_FEEDS = "bankfeeds"
_REMEDIES = {
    Verdict.WRONG_CLIENT: "Xero does not know the client id: check it in step 2.",
    Verdict.WRONG_REDIRECT: "Register the redirect URI first: Xero looks at it before the scopes.",
}


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    RUNNING = "running"


class Check(Record):
    """`sentence` says what was found, `remedy` what to do about it."""

    title: str
    outcome: Outcome
    sentence: str
    remedy: str = ""
    consumer_id: str = ""
    event_id: str = ""
    """Of a webhook that is on its way."""


class SelfTest(Record):
    """`id` is also that of the message on the queue."""

    id: str
    began: datetime
    entries: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is tested."""

    ports: Ports
    vault: Vault
    outside: Outside
    redirect_uri: str


def last_test(store: Store) -> SelfTest | None:
    return record_in(SelfTest, store.table.get(keys.SELF_TEST))


def run(subject: Subject) -> SelfTest:
    """Makes the checks, sends what is on its way for a while, and stores all that. It replaces the last test."""
    ports = subject.ports
    test = SelfTest(id=ports.new_id(), began=ports.clock())
    settings = settings_items.settings(ports.store)
    answer = _ask_xero(subject, settings)
    answered = ports.clock()
    link = f"{ports.public_url}/link/companies/{_NOBODY}/connections/{_NOBODY}/start"
    redirect_fault, link_fault = subject.outside.page_faults(subject.redirect_uri, link)
    test = test.but(
        entries=(
            _keys(subject.vault, settings),
            _redirect(subject, answer, redirect_fault),
            _scopes(subject, settings, answer),
            _link(link_fault),
            _queue(ports, test.id),
            *_webhooks(ports),
            _alarms(subject.outside),
            _clock(answer, answered),
        )
    )
    ports.store.commit(Put(item_of(keys.SELF_TEST, test)))
    return test


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


def ask_about_bank_feeds(outside: Outside, settings: Settings, redirect_uri: str) -> Authorization:
    """Whether Xero grants what bank feeds need, with those as if they were on."""
    return outside.ask_xero(settings.client_id, redirect_uri, settings.but(bank_feeds=True).scopes)


def _ask_xero(subject: Subject, settings: Settings) -> Authorization:
    if not settings.has_keys:
        return Authorization(Verdict.UNKNOWN, reason="there is no client id yet")
    return subject.outside.ask_xero(settings.client_id, subject.redirect_uri, settings.scopes)


def _keys(vault: Vault, settings: Settings) -> Check:
    title = "Keys of the Xero app"
    if not settings.has_keys:
        return _failed(title, "There are none.", "Enter client id and client secret in step 2.")
    try:
        check = vault.app_keys(check=True)
    except (Unavailable, AppKeysRejected) as error:
        return _failed(title, f"They could not be checked: {error}", "Run the test again in a minute.")
    if check.ok:
        return _ok(title, "Xero knows them.")
    if check.ok is None:
        return _failed(title, check.message or "Xero could not be asked.", "Run the test again in a minute.")
    remedy = "Generate a new secret at Xero Developer, under Configuration, and enter it in step 2."
    return _failed(title, "Xero does not know this client id with this secret.", remedy)


def _redirect(subject: Subject, answer: Authorization, fault: str) -> Check:
    title = "Redirect URI"
    if fault:
        remedy = "Check the address of the deployment (the parameter PublicUrl) and what stands in front of it."
        return _failed(title, f"Customers would not come back to {subject.redirect_uri}: {fault}.", remedy)
    if answer.verdict is Verdict.WRONG_REDIRECT:
        remedy = f"Register exactly {subject.redirect_uri} at Xero Developer, under Configuration."
        return _failed(title, "Link answers there, but it is not registered with the Xero app.", remedy)
    if answer.verdict in (Verdict.ACCEPTED, Verdict.WRONG_SCOPE):
        return _ok(title, f"Link answers at {subject.redirect_uri}, which is registered with the Xero app.")
    return _skipped(title, "Link answers there. Whether it is registered with the Xero app, Xero did not say.", answer)


def _scopes(subject: Subject, settings: Settings, answer: Authorization) -> Check:
    title = "Scopes"
    if answer.verdict is Verdict.ACCEPTED:
        without = "" if settings.bank_feeds else " Bank feeds are off, so their scope was not asked for."
        return _ok(title, f"Xero grants {' '.join(settings.scopes)}.{without}")
    if answer.verdict is not Verdict.WRONG_SCOPE:
        return _skipped(title, "Xero did not say which scopes it grants.", answer)
    others = subject.outside.ask_xero(settings.client_id, subject.redirect_uri, settings.but(bank_feeds=False).scopes)
    if settings.bank_feeds and others.verdict is Verdict.ACCEPTED:
        remedy = "Ask Xero for access to the Bank Feeds API for this app. Until then, customers cannot connect."
        return _failed(title, f"Xero does not grant {_BANK_FEEDS} to this app.", remedy)
    remedy = "Check at Xero Developer that the app is of the type Web app, and ask Xero about the scopes."
    return _failed(title, f"Xero does not grant one of {' '.join(settings.scopes)}.", remedy)


def _link(fault: str) -> Check:
    title = "Link"
    if fault:
        remedy = "Look into the log of the function link, and check the address of the deployment."
        return _failed(title, f"Its start does not answer: {fault}.", remedy)
    return _ok(title, "Its start answers.")


def _queue(ports: Ports, id: str) -> Check:
    title = "Queue of transactions"
    try:
        round_trip.send(ports.queues, id)
    except Unavailable as error:
        return _failed(title, f"The test message could not be sent: {error}", "Run the test again in a minute.")
    return Check(title=title, outcome=Outcome.RUNNING, sentence="A test message is on its way.")


def _queue_result(check: Check, has_arrived: bool, is_late: bool) -> Check:
    if has_arrived:
        return _ok(check.title, "The test message was received, recognised and dropped.")
    if not is_late:
        return check
    remedy = "Look into the log of the function record_transactions, and at the alarms."
    return _failed(check.title, "The test message has not been received within a minute.", remedy)


def _webhooks(ports: Ports) -> list[Check]:
    listed = webhook_items.consumers(ports.store)
    if listed:
        return [_send_webhook(ports, consumer) for consumer in listed]
    sentence = "There is no consumer."
    return [Check(title="Webhooks", outcome=Outcome.SKIPPED, sentence=sentence, remedy="Add one under Webhooks.")]


def _send_webhook(ports: Ports, consumer: Consumer) -> Check:
    title = f"Webhook to {consumer.url}"
    try:
        delivery = consumers.send_test(ports, ports.clock(), consumer.id)
    except (Conflict, NotFound):
        sentence = "It is disabled."
        return Check(title=title, outcome=Outcome.SKIPPED, sentence=sentence, remedy="Enable it under Webhooks.")
    except Unavailable as error:
        return _failed(title, f"The test could not be sent: {error}", "Run the test again in a minute.")
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
        return _ok(check.title, f"It answered in {milliseconds} ms.")
    if delivery is not None and delivery.attempts:
        last = delivery.attempts[-1]
        remedy = "Check that it is reachable from the internet and answers with a status from 200 to 299."
        return _failed(check.title, f"It did not accept the test: {last.error or last.status}.", remedy)
    if not is_late:
        return check
    remedy = "Look into the logs of the functions route_events and deliver_webhooks, and at the alarms."
    return _failed(check.title, "The test has not been sent within a minute.", remedy)


def _alarms(outside: Outside) -> Check:
    title = "Alarms"
    try:
        confirmed, pending = outside.alarm_recipients()
    except Unavailable as error:
        return Check(title=title, outcome=Outcome.SKIPPED, sentence=f"Nobody knows who gets them: {error}")
    if pending:
        remedy = "Follow the link in the mail with which AWS asks to confirm the subscription."
        return _failed(title, "An address has not confirmed that it wants them, and gets none.", remedy)
    if not confirmed:
        remedy = "Deploy with the parameter OperatorEmail, or subscribe to the alarm topic yourself."
        return Check(title=title, outcome=Outcome.SKIPPED, sentence="No address gets them.", remedy=remedy)
    return _ok(title, f"{confirmed} {'address gets' if confirmed == 1 else 'addresses get'} them.")


def _clock(answer: Authorization, now: datetime) -> Check:
    title = "Clock"
    if answer.answered_at is None:
        return _skipped(title, "There is no other clock to compare with.", answer)
    difference = abs(now - answer.answered_at)
    seconds = round(difference.total_seconds())
    if difference <= CLOCK_DIFFERENCE_MAX:
        return _ok(title, "It agrees with Xero’s." if seconds < 5 else f"It differs from Xero’s by {seconds} s.")
    return _failed(title, f"It differs from Xero’s by {seconds} s.", "Tokens and signatures depend on it: ask AWS.")


def _ok(title: str, sentence: str) -> Check:
    return Check(title=title, outcome=Outcome.OK, sentence=sentence)


def _failed(title: str, sentence: str, remedy: str) -> Check:
    return Check(title=title, outcome=Outcome.FAILED, sentence=sentence, remedy=remedy)


def _skipped(title: str, sentence: str, answer: Authorization) -> Check:
    said = f"{answer.reason[:1].upper()}{answer.reason[1:]}." if answer.reason else ""
    remedy = _REMEDIES.get(answer.verdict, said)
    return Check(title=title, outcome=Outcome.SKIPPED, sentence=sentence, remedy=remedy)
