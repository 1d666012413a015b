"""The API's world: Xero, the vault, the queues and the clock. The handler takes its parts from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.source_account import AccountKind
from feedlane.credentials.vault import KeysCheck, SecretSlot
from feedlane.environment import environment
from feedlane.errors import NotFound
from feedlane.feeds.refusals import refusal_of
from feedlane.feeds.upstream import FeedConnection, NewFeedConnection, Refusal, TargetAccount, TenantAccess
from feedlane.ids import fingerprint
from feedlane.problem import Problem
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from tests import builders, rights
from tests.builders import TENANT, TOKEN_SET, URL
from tests.worlds.base import BaseWorld

KEY = "fl_test"
CONTEXT = SimpleNamespace(
    function_name="public_api", memory_limit_in_mb=1024, invoked_function_arn="arn", aws_request_id="request"
)


class StandInXero:
    """Feed connections and accounts of one organisation. The next call raises `problem`, once."""

    def __init__(self) -> None:
        self.accounts = [
            TargetAccount(id="xero-1", name="Business", number="20011234", currency="GBP", kind=AccountKind.BANK),
            TargetAccount(id="xero-2", name="Euro", number="20015678", currency="EUR", kind=AccountKind.BANK),
            TargetAccount(id="xero-3", name="Card", number="4471", currency="GBP", kind=AccountKind.CREDIT_CARD),
        ]
        self.feeds: dict[str, FeedConnection] = {}
        self.active = True
        self.problem: Exception | None = None
        self.disconnected: list[str] = []
        self._ids = count(1)

    def target_accounts(self, access: TenantAccess) -> list[TargetAccount]:
        rights.require_vault()
        self._raise_problem()
        return self.accounts

    def feed_connections(self, access: TenantAccess) -> list[FeedConnection]:
        rights.require_vault()
        return list(self.feeds.values())

    def create_feed_connection(self, access: TenantAccess, new: NewFeedConnection) -> FeedConnection:
        rights.require_vault()
        self._raise_problem()
        id = f"feed-{next(self._ids)}"
        account_id = new.account_id or (f"new-{id}" if self.active else None)
        self.feeds[id] = FeedConnection(
            id=id, account_token=new.account_token, account_id=account_id, account_name=new.account_name,
            active=self.active,
        )  # fmt: skip
        return self.feeds[id]

    def refusal_for_rejection(self, access: TenantAccess, problems: Sequence[Problem]) -> Refusal:
        return refusal_of(problems[0])

    def feed_connection(self, access: TenantAccess, feed_connection_id: str) -> FeedConnection | None:
        rights.require_vault()
        return self.feeds.get(feed_connection_id)

    def delete_feed_connection(self, access: TenantAccess, feed_connection_id: str) -> None:
        rights.require_vault()
        self._raise_problem()
        self.feeds.pop(feed_connection_id, None)

    def disconnect(self, connection: Connection) -> None:
        rights.require_vault()
        self._raise_problem()
        assert connection.tenant
        self.disconnected.append(connection.tenant.xero_connection_id)

    def _raise_problem(self) -> None:
        problem, self.problem = self.problem, None
        if problem:
            raise problem


class StandInVault:
    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.keys: tuple[str, str] | None = None
        self.second_secret = ""
        self.check = KeysCheck(ok=True)

    def save_app_keys(self, client_id: str, client_secret: str) -> KeysCheck:
        rights.require_vault("save_app_keys")
        if self.check.ok is not False:
            self.keys = (client_id, client_secret)
        return self._check_result()

    def add_app_secret(self, client_secret: str) -> KeysCheck:
        rights.require_vault("add_app_secret")
        if self.check.ok is not False:
            self.second_secret = client_secret
        return self._check_result()

    def drop_app_secret(self, which: SecretSlot) -> KeysCheck:
        rights.require_vault("drop_app_secret")
        client_id, first = self.keys or ("", "")
        self.keys, self.second_secret = (client_id, self.second_secret if which is SecretSlot.FIRST else first), ""
        return self._check_result()

    def _check_result(self) -> KeysCheck:
        client_id = self.keys[0] if self.keys else "A" * 32
        endings = tuple(secret[-4:] for secret in (*(self.keys or ())[1:], self.second_secret) if secret)
        return self.check.but(client_id=client_id, endings=endings)

    def create_webhook_secret(self, consumer_id: str) -> str:
        rights.require_vault("create_webhook_secret")
        self.secrets[consumer_id] = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
        return self.secrets[consumer_id]

    def set_webhook_headers(self, consumer_id: str, headers: dict[str, str]) -> None:
        rights.require_vault("set_webhook_headers")
        self.headers[consumer_id] = headers

    def delete_webhook_secret(self, consumer_id: str) -> None:
        rights.require_vault("delete_webhook_secret")
        self.headers.pop(consumer_id, None)
        if consumer_id not in self.secrets:
            raise NotFound("secret", consumer_id)
        del self.secrets[consumer_id]


class World(BaseWorld):
    """A deployment with app keys, the integration and bank feeds on, and one API key. It serves as the API's parts."""

    public_url = URL
    webhook_targets = "any"

    def __init__(self) -> None:
        super().__init__(upstream=StandInXero())
        self.vault: Any = StandInVault()
        key = ApiKey(id="key-1", name="test", fingerprint=fingerprint(KEY), ending="test", created=self.now)
        settings = builders.settings(client_secret_ending="CyeQ")
        self.store.commit(settings_items.add_api_key(key), settings_items.put_settings(settings))

    def clock(self) -> datetime:
        """One millisecond later each time, so that nothing happens at the same time."""
        self.advance(milliseconds=1)
        return self.now

    def disconnect(self, connection: Connection) -> None:
        self.upstream.disconnect(connection)

    def link(self, company_id: str, connection_id: str, tenant_id: str = TENANT) -> Connection:
        """Links the connection, as when the customer completes Link."""
        connection = company_items.connection(self.store, company_id, connection_id)
        linked = connection.but(
            status=ConnectionStatus.LINKED,
            token_set_id=TOKEN_SET,
            scopes=("bankfeeds",),
            tenant=builders.tenant(tenant_id, base_currency="GBP", plan="GROW"),
        )
        self.store.commit(company_items.put_connection(linked))
        return linked.but(version=connection.version + 1)


def transaction(id: str, date: str, amount: str, balance: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id, "date": date, "description": f"Invoice {id}", "amount": Decimal(amount), "balance": Decimal(balance),
        "transaction_type": "Credit" if Decimal(amount) >= 0 else "Debit",
    } | fields  # fmt: skip


@contextmanager
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Gives the API's handler a new world, until the test ends."""
    from api import authentication, parts

    world = World()
    with monkeypatch.context() as patch:
        patch.setattr(parts, "_current", world)
        environment.cache_clear()
        authentication.forget_all()
        yield world
    environment.cache_clear()
