"""Mappings as items: the mapped account, its feed, and the claim on the Xero account, always written together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

def _commit_mapping(
    store: Store, now: datetime, new_id: NewId, connection: Connection, mapped: SourceAccount
) -> None:
    """Mapping, feed and the claim on the Xero account, all or nothing. The feed may grow meanwhile: it is read again."""
    tenant_id = connection.tenant.id if connection.tenant else ""
    writes: list[Write] = [store.put_source_account(mapped), *_claim(tenant_id, mapped)]
    if mapped.status is SourceAccountStatus.CONNECTED:
        company = store.company(mapped.company_id)
        writes.append(emitted(event_payloads.source_account_connected(new_id(), mapped, company, now)))
    claimed = [write.key for write in _claim(tenant_id, mapped)]
    for attempt in range(_TRIES):
        try:
            store.commit(_feed_write(store, now, connection, mapped), *writes)
            return
        except ConditionFailed as failed:
            if any(key in failed.keys for key in claimed):
                raise _taken(same_company=False) from None
            if keys.source_account(mapped.connection_id, mapped.id) in failed.keys or attempt == _TRIES - 1:
                raise


def _feed_write(store: Store, now: datetime, connection: Connection, mapped: SourceAccount) -> Put:
    """The feed of the account: a new one, or the one it had, whose ledger goes on."""
    tenant, mapping = connection.tenant, mapped.mapping
    if tenant is None or mapping is None:
        raise Invalid("The connection is not linked to a Xero organisation.")
    id = feed_id(mapped.connection_id, mapped.id)
    changes = {
        "tenant_id": tenant.id,
        "token_set_id": connection.token_set_id or "",
        "feed_connection_id": mapping.feed_connection_id,
        "time_zone": tenant.time_zone,
    }
    there = ledger.find_feed(store, id)
    if there is not None:
        return ledger.put_feed(there.but(**changes))
    feed = Feed(
        id=id,
        company_id=mapped.company_id,
        connection_id=mapped.connection_id,
        account_id=mapped.id,
        kind=mapped.kind,
        currency=mapped.currency,
        created=now,
        **changes,
    )
    return ledger.add_feed(feed)


def _claim(tenant_id: str, account: SourceAccount) -> list[Put]:
    """The Xero account belongs to this source account: nobody else may feed it."""
    target_id = account.mapping.target_account_id if account.mapping else None
    if target_id is None:
        return []
    pk, sk = keys.target(tenant_id, target_id)
    ours = {"connection_id": account.connection_id, "account_id": account.id}
    item = {"pk": pk, "sk": sk, "company_id": account.company_id} | ours
    return [Put(item, When(absent=True, equal=ours))]


def _commit_end(store: Store, connection: Connection, account: SourceAccount, writes: list[Write]) -> None:
    """Also frees the Xero account, and leaves the feed without a feed connection, so that nothing is sent."""
    mapping = account.mapping
    if mapping is not None and mapping.target_account_id and connection.tenant:
        writes.append(Delete(keys.target(connection.tenant.id, mapping.target_account_id)))
    own = {keys.source_account(account.connection_id, account.id)}
    for attempt in range(_TRIES):
        feed = ledger.find_feed(store, feed_id(account.connection_id, account.id))
        unfed = [ledger.put_feed(feed.but(feed_connection_id=""))] if feed and feed.feed_connection_id else []
        try:
            store.commit(*writes, *unfed)
            return
        except ConditionFailed as failed:
            if own & set(failed.keys) or attempt == _TRIES - 1:
                raise


