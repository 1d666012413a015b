"""The store: everything Feedlane keeps, by what it is. Reads answer records, writes are data for `commit`."""

from __future__ import annotations

from collections.abc import Iterable

from feedlane.api_key import ApiKey
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.consumer import Consumer
from feedlane.errors import NotFound
from feedlane.hold import Hold, Scope
from feedlane.settings import Profile, Settings
from feedlane.source_account import SourceAccount
from feedlane.store import keys
from feedlane.store.records import changed, created, item_of, record_in
from feedlane.store.table import EXISTS, Add, Delete, Put, Table, When, Write


class Store:
    def __init__(self, table: Table) -> None:
        self.table = table

    def commit(self, *writes: Write) -> None:
        """All of it or nothing. Raises `ConditionFailed`."""
        self.table.commit(*writes)

    # settings and keys

    def settings(self) -> Settings:
        return record_in(Settings, self.table.get(keys.SETTINGS)) or Settings()

    def put_settings(self, settings: Settings) -> Put:
        return changed(keys.SETTINGS, settings)

    def profile(self) -> Profile:
        return record_in(Profile, self.table.get(keys.PROFILE)) or Profile()

    def put_profile(self, profile: Profile) -> Put:
        return changed(keys.PROFILE, profile)

    def api_key(self, fingerprint: str) -> ApiKey | None:
        return record_in(ApiKey, self.table.get((keys.API_KEYS, fingerprint)))

    def api_keys(self) -> list[ApiKey]:
        return [ApiKey.model_validate(item) for item in self.table.query(keys.API_KEYS)]

    def add_api_key(self, key: ApiKey) -> Put:
        return created((keys.API_KEYS, key.fingerprint), key)

    def remove_api_key(self, key: ApiKey) -> Delete:
        return Delete((keys.API_KEYS, key.fingerprint))

    # companies, connections, source accounts

    def find_company(self, company_id: str) -> Company | None:
        return record_in(Company, self.table.get(keys.company(company_id)))

    def company(self, company_id: str) -> Company:
        found = self.find_company(company_id)
        if found is None:
            raise NotFound("company", company_id)
        return found

    def companies(self) -> Iterable[Company]:
        return map(Company.model_validate, self.table.query(keys.COMPANIES, index=True))

    def add_company(self, company: Company) -> Put:
        return created(keys.company(company.id), company, **_company_list(company))

    def put_company(self, company: Company) -> Put:
        return changed(keys.company(company.id), company, **_company_list(company))

    def remove_company(self, company: Company) -> Delete:
        return Delete(keys.company(company.id), When(equal={"version": company.version}))

    def find_connection(self, company_id: str, connection_id: str) -> Connection | None:
        return record_in(Connection, self.table.get(keys.connection(company_id, connection_id)))

    def connection(self, company_id: str, connection_id: str) -> Connection:
        found = self.find_connection(company_id, connection_id)
        if found is None:
            raise NotFound("data connection", connection_id)
        return found

    def connections(self, company_id: str) -> list[Connection]:
        pk, _ = keys.company(company_id)
        return [Connection.model_validate(item) for item in self.table.query(pk, prefix="CONNECTION#")]

    def add_connection(self, connection: Connection) -> Put:
        key = keys.connection(connection.company_id, connection.id)
        return created(key, connection, **_connection_list(connection))

    def put_connection(self, connection: Connection) -> Put:
        key = keys.connection(connection.company_id, connection.id)
        return changed(key, connection, **_connection_list(connection))

    def remove_connection(self, connection: Connection) -> Delete:
        key = keys.connection(connection.company_id, connection.id)
        return Delete(key, When(equal={"version": connection.version}))

    def find_source_account(self, connection_id: str, account_id: str) -> SourceAccount | None:
        return record_in(SourceAccount, self.table.get(keys.source_account(connection_id, account_id)))

    def source_account(self, connection_id: str, account_id: str) -> SourceAccount:
        found = self.find_source_account(connection_id, account_id)
        if found is None:
            raise NotFound("bank account", account_id)
        return found

    def source_accounts(self, connection_id: str) -> list[SourceAccount]:
        pk = f"CONNECTION#{connection_id}"
        return [SourceAccount.model_validate(item) for item in self.table.query(pk, prefix="ACCOUNT#")]

    def add_source_account(self, account: SourceAccount) -> Put:
        return created(keys.source_account(account.connection_id, account.id), account)

    def put_source_account(self, account: SourceAccount) -> Put:
        return changed(keys.source_account(account.connection_id, account.id), account)

    def remove_source_account(self, account: SourceAccount) -> Delete:
        key = keys.source_account(account.connection_id, account.id)
        return Delete(key, When(equal={"version": account.version}))

    # holds

    def holds_on(self, subjects: Iterable[tuple[Scope, str]]) -> list[Hold]:
        """The holds on any of these, in the order of the question (the widest first, as `hold.subjects` asks)."""
        wanted = [keys.hold(scope, subject) for scope, subject in subjects]
        found = self.table.get_many(wanted)
        return [Hold.model_validate(found[key]) for key in wanted if key in found]

    def holds(self) -> list[Hold]:
        return [Hold.model_validate(item) for item in self.table.query(keys.HOLDS, index=True)]

    def add_hold(self, hold: Hold) -> Put:
        return created(keys.hold(hold.scope, hold.subject), hold, **_hold_list(hold))

    def replace_hold(self, standing: Hold, hold: Hold) -> Put:
        """Another reason on the same subject. Fails if the release of the one that stands has begun."""
        item = item_of(keys.hold(hold.scope, hold.subject), hold, **_hold_list(hold))
        return Put(item, When(equal={"id": standing.id, "releasing": False}))

    def mark_releasing(self, hold: Hold) -> Put:
        """Its release begins. Fails if it has begun, or the hold is lifted."""
        item = item_of(keys.hold(hold.scope, hold.subject), hold.but(releasing=True), **_hold_list(hold))
        return Put(item, When(equal={"id": hold.id, "releasing": False}))

    def advance_release(self, hold: Hold, after: str, released: int) -> Put:
        """Its release has come so far. Fails if somebody else has brought it on, or to its end."""
        moved = hold.but(release_after=after, released=released)
        return Put(item_of(keys.hold(hold.scope, hold.subject), moved, **_hold_list(hold)), _as_released(hold))

    def finish_release(self, hold: Hold) -> Delete:
        """Fails as well if somebody else has brought its release on, or to its end."""
        return Delete(keys.hold(hold.scope, hold.subject), _as_released(hold))

    def remove_hold(self, hold: Hold) -> Delete:
        """Whatever has happened on its account."""
        return Delete(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id}))

    def lift_hold(self, hold: Hold) -> Delete:
        """Fails if an operation has failed on its account since it was read."""
        return Delete(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id, "noticed": hold.noticed}))

    # consumers

    def consumers(self) -> list[Consumer]:
        return [Consumer.model_validate(item) for item in self.table.query(keys.CONSUMERS)]

    def consumer(self, consumer_id: str) -> Consumer:
        found = record_in(Consumer, self.table.get(keys.consumer(consumer_id)))
        if found is None:
            raise NotFound("webhook consumer", consumer_id)
        return found

    def add_consumer(self, consumer: Consumer) -> Put:
        return created(keys.consumer(consumer.id), consumer)

    def put_consumer(self, consumer: Consumer) -> Put:
        return changed(keys.consumer(consumer.id), consumer)

    def remove_consumer(self, consumer: Consumer) -> Delete:
        return Delete(keys.consumer(consumer.id), EXISTS)

    def add_consumer_of(self, consumer: Consumer, most: int) -> tuple[Write, ...]:
        """Fails if there are `most` already: counted, so that two that come at once do not both fit."""
        return self.add_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", 1, below=most)

    def remove_consumer_of(self, consumer: Consumer) -> tuple[Write, ...]:
        return self.remove_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", -1)


def _company_list(company: Company) -> dict[str, str]:
    return {"gsi1pk": keys.COMPANIES, "gsi1sk": f"{company.created.isoformat()}#{company.id}"}


def _connection_list(connection: Connection) -> dict[str, str]:
    return {"gsi1pk": keys.CONNECTIONS, "gsi1sk": connection.id}


def _as_released(hold: Hold) -> When:
    return When(equal={"id": hold.id, "releasing": True, "release_after": hold.release_after})


def _hold_list(hold: Hold) -> dict[str, str]:
    return {"gsi1pk": keys.HOLDS, "gsi1sk": hold.id}
