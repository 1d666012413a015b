"""How companies, connections and source accounts are kept."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import NotFound
from feedlane.ids import feed_id
from feedlane.store import keys
from feedlane.store.blocks import Blocks, block_text, count_in_block, read_blocks
from feedlane.store.due import Kind, due_keys
from feedlane.store.records import add_record, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import Add, Condition, Delete, Index, Item, Key, Put, When, Write

# Above this many companies it is cheaper to read the list of all connections than those of each company.
COMPANIES_READ_SINGLY_MAX = 1_000


class AccountCounts(NamedTuple):
    """Of a connection's source accounts."""

    accounts: int
    connected: int


def find_company(store: Store, company_id: str) -> Company | None:
    return record_in(Company, store.table.get(keys.company(company_id)))


def company(store: Store, company_id: str) -> Company:
    company = find_company(store, company_id)
    if company is None:
        raise NotFound("company", company_id)
    return company


def company_blocks(store: Store) -> Blocks:
    """How many companies there are, and where the list has them."""
    return read_blocks(store, keys.COMPANY_BLOCKS)


def companies(store: Store) -> Iterable[Company]:
    """Every company, in the order of creation. The list is slightly behind the table."""
    return map(Company.model_validate, store.table.query(keys.COMPANIES, index=Index.LISTS))


def companies_from(store: Store, blocks: Blocks, place: int, size: int) -> list[Company]:
    """Up to `size` companies in the order of creation, beginning with number `place` (0 is the first)."""
    size = min(size, blocks.total - place)
    if size <= 0:
        return []
    block, before = blocks.find(place)
    items = store.table.query(keys.COMPANIES, start=block_text(block), limit=before + size, index=Index.LISTS)
    return [Company.model_validate(item) for item in islice(items, before, None)]


def add_company(company: Company) -> Put:
    return add_record(keys.company(company.id), company, **_company_index_keys(company))


def add_counted_company(company: Company) -> tuple[Write, ...]:
    return add_company(company), put_name(company), count_in_block(keys.COMPANY_BLOCKS, company.block, 1)


def remove_counted_company(company: Company) -> tuple[Write, ...]:
    name = Delete(keys.company_name(company.id))
    return remove_company(company), name, count_in_block(keys.COMPANY_BLOCKS, company.block, -1)


def put_name(company: Company) -> Put:
    """The company's place in the list by name."""
    pk, sk = keys.company_name(company.id)
    order = f"{company.name.casefold()}#{company.id}"
    place = {"gsi1pk": keys.COMPANY_NAMES, "gsi1sk": order}
    return Put({"pk": pk, "sk": sk, "id": company.id, "name": company.name, "created": iso(company.created)} | place)


def put_company(company: Company) -> Put:
    return put_record(keys.company(company.id), company, **_company_index_keys(company))


def remove_company(company: Company) -> Delete:
    return Delete(keys.company(company.id), When(equal={"version": company.version}))


def find_connection(store: Store, company_id: str, connection_id: str) -> Connection | None:
    return record_in(Connection, store.table.get(keys.connection(company_id, connection_id)))


def connection(store: Store, company_id: str, connection_id: str) -> Connection:
    connection = find_connection(store, company_id, connection_id)
    if connection is None:
        raise NotFound("data connection", connection_id)
    return connection


def connections(store: Store, company_id: str) -> list[Connection]:
    pk, _ = keys.company(company_id)
    return [Connection.model_validate(item) for item in store.table.query(pk, prefix="CONNECTION#")]


def connections_by_company(store: Store, companies: Iterable[Company]) -> dict[str, list[Connection]]:
    """The connections of each of these companies, by its id."""
    listed = list(companies)
    by_company: dict[str, list[Connection]] = {company.id: [] for company in listed}
    if len(listed) <= COMPANIES_READ_SINGLY_MAX:
        wanted = [keys.connection(company.id, id) for company in listed for id in company.connection_ids]
        found = store.table.get_many(wanted)
        items: Iterable[Item] = (found[key] for key in wanted if key in found)
    else:
        items = store.table.query(keys.CONNECTIONS, index=Index.LISTS)
    for item in items:
        if item["company_id"] in by_company:
            by_company[item["company_id"]].append(Connection.model_validate(item))
    return by_company


def add_connection(connection: Connection) -> Put:
    key = keys.connection(connection.company_id, connection.id)
    return add_record(key, connection, **_connection_index_keys(connection))


def put_connection(connection: Connection) -> Put:
    key = keys.connection(connection.company_id, connection.id)
    return put_record(key, connection, **_connection_index_keys(connection))


def same_access(connection: Connection) -> Condition:
    """The condition that the connection has the access that it had when it was read: its upstream has not changed."""
    key = keys.connection(connection.company_id, connection.id)
    return Condition(key, When(equal={"access": connection.access}))


def connection_unchanged(connection: Connection) -> Condition:
    """The condition that nothing of the connection has changed since it was read."""
    key = keys.connection(connection.company_id, connection.id)
    return Condition(key, When(equal={"version": connection.version}))


def remove_connection(connection: Connection) -> Delete:
    key = keys.connection(connection.company_id, connection.id)
    return Delete(key, When(equal={"version": connection.version}))


def find_source_account(store: Store, connection_id: str, account_id: str) -> SourceAccount | None:
    return record_in(SourceAccount, store.table.get(keys.source_account(connection_id, account_id)))


def source_account(store: Store, connection_id: str, account_id: str) -> SourceAccount:
    account = find_source_account(store, connection_id, account_id)
    if account is None:
        raise NotFound("bank account", account_id)
    return account


def source_accounts(store: Store, connection_id: str) -> list[SourceAccount]:
    pk = f"CONNECTION#{connection_id}"
    return [SourceAccount.model_validate(item) for item in store.table.query(pk, prefix="ACCOUNT#")]


def source_accounts_from(store: Store, connection_id: str, after: str, size: int) -> list[SourceAccount]:
    """Up to `size` accounts of the connection in the order of their ids, from behind the account `after` on."""
    # No sign of an id sorts before a space or behind this last one.
    pk, start = keys.source_account(connection_id, f"{after} " if after else "")
    items = store.table.query(pk, start=start, end="ACCOUNT#\x7f", limit=size)
    return [SourceAccount.model_validate(item) for item in items]


def account_feed_ids(store: Store, after: str, size: int) -> list[str]:
    """The ids that the feeds of the next source accounts have, or would have, after the feed `after`.

    In the order of ids, across all connections. The list is slightly behind the table.
    """
    # A space sorts after nothing.
    items = store.table.query(keys.ACCOUNTS, start=f"{after} " if after else None, limit=size, index=Index.LISTS)
    return [item["gsi1sk"] for item in items]


def add_source_account(account: SourceAccount) -> Put:
    key = keys.source_account(account.connection_id, account.id)
    return add_record(key, account, **_account_index_keys(account))


def add_counted_account(account: SourceAccount, limit: int) -> tuple[Write, ...]:
    """Fails if the connection has `limit` accounts already."""
    return add_source_account(account), Add(keys.account_count(account.connection_id), "count", 1, below=limit)


def change_source_account(before: SourceAccount, after: SourceAccount) -> tuple[Write, ...]:
    """The account as it is after a change, and how many of its connection's are connected."""
    return put_source_account(after), *_count_connected(after.is_connected - before.is_connected, after)


def connection_counts(store: Store, connection_ids: Iterable[str]) -> dict[str, AccountCounts]:
    """By the connection's id: how many source accounts it has, and how many of them are connected."""
    ids = list(connection_ids)
    found = store.table.get_many([key for id in ids for key in (keys.account_count(id), keys.connected_count(id))])

    def count(key: Key) -> int:
        return int(found.get(key, {}).get("count", 0))

    return {id: AccountCounts(count(keys.account_count(id)), count(keys.connected_count(id))) for id in ids}


def remove_counted_account(account: SourceAccount) -> tuple[Write, ...]:
    removal = remove_source_account(account), Add(keys.account_count(account.connection_id), "count", -1)
    return *removal, *_count_connected(-account.is_connected, account)


def _count_connected(change: int, account: SourceAccount) -> tuple[Add, ...]:
    return (Add(keys.connected_count(account.connection_id), "count", change),) if change else ()


def put_source_account(account: SourceAccount) -> Put:
    key = keys.source_account(account.connection_id, account.id)
    return put_record(key, account, **_account_index_keys(account))


def remove_source_account(account: SourceAccount) -> Delete:
    key = keys.source_account(account.connection_id, account.id)
    return Delete(key, When(equal={"version": account.version}))


def _company_index_keys(company: Company) -> dict[str, str]:
    order = f"{block_text(company.block)}{company.created.isoformat()}#{company.id}"
    return {"gsi1pk": keys.COMPANIES, "gsi1sk": order}


def _connection_index_keys(connection: Connection) -> dict[str, str]:
    due = due_keys(Kind.CONNECTION, connection.id, connection.look)
    return {"gsi1pk": keys.CONNECTIONS, "gsi1sk": connection.id} | due


def _account_index_keys(account: SourceAccount) -> dict[str, Any]:
    due = due_keys(Kind.ACCOUNT, account.id, account.look)
    return {"gsi1pk": keys.ACCOUNTS, "gsi1sk": feed_id(account.connection_id, account.id)} | due
