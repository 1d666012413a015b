"""The credential vault as other functions reach it: the real client and the real service, with a memory for secrets."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress
from typing import Any

from botocore.exceptions import ReadTimeoutError

from feedlane.credentials.messages import error_as_data, parse_message, perform
from feedlane.errors import FeedlaneError, Unavailable
from feedlane.store.table import Table
from feedlane.vault.secrets import SecretVersion
from feedlane.vault.service import VaultService
from feedlane.xero.identity import Identity
from tests.chaos.faults import Faults
from tests.chaos.table import Unreachable
from tests.chaos.timeline import Crash, Timeline
from tests.fakes.secrets import MemorySecrets

STORE = 0.02


class ChaosSecrets(MemorySecrets):
    """`texts` has every secret that was ever stored."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._faults = faults

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
        self._faults.after("write", STORE)
        return id

    def _touch(self) -> None:
        self._faults.before("read", STORE)
        if self._faults.strike("secrets_failed"):
            raise Unavailable("Secrets Manager is throttled", 1)


class VaultFunction:
    """boto3's client for Lambda, with two instances of the vault behind it that share nothing but the stores."""

    def __init__(
        self,
        timeline: Timeline,
        faults: Faults,
        rng: random.Random,
        secrets: ChaosSecrets,
        table: Table,
        identity: Identity,
    ) -> None:
        self.invocations = 0
        self._timeline, self._faults, self._rng = timeline, faults, rng
        self._parts = (secrets, table, identity, timeline.now, timeline.sleep)
        self._instances = [VaultService(*self._parts) for _ in range(2)]

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.invocations += 1
        task = self._timeline.current()
        payload = json.loads(asked["Payload"])
        place = self._rng.randrange(len(self._instances))
        if task is None:
            return _answer(self._performed(place, payload))
        task.in_vault += 1
        try:
            data = self._performed(place, payload)
        except Crash:
            # The vault's own process is gone, or its caller's as well.
            self._instances[place] = VaultService(*self._parts)
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

    def _performed(self, place: int, payload: dict[str, Any]) -> dict[str, Any]:
        if self._faults.strike("vault_crashed") and (task := self._timeline.current()):
            return self._crashing(place, payload, task)
        try:
            return {"ok": perform(self._instances[place], parse_message(payload))}
        except FeedlaneError as error:
            return {"error": error_as_data(error)}

    def _crashing(self, place: int, payload: dict[str, Any], task: Any) -> dict[str, Any]:
        """Its process ends just after it was done, when nobody has heard of it."""
        with suppress(FeedlaneError):
            perform(self._instances[place], parse_message(payload))
        task.dead = True
        raise Crash("vault")


def _answer(data: dict[str, Any]) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(data).encode())}
