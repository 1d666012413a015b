"""Creates, changes and deletes webhook consumers. Each has its own signing secret, which the vault keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from feedlane.credentials.vault import Vault
from feedlane.errors import Conflict, Invalid, require_all
from feedlane.events import event as event_types
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks import replayer
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.headers import check_headers
from feedlane.webhooks.replay import Replay
from feedlane.webhooks.target_urls import check_url

COMPANY_TAGS_MAX = 10
COMPANY_TAG_LENGTH_MAX = 128
_TAG = re.compile(r"[^:]+:.+")
# Codat's event types that Feedlane never sends: a consumer may subscribe to them, and gets none.
_CODAT_DATA_TYPES = (
    "accounts|accountTransactions|bankAccounts|bankTransactions|billCreditNotes|billPayments|bills|creditNotes|customers"
    "|directCosts|directIncomes|invoices|itemReceipts|items|journalEntries|journals|payments|purchaseOrders|salesOrders"
    "|suppliers|taxRates|trackingCategories|transfers"
)
_CODAT_ONLY_EVENTS = re.compile(
    rf"({_CODAT_DATA_TYPES})\.write\.(successful|unsuccessful)|read\.completed(\.initial)?|company\.product\.(added|removed)"
    r"|client\.rateLimit\.(reached|reset)"
)
# Codat's former event names, and the current ones for each.
FORMER_NAMES = {
    "DataConnectionStatusChanged": (
        event_types.CONNECTION_CONNECTED, event_types.CONNECTION_DISCONNECTED, event_types.CONNECTION_RECONNECTED,
    ),
    "PushOperationStatusChanged": (event_types.WRITE_SUCCESSFUL, event_types.WRITE_UNSUCCESSFUL),
    "PushOperationTimedOut": (event_types.WRITE_UNSUCCESSFUL,),
    "SyncConnectionDeleted": (event_types.CONNECTION_DELETED,),
    "NewCompanySynchronized": ("read.completed.initial",),
    "DataSyncCompleted": ("read.completed",),
    "DataSyncStatusChangedToError": ("read.completed",),
    "DatasetDataChanged": ("read.completed",),
    "ClientRateLimitReached": ("client.rateLimit.reached",),
    "ClientRateLimitReset": ("client.rateLimit.reset",),
}  # fmt: skip


def create(
    ports: Ports,
    vault: Vault,
    targets: str,
    now: datetime,
    url: str,
    event_types: Iterable[str],
    company_tags: Iterable[str],
    disabled: bool,
    headers: Mapping[str, str] | None = None,
) -> tuple[Consumer, str]:
    """The new consumer and its signing secret. Former event names become the current ones. Raises `Invalid`.

    Whatever fails, nothing is left behind: no one has seen the secret, so a consumer without this answer is no use.

    `targets` is "public" or "any": where webhooks of this deployment may go.
    """
    names, tags = tuple(event_types), tuple(company_tags)
    require_all(
        lambda: check_url(url, targets),
        lambda: _event_types(names),
        lambda: _tags(tags),
        lambda: check_headers(headers or {}),
    )
    checked_headers = check_headers(headers or {})
    consumer = Consumer(
        id=ports.new_id(),
        url=check_url(url, targets),
        event_types=_event_types(names),
        company_tags=_tags(tags),
        header_names=tuple(checked_headers),
        disabled=disabled,
        disabled_because="asked" if disabled else "",
        created=now,
    )
    if len(webhook_items.consumers(ports.store)) >= CONSUMERS_MAX:
        raise _too_many()
    try:
        secret = vault.create_webhook_secret(consumer.id)
        if checked_headers:
            vault.set_webhook_headers(consumer.id, checked_headers)
        ports.store.commit(*webhook_items.add_counted_consumer(consumer, CONSUMERS_MAX))
    except Exception as error:
        _undo_creation(ports.store, vault, consumer.id)
        raise _too_many() if isinstance(error, ConditionFailed) else error from error
    return consumer, secret


def _undo_creation(store: Store, vault: Vault, consumer_id: str) -> None:
    """Removes the consumer, if it was stored and only the answer was lost, and its secret.

    What fails here is not reported: the caller raises what made the creation fail.
    """
    with suppress(Exception):
        store.commit(*webhook_items.remove_counted_consumer(webhook_items.consumer(store, consumer_id)))
    with suppress(Exception):
        vault.delete_webhook_secret(consumer_id)


def change(
    store: Store,
    vault: Vault,
    targets: str,
    consumer_id: str,
    url: str | None = None,
    event_types: Iterable[str] | None = None,
    company_tags: Iterable[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Consumer:
    """Changes the given fields only; headers are replaced as a whole. Raises `Invalid`, `NotFound`."""
    changes: dict[str, Any] = {}
    if url is not None:
        changes["url"] = check_url(url, targets)
    if event_types is not None:
        changes["event_types"] = _event_types(event_types)
    if company_tags is not None:
        changes["company_tags"] = _tags(tuple(company_tags))
    if headers is not None:
        checked_headers = check_headers(headers)
        changes["header_names"] = tuple(checked_headers)
        vault.set_webhook_headers(webhook_items.consumer(store, consumer_id).id, checked_headers)
    return _update(store, consumer_id, **changes)


def rotate_secret(store: Store, vault: Vault, now: datetime, consumer_id: str) -> tuple[Consumer, str]:
    """The consumer and its new signing secret, shown only now. The previous one also signs for 24 hours.

    Raises `Invalid`, `NotFound`.
    """
    secret = vault.create_webhook_secret(webhook_items.consumer(store, consumer_id).id)
    return _update(store, consumer_id, secret_rotated=now), secret


def disable(store: Store, consumer_id: str) -> Consumer:
    """Stops sending until the consumer is enabled; its events are kept. Raises `NotFound`."""
    return _update(store, consumer_id, disabled=True, disabled_because="asked", failing_since=None)


def enable(ports: Ports, now: datetime, consumer_id: str) -> tuple[Consumer, Replay]:
    """Enables the consumer and starts a replay that sends its waiting deliveries, in the order of the events.

    If it is already enabled, only the replay is started again. Both are one commit: otherwise a crash could leave an
    enabled consumer whose waiting deliveries are never sent. Raises `NotFound`.
    """
    for attempt in attempts(f"webhook consumer {consumer_id}"):
        before = webhook_items.consumer(ports.store, consumer_id)
        after = before.but(disabled=False, disabled_because="", failing_since=None)
        if after == before:
            return before, replayer.resume(ports, now, consumer_id)
        replay = replayer.replay_of_waiting(ports.store, now, consumer_id)
        with attempt:
            ports.store.commit(webhook_items.put_consumer(after), webhook_items.put_replay(replay, now))
    ports.queues.replay(consumer_id, replay.id, 0)
    return after.but(version=before.version + 1), replay


def send_test(ports: Ports, now: datetime, consumer_id: str) -> Delivery:
    """Sends a test event to this consumer only, by the usual route. Raises `NotFound`, `Conflict` if it is disabled."""
    consumer = webhook_items.consumer(ports.store, consumer_id)
    if consumer.disabled:
        raise Conflict(f"Webhook consumer {consumer_id} is disabled; enable it first.")
    test = webhook_events.consumer_test(ports, consumer, now)
    delivery = Delivery.of(test, consumer.id)
    ports.store.commit(
        put_event(test), webhook_items.put_delivery(delivery, now), webhook_items.consumer_unchanged(consumer)
    )
    ports.queues.deliver(consumer.id, test.id, 0)
    return delivery


def delete(store: Store, vault: Vault, consumer_id: str) -> None:
    """Deletes the secret first: after a crash, the consumer is still there to be deleted. Raises `NotFound`."""
    consumer = webhook_items.consumer(store, consumer_id)
    vault.delete_webhook_secret(consumer.id)
    store.commit(*webhook_items.remove_counted_consumer(consumer))


def _update(store: Store, consumer_id: str, **changes: Any) -> Consumer:
    """Retries if a delivery has written to the consumer at the same time."""
    for attempt in attempts(f"webhook consumer {consumer_id}"):
        consumer = webhook_items.consumer(store, consumer_id)
        changed = consumer.but(**changes)
        if changed == consumer:
            return consumer
        with attempt:
            store.commit(webhook_items.put_consumer(changed))
    return changed.but(version=consumer.version + 1)


def _too_many() -> Invalid:
    rule = f"there are already {CONSUMERS_MAX} consumers, which is the maximum; delete one first"
    return Invalid.field("webhooks", rule, "MaximumCount")


def _event_types(names: Iterable[str]) -> tuple[str, ...]:
    """The current names, each once."""
    return tuple(dict.fromkeys(current for name in names for current in _current_names(name)))


def _current_names(name: str) -> tuple[str, ...]:
    if name in FORMER_NAMES:
        return FORMER_NAMES[name]
    if name in event_types.ALL_TYPES or _CODAT_ONLY_EVENTS.fullmatch(name):
        return (name,)
    rule = f"{name} is not an event type; the event types are {', '.join(event_types.ALL_TYPES)}"
    raise Invalid.field("eventTypes", rule, "Enum")


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > COMPANY_TAGS_MAX:
        rule = f"a consumer can have at most {COMPANY_TAGS_MAX} company tags"
        raise Invalid.field("companyTags", rule, "MaximumCount")
    for tag in tags:
        if len(tag) > COMPANY_TAG_LENGTH_MAX or not _TAG.fullmatch(tag):
            rule = f"must be key:value, at most {COMPANY_TAG_LENGTH_MAX} characters, such as region:uk"
            raise Invalid.field("companyTags", rule, "Tag")
    return tags
