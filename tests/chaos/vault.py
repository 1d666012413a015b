"""The credential vault as other functions reach it: the real client and service, with secrets kept in memory."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

from botocore.exceptions import ReadTimeoutError

from feedlane.credentials.messages import error_as_data, parse_message, perform
from feedlane.errors import FeedlaneError, Unavailable
from feedlane.store.table import Table
from feedlane.vault.secrets import SecretVersion
from feedlane.vault.service import VaultService
from feedlane.xero.identity import Identity
from tests import rights
from tests.chaos.faults import Faults
from tests.chaos.outages import SECRETS, VAULT
from tests.chaos.table import Unreachable
from tests.chaos.timeline import Crash, Timeline
from tests.fakes.secrets import Delay, MemorySecrets, at

SECRETS_SECONDS = 0.02
LAG_SECONDS_MAX = 60.0


class ChaosSecrets(MemorySecrets):
    """`texts` has every secret that was ever stored."""

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        super().__init__(timeline.now, self._lag, self._deletion, timeline.sleep)
        self.texts: list[str] = []
        self._timeline, self._faults = timeline, faults

    def current(self, name: str) -> SecretVersion | None:
        self._touch()
        return super().current(name)

    def previous(self, name: str) -> SecretVersion | None:
        self._touch()
        return super().previous(name)

    def version(self, name: str, id: str) -> SecretVersion | None:
        self._touch()
        return super().version(name, id)

    def write(self, name: str, text: str) -> str:
        self._touch()
        id = super().write(name, text)
        self.texts.append(text)
        self._faults.after("write", SECRETS_SECONDS)
        return id

    def delete(self, name: str) -> None:
        self._touch()
        super().delete(name)

    def _lag(self) -> Delay:
        """A moment, as a rule; far longer than the vault waits, where the fault strikes."""
        longest = LAG_SECONDS_MAX if self._faults.strike("secrets_lag") else 0.2
        return self._after(self._faults.seconds(0, longest))

    def _deletion(self) -> Delay:
        return self._after(self._faults.seconds(0, 3))

    def _after(self, seconds: float) -> Delay:
        return at(self._timeline.now() + timedelta(seconds=seconds), self._timeline.now)

    def _touch(self) -> None:
        self._faults.before("read", SECRETS_SECONDS)
        self._faults.outages.require(SECRETS)
        if self._faults.strike("secrets_failed"):
            raise Unavailable("Secrets Manager is throttled", 1)


class VaultFunction:
    """boto3's client for Lambda, with two instances of the vault that share only the stores."""

    def __init__(
        self,
        timeline: Timeline,
        faults: Faults,
        rng: random.Random,
        secrets: ChaosSecrets,
        table: Table,
        identity: Identity,
        token_sets_per_secret: int,
    ) -> None:
        self.invocations = 0
        self._timeline, self._faults, self._rng = timeline, faults, rng
        self._parts = (secrets, table, identity, timeline.now, timeline.sleep, token_sets_per_secret)
        self._instances = [VaultService(*self._parts) for _ in range(2)]

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        rights.require_vault(json.loads(arguments["Payload"])["action"])
        self._faults.outages.require(VAULT)
        with rights.acting_as("credential_vault"):
            return self._invoke(arguments)

    def _invoke(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.invocations += 1
        task = self._timeline.current()
        payload = json.loads(arguments["Payload"])
        instance = self._rng.randrange(len(self._instances))
        if task is None:
            return _answer(self._perform(instance, payload))
        task.in_vault += 1
        try:
            data = self._perform(instance, payload)
        except Crash:
            # The vault's process has died, perhaps with its caller's.
            self._instances[instance] = VaultService(*self._parts)
            if self._rng.random() < 0.3:
                raise
            task.dead = False
            self._faults.count("vault_crashed")
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        except Unreachable:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        finally:
            task.in_vault -= 1
        if self._faults.strike("vault_answer_lost"):
            raise ReadTimeoutError(endpoint_url="https://lambda.example")
        return _answer(data)

    def _perform(self, instance: int, payload: dict[str, Any]) -> dict[str, Any]:
        if self._faults.strike("vault_crashed") and (task := self._timeline.current()):
            return self._perform_and_crash(instance, payload, task)
        try:
            return {"ok": perform(self._instances[instance], parse_message(payload))}
        except FeedlaneError as error:
            return {"error": error_as_data(error)}

    def _perform_and_crash(self, instance: int, payload: dict[str, Any], task: Any) -> dict[str, Any]:
        """The process dies after its work, before the caller has the answer."""
        with suppress(FeedlaneError):
            perform(self._instances[instance], parse_message(payload))
        task.dead = True
        raise Crash("vault")


def _answer(data: dict[str, Any]) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(data).encode())}
