"""Try it with a test company: one company that goes the whole way once, and is removed again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from feedlane.clock import epoch, local_date
from feedlane.companies import companies, source_accounts
from feedlane.companies import items as company_items
from feedlane.companies.connection import PLATFORM_KEY, Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Conflict, NotFound
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.feeds.upstream import Upstream
from feedlane.ids import derived_id
from feedlane.link import connections as link_connections
from feedlane.link.connections import Disconnect
from feedlane.ports import Ports
from feedlane.pushes import api_door
from feedlane.record import Record
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put

COMPANY_NAME = "Feedlane test company"
ACCOUNT_NAME = "Feedlane test account"
ACCOUNT_ID = "feedlane-test"
# So that a platform's webhooks and reports can leave it out.
TAGS = {"feedlane": "test"}
AMOUNT = "1.00"
# Codat creates no account in GBP without one. No bank has it.
SORT_CODE = "000000"


class Trial(Record):
    """Empty ids: there is none. `operation_key` is that of its one push."""

    company_id: str = ""
    connection_id: str = ""
    operation_key: str = ""


@dataclass(frozen=True)
class Progress:
    """How far it has come, from the facts. `operation` is its push, if there was one."""

    trial: Trial
    connection: Connection
    account: SourceAccount | None
    operation: PushOperation | None

    @property
    def is_consented(self) -> bool:
        return self.connection.is_linked

    @property
    def is_mapped(self) -> bool:
        return self.account is not None and self.account.status is SourceAccountStatus.CONNECTED

    @property
    def is_sent(self) -> bool:
        return self.operation is not None

    @property
    def is_delivered(self) -> bool:
        return self.operation is not None and self.operation.status is PushStatus.SUCCESS

    @property
    def fault(self) -> str:
        """Why it does not go on by itself; empty unless that is so."""
        if self.operation is not None and self.operation.status in (PushStatus.FAILED, PushStatus.TIMED_OUT):
            return self.operation.error_message or "The transaction was refused."
        if self.account is not None and self.account.problem is not None:
            return self.account.problem.detail or self.account.problem.title
        return ""

    @property
    def is_under_way(self) -> bool:
        return not self.is_delivered and not self.fault


def find(store: Store) -> Progress | None:
    """Its progress. None if there is none, or its company has been deleted elsewhere."""
    trial = record_in(Trial, store.table.get(keys.TRIAL)) or Trial()
    if not trial.connection_id:
        return None
    account_key = keys.source_account(trial.connection_id, ACCOUNT_ID)
    connection_key = keys.connection(trial.company_id, trial.connection_id)
    operation_key = keys.push_operation(trial.company_id, trial.operation_key or "none")
    items = store.table.get_many([connection_key, account_key, operation_key])
    connection = record_in(Connection, items.get(connection_key))
    if connection is None:
        return None
    account = record_in(SourceAccount, items.get(account_key))
    return Progress(trial, connection, account, record_in(PushOperation, items.get(operation_key)))


def begin(ports: Ports, now: datetime, currency: str) -> Trial:
    """Makes company, connection and source account. What there is already stays. Raises `Invalid`.

    It goes the way that the settings say now, whatever they say later.
    """
    source_accounts.require_currency(currency)
    progress = find(ports.store)
    if progress is None:
        upstream = settings_items.settings(ports.store).upstream
        company = companies.create(ports, now, COMPANY_NAME, None, dict(TAGS), upstream)
        connection = link_connections.create(ports, now, company.id, PLATFORM_KEY)
        trial = Trial(company_id=company.id, connection_id=connection.id)
        ports.store.commit(_put(trial))
    else:
        trial, connection = progress.trial, progress.connection
    if progress is None or progress.account is None:
        _add_account(ports.store, now, connection, currency)
    return trial


def send(ports: Ports, now: datetime) -> Trial:
    """Pushes its one transaction, as the API would, however often it is asked to.

    Raises `NotFound`, and what the API refuses a push with.
    """
    progress = _required(ports.store)
    connection, trial = progress.connection, progress.trial
    if progress.operation is not None and not progress.operation.is_refused:
        return trial
    id, day = _same_each_time(ports.store, progress, local_date(now, connection.time_zone))
    transaction = {
        "id": id,
        "date": day,
        "description": "Test transaction",
        "counterparty": "Feedlane",
        "reference": "TEST",
        "amount": AMOUNT,
        "balance": AMOUNT,
        "type": "Credit",
    }
    body = json.dumps({"accountId": ACCOUNT_ID, "transactions": [transaction]})
    operation = api_door.accept(ports, now, trial.company_id, trial.connection_id, ACCOUNT_ID, body)
    trial = trial.but(operation_key=operation.key)
    ports.store.commit(_put(trial))
    return trial


def remove(ports: Ports, upstream: Upstream, disconnect: Disconnect, now: datetime) -> None:
    """Deletes the company, and ends its connection first. What is in Xero stays there. Raises `Unavailable`."""
    trial = record_in(Trial, ports.store.table.get(keys.TRIAL)) or Trial()
    if trial.company_id and company_items.find_company(ports.store, trial.company_id) is not None:
        link_connections.delete_company(ports, upstream, disconnect, now, trial.company_id)
    ports.store.commit(_put(Trial()))


def _same_each_time(store: Store, progress: Progress, today: date) -> tuple[str, str]:
    """The id and the date of its transaction: by these the ledger knows it again, of two clicks, after a crash before
    its operation was noted, or after a hold that is still to send it."""
    earlier = push_operation_items.pushed_lines(store, progress.operation) if progress.operation else []
    day = earlier[0].date if earlier else today.isoformat()
    return derived_id("trial", progress.connection.id), day


def _add_account(store: Store, now: datetime, connection: Connection, currency: str) -> None:
    source_accounts.create(
        store,
        now,
        connection,
        id=ACCOUNT_ID,
        account_name=ACCOUNT_NAME,
        account_type="Debit",
        # Another one each time: the same number would be the same Xero account.
        account_number=f"{epoch(now) % 10**8:08d}",
        currency=currency,
        balance=Decimal(0),
        sort_code=None if connection.is_direct else SORT_CODE,
        given={},
    )


def _required(store: Store) -> Progress:
    progress = find(store)
    if progress is None:
        raise NotFound("test company", COMPANY_NAME)
    if not progress.is_mapped:
        raise Conflict("The account is not mapped yet.")
    return progress


def _put(trial: Trial) -> Put:
    return Put(item_of(keys.TRIAL, trial))
