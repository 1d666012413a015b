"""Mappings as items: the account, its feed and its claim on the Xero account, always written together."""

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

_TRIES = 5


class AlreadyClaimed(ConditionFailed):
    """Another source account feeds the Xero account."""


def fed_accounts(store: Store, tenant_id: str) -> dict[str, str]:
    """Which accounts of the organisation are fed, and by which feed, over all companies."""
    items = store.table.query(keys.tenant(tenant_id), prefix="TARGET#")
    return {item["sk"].removeprefix("TARGET#"): feed_id(item["connection_id"], item["account_id"]) for item in items}


def find_claim(store: Store, tenant_id: str, target_account_id: str) -> Item | None:
    """Who feeds the Xero account: `company_id`, `connection_id`, `account_id`."""
    return store.table.get(keys.target(tenant_id, target_account_id))


def record_mapping(store: Store, now: datetime, connection: Connection, mapped: SourceAccount, *also: Write) -> None:
    """All of a new mapping or nothing. The feed may grow meanwhile: it is read again. Raises `AlreadyClaimed`."""
    if connection.tenant is None or mapped.mapping is None:
        raise ValueError("a mapping needs a linked connection")
    claims = claim_writes(connection.tenant.id, mapped.mapping, mapped)
    for attempt in range(_TRIES):
        feed = _feed_write(store, now, connection, mapped)
        try:
            store.commit(company_items.put_source_account(mapped), feed, *claims, *also)
            return
        except ConditionFailed as failed:
            if {write.key for write in claims} & set(failed.keys) and len(failed.keys) == 1:
                raise AlreadyClaimed(failed.keys) from None
            if _account_key(mapped) in failed.keys or attempt == _TRIES - 1:
                raise


def record_unmapping(
    store: Store, connection: Connection, account: SourceAccount, also: Callable[[Feed | None], list[Write]]
) -> None:
    """Frees the Xero account, and leaves the feed without a feed connection, so that nothing is sent.

    `also` makes what is written along, from the feed as it is: it may grow meanwhile, then it is read again.
    """
    mapping, freed = account.mapping, list[Write]()
    if mapping is not None and mapping.target_account_id and connection.tenant:
        freed.append(Delete(keys.target(connection.tenant.id, mapping.target_account_id)))
    for attempt in range(_TRIES):
        feed = feed_items.find_feed(store, feed_id(account.connection_id, account.id))
        unfed = [feed_items.put_feed(feed.but(feed_connection_id=""))] if feed else []
        try:
            store.commit(*also(feed), *freed, *unfed)
            return
        except ConditionFailed as failed:
            if _account_key(account) in failed.keys or attempt == _TRIES - 1:
                raise


def claim_writes(tenant_id: str, mapping: AccountMapping, account: SourceAccount) -> list[Put]:
    """The Xero account, once known, belongs to this source account: nobody else may feed it."""
    if mapping.target_account_id is None:
        return []
    pk, sk = keys.target(tenant_id, mapping.target_account_id)
    ours: dict[str, Any] = {"connection_id": account.connection_id, "account_id": account.id}
    item = {"pk": pk, "sk": sk, "company_id": account.company_id} | ours
    return [Put(item, When(absent=True, equal=ours))]


def _feed_write(store: Store, now: datetime, connection: Connection, mapped: SourceAccount) -> Put:
    """The feed of the account: a new one, or the one it had, whose ledger goes on."""
    tenant, mapping = connection.tenant, mapped.mapping
    place = {
        "tenant_id": tenant.id if tenant else "",
        "token_set_id": connection.token_set_id or "",
        "feed_connection_id": mapping.feed_connection_id if mapping else "",
        "time_zone": tenant.time_zone if tenant else "UTC",
    }
    id = feed_id(mapped.connection_id, mapped.id)
    there = feed_items.find_feed(store, id)
    if there is not None:
        return feed_items.put_feed(there.but(**place))
    feed = Feed(
        id=id,
        company_id=mapped.company_id,
        connection_id=mapped.connection_id,
        account_id=mapped.id,
        kind=mapped.kind,
        currency=mapped.currency,
        created=now,
        **place,
    )
    return feed_items.add_feed(feed)


def _account_key(account: SourceAccount) -> tuple[str, str]:
    return keys.source_account(account.connection_id, account.id)
