"""A function instance in its own process: the vault as deployed, called through a pipe."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from typing import Any, NamedTuple

from feedlane.aws import clients as aws
from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.clock import system_clock
from feedlane.companies.connection import Tenant
from feedlane.companies.organisations import Organisation
from feedlane.errors import AppKeysRejected, FeedlaneError, ReconnectionNeeded, Unavailable
from feedlane.http import Http
from feedlane.ids import new_id
from feedlane.ports import Ports
from feedlane.store.store import Store
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.vault import shards
from feedlane.vault.leases import Leases
from feedlane.vault.secrets_manager import SecretsManager
from feedlane.vault.service import VaultService
from feedlane.vault.token_sets import own_secret
from feedlane.xero.connections import XeroConnections
from feedlane.xero.identity import Identity
from local.instance import ROOT_CREDENTIALS
from tests.chaos.mutations import MUTATIONS
from tests.fakes.queues import FakeQueues
from tests.races.moments import Moments, WatchedTransport, hurry_retries
from tests.races.services import PREFIX, TABLE, Services

STALLED = "stalled"
SHARED = (1, 10)
VERSIONS_MAX = 10_000


class Ask(NamedTuple):
    """`ahead` is how many seconds the clock is ahead; `hurry` divides the vault's pauses.

    `shared` is how many token sets share a secret.
    """

    action: str
    arguments: tuple[Any, ...] = ()
    ahead: float = 0.0
    hurry: float = 1.0
    at: str | int | None = None
    do: str = "die"
    answers: dict[str, tuple[str, int]] = {}
    shared: int = 1


class Answer(NamedTuple):
    """`kind` is `ok` or the error's type. `unstored` marks a token that the store does not have."""

    kind: str
    value: Any = None
    unstored: bool = False

    def __repr__(self) -> str:
        """Without a token."""
        return f"{self.kind}" if self.kind == "ok" else f"{self.kind}({self.value})"


def serve(pipe: Pipe, services: Services, broken: str) -> None:
    """Answers requests one by one, until the pipe is closed or a request kills the process."""
    with MUTATIONS[broken].broken() if broken else nullcontext():
        _serve(pipe, services)


def _serve(pipe: Pipe, services: Services) -> None:
    instance = FunctionInstance(pipe, services)
    while True:
        try:
            ask = pipe.recv()
        except EOFError:
            return
        pipe.send(instance.answer(ask))


def _no_details(token_set_id: str, organisation: Organisation) -> Tenant:
    raise Unavailable("The races are about tokens: nobody asks about organisations")


class FunctionInstance:
    def __init__(self, pipe: Pipe, services: Services) -> None:
        os.environ |= {**ROOT_CREDENTIALS, "AWS_ENDPOINT_URL": services.aws_url, "AWS_DEFAULT_REGION": "us-east-1"}
        hurry_retries()
        self._pipe = pipe
        self._ask = Ask("")
        self._moments = Moments(self._stall)
        for service in ("secretsmanager", "dynamodb"):
            self._moments.watch(aws.client(service))
        self._secrets = SecretsManager(aws.client("secretsmanager"), PREFIX, self._pause)
        table = DynamoDBTable(aws.client("dynamodb"), TABLE, self._pause)
        identity = Identity(
            Http(services.xero_url, read_seconds=5, transport=WatchedTransport(self._moments)), self._now
        )
        connections = XeroConnections(Http(services.xero_url, transport=WatchedTransport(self._moments)), self._now)
        self._store = Store(table)
        # Within minutes, each customer is refreshed more often than a shard allows in days.
        shards.VERSIONS_A_DAY = VERSIONS_MAX
        parts = (self._secrets, table, identity, self._now, self._pause)
        ports = Ports(Store(table), FakeQueues(), self._now, new_id)
        self._vaults = {shared: VaultService(*parts, shared) for shared in SHARED}
        self._checks = {
            shared: ConnectionCheck(ports, vault, connections, _no_details) for shared, vault in self._vaults.items()
        }

    @property
    def vault(self) -> VaultService:
        return self._vaults[self._ask.shared]

    def answer(self, ask: Ask) -> Answer:
        self._ask = ask
        self._moments.set(ask.at, ask.do, ask.answers)
        try:
            value = getattr(self, f"_{ask.action}")(*ask.arguments)
        except (ReconnectionNeeded, AppKeysRejected) as error:
            return Answer(type(error).__name__, error.problem.type)
        except Unavailable as error:
            return Answer("Unavailable", str(error))
        except FeedlaneError as error:
            return Answer(type(error).__name__, str(error))
        except Exception as error:
            # The handler hides the text, and Lambda reports only that the function failed.
            return Answer("Failed", type(error).__name__)
        finally:
            self._moments.set(None, "", {})
        return Answer("ok", value, ask.action == "token" and not self._is_stored(ask.arguments[0], value))

    def _token(self, token_set_id: str, rejected: str | None = None) -> str:
        return self.vault.access_token(token_set_id, rejected).value

    def _exchange(self, code: str, redirect_uri: str) -> str:
        return self.vault.exchange_code(code, redirect_uri).token_set_id

    def _save_keys(self, client_id: str, client_secret: str) -> bool | None:
        return self.vault.save_app_keys(client_id, client_secret).ok

    def _add_secret(self, client_secret: str) -> bool | None:
        return self.vault.add_app_secret(client_secret).ok

    def _tend(self) -> int:
        return self._checks[self._ask.shared].check_page("", lambda: timedelta(minutes=5)).ended

    def _is_stored(self, token_set_id: str, token: str) -> bool:
        """Whether the store had this token: in the valid version, the current or the previous one."""
        lease = Leases(self._store.table, self._now).read(token_set_id)
        shard = Leases(self._store.table, self._now).read(lease.shard) if lease.shard else None
        names = {own_secret(lease): lease.version} | ({shard.subject: shard.version} if shard else {})
        return any(
            version is not None and token in version.text
            for name, valid in names.items()
            for version in (
                self._secrets.version(name, valid) if valid else None,
                self._secrets.current(name),
                self._secrets.previous(name),
            )
        )

    def _stall(self) -> None:
        """Waits to be resumed."""
        self._pipe.send(STALLED)
        self._pipe.recv()

    def _now(self) -> datetime:
        return system_clock() + timedelta(seconds=self._ask.ahead)

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds / self._ask.hurry)
