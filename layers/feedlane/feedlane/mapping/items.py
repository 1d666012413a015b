"""Mappings as items: a source account, its feed and its claim on the Xero account, always written together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import AccountMapping, SourceAccount
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.ids import feed_id
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Delete, Item, Put, When, Write

_ATTEMPTS_MAX = 5
DATE_LENGTH = len("2026-05-01")


class AlreadyClaimed(ConditionFailed):
    """Another source account already feeds the Xero account."""


def fed_accounts(store: Store, tenant_id: str) -> dict[str, str]:
    """The organisation's accounts that are fed, each with the id of its feed, across all companies."""
    items = store.table.query(keys.tenant(tenant_id), prefix="TARGET#")
    return {item["sk"].removeprefix("TARGET#"): feed_id(item["connection_id"], item["account_id"]) for item in items}


def find_claim(store: Store, tenant_id: str, target_account_id: str) -> Item | None:
    """The source account that feeds the Xero account, as `company_id`, `connection_id` and `account_id`."""
    return store.table.get(keys.target(tenant_id, target_account_id))


def record_mapping(store: Store, now: datetime, connection: Connection, account: SourceAccount, *also: Write) -> None:
    """Writes a new mapping in one commit. If the feed changes at the same time, it is read again.

    Raises `AlreadyClaimed`, or `ConditionFailed` if the account has changed.
    """
    if connection.tenant is None or account.mapping is None:
        raise ValueError("a mapping needs a linked connection")
    claims = claim_writes(connection.tenant.id, account.mapping, account)
    for attempt in range(_ATTEMPTS_MAX):
        feed = _feed_write(store, now, connection, account)
        try:
            store.commit(company_items.put_source_account(account), feed, *claims, *also)
            return
        except ConditionFailed as error:
            if {write.key for write in claims} & set(error.keys) and len(error.keys) == 1:
                raise AlreadyClaimed(error.keys) from None
            if _account_key(account) in error.keys or attempt == _ATTEMPTS_MAX - 1:
                raise


def record_unmapping(
    store: Store, connection: Connection, account: SourceAccount, also: Callable[[Feed | None], list[Write]]
) -> None:
    """Frees the Xero account and takes the feed connection from the feed, so that nothing is sent.

    `also` returns the other writes of the commit for the feed as it is: if the feed changes at the same time, it is
    read again. Raises `ConditionFailed` if the account has changed.
    """
    mapping, claims = account.mapping, list[Write]()
    if mapping is not None and mapping.target_account_id and connection.tenant:
        claims.append(Delete(keys.target(connection.tenant.id, mapping.target_account_id)))
    for attempt in range(_ATTEMPTS_MAX):
        feed = feed_items.find_feed(store, feed_id(account.connection_id, account.id))
        feed_writes = [feed_items.put_feed(feed.but(feed_connection_id=""))] if feed else []
        try:
            store.commit(*also(feed), *claims, *feed_writes)
            return
        except ConditionFailed as error:
            if _account_key(account) in error.keys or attempt == _ATTEMPTS_MAX - 1:
                raise


def claim_writes(tenant_id: str, mapping: AccountMapping, account: SourceAccount) -> list[Put]:
    """Claims the Xero account, once it is known, for this source account: no other may feed it."""
    if mapping.target_account_id is None:
        return []
    pk, sk = keys.target(tenant_id, mapping.target_account_id)
    owner: dict[str, Any] = {"connection_id": account.connection_id, "account_id": account.id}
    item = {"pk": pk, "sk": sk, "company_id": account.company_id} | owner
    return [Put(item, When(absent=True, equal=owner))]


def _feed_write(store: Store, now: datetime, connection: Connection, account: SourceAccount) -> Put:
    """The feed of the account: a new one, or the one it had before, whose ledger continues."""
    tenant, mapping = connection.tenant, account.mapping
    target = {
        "tenant_id": tenant.id if tenant else "",
        "token_set_id": connection.token_set_id or "",
        "feed_connection_id": mapping.feed_connection_id if mapping else "",
        "time_zone": tenant.time_zone if tenant else "UTC",
        "start_date": (mapping.feed_start_date or "")[:DATE_LENGTH] if mapping else "",
    }
    id = feed_id(account.connection_id, account.id)
    existing = feed_items.find_feed(store, id)
    if existing is not None:
        return feed_items.put_feed(existing.but(**target))
    feed = Feed(
        id=id,
        company_id=account.company_id,
        connection_id=account.connection_id,
        account_id=account.id,
        kind=account.kind,
        currency=account.currency,
        created=now,
        **target,
    )
    return feed_items.add_feed(feed)


def _account_key(account: SourceAccount) -> tuple[str, str]:
    return keys.source_account(account.connection_id, account.id)
