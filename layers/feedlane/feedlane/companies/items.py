"""How companies, connections and source accounts are kept."""

from __future__ import annotations

from collections.abc import Iterable

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import NotFound
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys
from feedlane.store.records import add_record, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import Delete, Index, Put, When

# Above this many companies it is cheaper to read the list of all connections than those of each company.
COMPANIES_READ_SINGLY_MAX = 50


def find_company(store: Store, company_id: str) -> Company | None:
    return record_in(Company, store.table.get(keys.company(company_id)))


def company(store: Store, company_id: str) -> Company:
    company = find_company(store, company_id)
    if company is None:
        raise NotFound("company", company_id)
    return company


def companies(store: Store) -> Iterable[Company]:
    return map(Company.model_validate, store.table.query(keys.COMPANIES, index=Index.LISTS))


def add_company(company: Company) -> Put:
    return add_record(keys.company(company.id), company, **_company_index_keys(company))


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
    ids = [company.id for company in companies]
    if len(ids) <= COMPANIES_READ_SINGLY_MAX:
        return {id: connections(store, id) for id in ids}
    by_company: dict[str, list[Connection]] = {id: [] for id in ids}
    for item in store.table.query(keys.CONNECTIONS, index=Index.LISTS):
        if item["company_id"] in by_company:
            by_company[item["company_id"]].append(Connection.model_validate(item))
    return by_company


def add_connection(connection: Connection) -> Put:
    key = keys.connection(connection.company_id, connection.id)
    return add_record(key, connection, **_connection_index_keys(connection))


def put_connection(connection: Connection) -> Put:
    key = keys.connection(connection.company_id, connection.id)
    return put_record(key, connection, **_connection_index_keys(connection))


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


def add_source_account(account: SourceAccount) -> Put:
    return add_record(keys.source_account(account.connection_id, account.id), account)


def put_source_account(account: SourceAccount) -> Put:
    due = due_keys(Kind.ACCOUNT, account.id, account.look)
    return put_record(keys.source_account(account.connection_id, account.id), account, **due)


def remove_source_account(account: SourceAccount) -> Delete:
    key = keys.source_account(account.connection_id, account.id)
    return Delete(key, When(equal={"version": account.version}))


def _company_index_keys(company: Company) -> dict[str, str]:
    return {"gsi1pk": keys.COMPANIES, "gsi1sk": f"{company.created.isoformat()}#{company.id}"}


def _connection_index_keys(connection: Connection) -> dict[str, str]:
    due = due_keys(Kind.CONNECTION, connection.id, connection.look)
    return {"gsi1pk": keys.CONNECTIONS, "gsi1sk": connection.id} | due
