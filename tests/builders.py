"""Valid records for tests to start from: a test sets only the fields that it is about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionStatus, Tenant
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.feeds.feed import Feed
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings.settings import Settings
from feedlane.store.store import Store
from tests.fakes.queues import FakeQueues
from tests.fakes.table import MemoryTable

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
URL = "https://feeds.example.com"
COMPANY, CONNECTION, ACCOUNT, TENANT, TOKEN_SET = "company-1", "connection-1", "account-1", "tenant-1", "tokens-1"


def numbered_ids(start: int = 1) -> Callable[[], str]:
    """A `new_id` whose ids are in order, and the same in every run."""
    numbers = itertools.count(start)
    return lambda: numbered_id(next(numbers))


def numbered_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def ports(new_id: Callable[[], str] | None = None, **parts: Any) -> Ports:
    """Fakes, and a clock at `NOW`."""
    fakes = {"store": Store(MemoryTable()), "queues": FakeQueues(), "clock": lambda: NOW, "public_url": URL}
    return Ports(**fakes | {"new_id": new_id or numbered_ids()} | parts)


def settings(**fields: Any) -> Settings:
    """With the integration and bank feeds enabled, and with the app's keys."""
    return Settings(**{"enabled": True, "bank_feeds": True, "client_id": "A" * 32} | fields)


def company(id: str = COMPANY, **fields: Any) -> Company:
    return Company(**{"id": id, "name": "Harbour Bakery", "created": NOW} | fields)


def tenant(id: str = TENANT, **fields: Any) -> Tenant:
    return Tenant(**{"id": id, "name": "Harbour Bakery", "xero_connection_id": f"xero-{id}"} | fields)


def pending(id: str = CONNECTION, **fields: Any) -> Connection:
    """A connection that its customer has not authorised yet."""
    return Connection(**{"id": id, "company_id": COMPANY, "created": NOW} | fields)


def linked(id: str = CONNECTION, **fields: Any) -> Connection:
    """A connection that its customer has authorised."""
    access = {"status": ConnectionStatus.LINKED, "tenant": tenant(), "token_set_id": TOKEN_SET}
    return pending(id, **access | fields)


def source_account(connection: Connection | None = None, id: str = ACCOUNT, **fields: Any) -> SourceAccount:
    """A source account of this connection that is not mapped."""
    connection = connection or linked()
    of_connection = {"connection_id": connection.id, "company_id": connection.company_id}
    defaults = {
        "id": id,
        "account_name": "Current account",
        "account_type": "checking",
        "account_number": "20011234",
        "currency": "GBP",
        "modified": NOW,
    }
    return SourceAccount(**defaults | of_connection | fields)


def mapped_account(feed: Feed, **fields: Any) -> SourceAccount:
    """The source account of a feed."""
    mapping = AccountMapping(feed_connection_id=feed.feed_connection_id, account_token=f"token-{feed.account_id}")
    of_feed = {"id": feed.account_id, "connection_id": feed.connection_id, "company_id": feed.company_id}
    return source_account(**of_feed | {"status": SourceAccountStatus.CONNECTED, "mapping": mapping} | fields)


def feed(connection: Connection | None = None, account_id: str = ACCOUNT, **fields: Any) -> Feed:
    """A feed of this connection with an empty ledger."""
    connection = connection or linked()
    defaults = {
        "id": feed_id(connection.id, account_id),
        "company_id": connection.company_id,
        "connection_id": connection.id,
        "account_id": account_id,
        "tenant_id": connection.tenant.id if connection.tenant else "",
        "token_set_id": connection.token_set_id or "",
        "feed_connection_id": f"fc-{account_id}",
        "currency": "GBP",
        "created": NOW,
    }
    return Feed(**defaults | fields)


def problem(**fields: Any) -> Problem:
    """A refusal of Xero's."""
    return Problem(**{"type": "invalid-request", "title": "Invalid Request", "status": 400} | fields)


def hold(scope: Scope = Scope.APP, subject: str = APP_SUBJECT, **fields: Any) -> Hold:
    cause = {"reason": "app-suspended", "problem": problem(), "since": NOW}
    return Hold(**{"id": "hold-1", "scope": scope, "subject": subject} | cause | fields)
