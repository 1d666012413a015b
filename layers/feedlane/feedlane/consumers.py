"""Webhook consumers: made, listed and deleted. Each has a signing secret of its own, which the vault keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from feedlane import event
from feedlane.addresses import check_url
from feedlane.consumer import MOST_CONSUMERS, Consumer
from feedlane.errors import Invalid, LimitReached
from feedlane.ids import NewId
from feedlane.store.store import Store
from feedlane.vault import Vault

MOST_TAGS = 10
LONGEST_TAG = 128
_TAG = re.compile(r"[^:]+:.+")
# Event types of Codat's that exist, but not here: a consumer may ask for them, and will not see any.
_CODATS_OTHERS = re.compile(
    r"[A-Za-z-]+\.write\.(successful|unsuccessful)|read\.completed(\.initial)?|company\.product\.(added|removed)"
    r"|client\.rateLimit\.(reached|reset)"
)
# Codat's former names, and what they are called now.
FORMER_NAMES = {
    "DataConnectionStatusChanged": (
        event.CONNECTION_CONNECTED, event.CONNECTION_DISCONNECTED, event.CONNECTION_RECONNECTED,
    ),
    "PushOperationStatusChanged": (event.WRITE_SUCCESSFUL, event.WRITE_UNSUCCESSFUL),
    "PushOperationTimedOut": (event.WRITE_UNSUCCESSFUL,),
    "SyncConnectionDeleted": (event.CONNECTION_DELETED,),
    "NewCompanySynchronized": ("read.completed.initial",),
    "DataSyncCompleted": ("read.completed",),
    "DataSyncStatusChangedToError": ("read.completed",),
    "DatasetDataChanged": ("read.completed",),
    "ClientRateLimitReached": ("client.rateLimit.reached",),
    "ClientRateLimitReset": ("client.rateLimit.reset",),
}  # fmt: skip


def create(
    store: Store,
    vault: Vault,
    now: datetime,
    new_id: NewId,
    url: str,
    event_types: Iterable[str],
    company_tags: Iterable[str],
    disabled: bool,
) -> tuple[Consumer, str]:
    """The consumer and its signing secret. Former event names become today's. Raises `Invalid`, `LimitReached`."""
    consumer = Consumer(
        id=new_id(),
        url=check_url(url),
        event_types=tuple(dict.fromkeys(name for given in event_types for name in _types(given))),
        company_tags=_tags(tuple(company_tags)),
        disabled=disabled,
        created=now,
    )
    if len(store.consumers()) >= MOST_CONSUMERS:
        raise LimitReached(f"There are {MOST_CONSUMERS} webhook consumers already; delete one first.")
    secret = vault.create_webhook_secret(consumer.id)
    store.commit(store.add_consumer(consumer))
    return consumer, secret


def delete(store: Store, vault: Vault, consumer_id: str) -> None:
    """Its secret goes first: what is left after a crash can be deleted again."""
    consumer = store.consumer(consumer_id)
    vault.delete_webhook_secret(consumer.id)
    store.commit(store.remove_consumer(consumer))


def _types(given: str) -> tuple[str, ...]:
    if given in FORMER_NAMES:
        return FORMER_NAMES[given]
    if given in event.ALL_TYPES or _CODATS_OTHERS.fullmatch(given):
        return (given,)
    raise Invalid.field("eventTypes", f"{given} is not an event type; there are {', '.join(event.ALL_TYPES)}", "Enum")


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > MOST_TAGS:
        raise Invalid.field("companyTags", f"a consumer has at most {MOST_TAGS} company tags", "MaximumCount")
    for tag in tags:
        if len(tag) > LONGEST_TAG or not _TAG.fullmatch(tag):
            rule = f"must be key:value of at most {LONGEST_TAG} characters, such as region:uk"
            raise Invalid.field("companyTags", rule, "Tag")
    return tags
