"""Mappings as items: a source account, its feed and its claim on the Xero account, always written together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import CODAT_ACCESS, Connection, UpstreamName
from feedlane.companies.source_account import AccountMapping, SourceAccount
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Destination, Feed
from feedlane.ids import feed_id
from feedlane.store import keys
from feedlane.store.attempts import commit_among_others
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


def record_mapping(
    store: Store, now: datetime, connection: Connection, before: SourceAccount, account: SourceAccount, *also: Write
) -> None:
    """Writes a new mapping of the account, which was as `before`, in one commit.

    If the feed changes at the same time, it is read again.

    Raises `AlreadyClaimed`, or `ConditionFailed` if the account, or the connection's upstream, has changed.
    """
    if connection.tenant is None or account.mapping is None:
        raise ValueError("a mapping needs a linked connection")
    claims = claim_writes(connection.tenant.id, account.mapping, account)
    for attempt in range(_ATTEMPTS_MAX):
        feed = _feed_write(store, now, connection, account)
        access = company_items.same_access(connection)
        try:
            commit_among_others(
                store, *company_items.change_source_account(before, account), feed, access, *claims, *also
            )
            return
        except ConditionFailed as error:
            if {write.key for write in claims} & set(error.keys) and len(error.keys) == 1:
                raise AlreadyClaimed(error.keys) from None
            if {_account_key(account), access.key} & set(error.keys) or attempt == _ATTEMPTS_MAX - 1:
                raise


def record_unmapping(
    store: Store,
    connection: Connection,
    account: SourceAccount,
    also: Callable[[Feed | None], list[Write]],
    ending: str = "",
    to: UpstreamName | None = None,
) -> None:
    """Frees the Xero account and takes the feed connection from the feed, so that nothing is sent.

    `ending` is the feed connection that Xero has been asked to delete, if it was. `to` is the upstream that follows, if
    it changes: then the feed waits for the account to be mapped there. `also` returns the other writes of
    the commit for the feed as it is: if the feed changes at the same time, it is read again.
    Raises `ConditionFailed` if the account has changed.
    """
    claims = claim_removals(connection, account)
    for attempt in range(_ATTEMPTS_MAX):
        feed = feed_items.find_feed(store, feed_id(account.connection_id, account.id))
        feed_writes = []
        if feed is not None:
            after = _without_connection(feed, ending) if to is None else before_upstream(feed, to)
            feed_writes = [feed_items.put_feed(after)]
        try:
            commit_among_others(store, *also(feed), *claims, *feed_writes)
            return
        except ConditionFailed as error:
            if _account_key(account) in error.keys or attempt == _ATTEMPTS_MAX - 1:
                raise


def before_upstream(feed: Feed, to: UpstreamName) -> Feed:
    """The feed without its former access, before it is mapped at its next upstream."""
    changing = feed.changing or bool(feed.feed_connection_id) or feed.awaits_connection
    token_set_id = CODAT_ACCESS if to is UpstreamName.CODAT else ""
    after = feed.continued_through(to).but(tenant_id="", token_set_id=token_set_id, look=None)
    return after.but(feed_connection_id="", awaits_connection=False, ending="", changing=changing)


def awaiting_feed(
    store: Store,
    now: datetime,
    connection: Connection,
    account: SourceAccount,
    wanted: AccountMapping,
    ending: str = "",
) -> tuple[Feed, Put]:
    """The account's feed, a new one if it had none, without a feed connection: that is made when Xero lets us.

    It has the start date of the mapping that is wanted: what comes meanwhile is recorded.
    """
    existing = feed_items.find_feed(store, feed_id(account.connection_id, account.id))
    feed = (existing or _new_feed(now, connection, account)).continued_through(connection.upstream)
    started = {"start_date": _start_date(wanted), "awaits_connection": True}
    feed = _without_connection(feed, ending).but(**_access(connection), **started)
    return feed, feed_items.put_feed(feed)


def claim_removals(connection: Connection, account: SourceAccount) -> list[Write]:
    """Frees the Xero account that the account is mapped to."""
    if account.mapping is None or not account.mapping.target_account_id or connection.tenant is None:
        return []
    return [Delete(keys.target(connection.tenant.id, account.mapping.target_account_id))]


def claim_writes(tenant_id: str, mapping: AccountMapping, account: SourceAccount) -> list[Put]:
    """Claims the Xero account, once it is known, for this source account: no other may feed it."""
    if mapping.target_account_id is None:
        return []
    pk, sk = keys.target(tenant_id, mapping.target_account_id)
    owner: dict[str, Any] = {"connection_id": account.connection_id, "account_id": account.id}
    item = {"pk": pk, "sk": sk, "company_id": account.company_id} | owner
    return [Put(item, When(absent=True, equal=owner))]


def destination_of(mapping: AccountMapping, upstream: UpstreamName) -> Destination:
    return Destination(
        upstream=upstream,
        feed_connection_id=mapping.feed_connection_id,
        account_id=mapping.target_account_id or "",
        account_name=mapping.target_account_name or "",
    )


def _feed_write(store: Store, now: datetime, connection: Connection, account: SourceAccount) -> Put:
    """The feed of the account: a new one, or the one it had before, whose ledger continues."""
    existing = feed_items.find_feed(store, feed_id(account.connection_id, account.id))
    feed = (existing or _new_feed(now, connection, account)).continued_through(connection.upstream)
    feed = feed.but(**_access(connection), changing=False)
    mapping = account.mapping
    id = mapping.feed_connection_id if mapping else ""
    start = _start_date(mapping) if mapping else ""
    feed = feed.but(feed_connection_id=id, awaits_connection=not id, start_date=start)
    return feed_items.put_feed(
        feed.sent_to(destination_of(mapping, feed.upstream)) if mapping is not None and id else feed
    )


def _start_date(mapping: AccountMapping) -> str:
    return (mapping.feed_start_date or "")[:DATE_LENGTH]


def _new_feed(now: datetime, connection: Connection, account: SourceAccount) -> Feed:
    return Feed(
        id=feed_id(account.connection_id, account.id),
        company_id=account.company_id,
        connection_id=account.connection_id,
        account_id=account.id,
        feed_connection_id="",
        kind=account.kind,
        currency=account.currency,
        created=now,
        synthetic_balances=account.synthetic_balances,
        **_access(connection),
    )


def _access(connection: Connection) -> dict[str, str]:
    tenant = connection.tenant
    return {
        "tenant_id": tenant.id if tenant else "",
        "token_set_id": connection.token_set_id or "",
        "time_zone": tenant.time_zone if tenant else "UTC",
    }


def _without_connection(feed: Feed, ending: str) -> Feed:
    return feed.but(feed_connection_id="", awaits_connection=False, changing=False, ending=ending or feed.ending)


def _account_key(account: SourceAccount) -> tuple[str, str]:
    return keys.source_account(account.connection_id, account.id)
