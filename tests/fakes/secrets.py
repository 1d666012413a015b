"""Secrets Manager in memory: the real adapter over a client that is as slow to show a version as AWS may be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from feedlane.clock import Clock, system_clock
from feedlane.vault.secrets import SecretVersion
from feedlane.vault.secrets_manager import SecretsManager
from tests import rights

VERSIONS_MAX = 100
# Secrets Manager removes no version that is younger than this.
VERSION_KEPT = timedelta(hours=24)
PREFIX = "memory"

# Something that takes a while: each call is one look, and says whether it has happened.
Delay = Callable[[], bool]


def after_looks(count: int) -> Delay:
    """Happens after so many looks: deterministic, whatever the clock does."""
    looks = iter(range(count))
    return lambda: next(looks, None) is None


def at(moment: datetime, clock: Clock) -> Delay:
    return lambda: clock() >= moment


@dataclass
class _Version:
    id: str
    text: str
    created: datetime
    is_shown: Delay


@dataclass
class SecretsClient:
    """boto3's client, as far as the adapter uses it.

    A version is hidden from everybody, by its id and by its stage, until its `lag` is over. A deleted secret keeps its
    name until its `deletion` is; one that is only scheduled for deletion keeps it until it is restored.
    """

    clock: Clock = system_clock
    lag: Callable[[], Delay] = lambda: after_looks(1)
    deletion: Callable[[], Delay] = lambda: after_looks(2)
    versions: dict[str, list[_Version]] = field(default_factory=dict)
    _deleted: dict[str, Delay] = field(default_factory=dict)
    _scheduled: dict[str, list[_Version]] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    def create_secret(self, Name: str, SecretString: str, ClientRequestToken: str) -> dict[str, str]:  # noqa: N803
        rights.require("secretsmanager:CreateSecret", rights.SECRETS)
        with self._lock:
            if Name in self.versions:
                raise _error("ResourceExistsException")
            if Name in self._scheduled or not self._deleted.get(Name, _is_over)():
                raise _error("InvalidRequestException")
            self._deleted.pop(Name, None)
            self.versions[Name] = []
            return self._add(Name, SecretString, ClientRequestToken)

    def put_secret_value(self, SecretId: str, SecretString: str, ClientRequestToken: str) -> dict[str, str]:  # noqa: N803
        rights.require("secretsmanager:PutSecretValue", rights.SECRETS)
        with self._lock:
            self._require(SecretId)
            return self._add(SecretId, SecretString, ClientRequestToken)

    def get_secret_value(
        self,
        SecretId: str,  # noqa: N803
        VersionId: str | None = None,  # noqa: N803
        VersionStage: str = "AWSCURRENT",  # noqa: N803
    ) -> dict[str, str]:
        rights.require("secretsmanager:GetSecretValue", rights.SECRETS)
        with self._lock:
            self._require(SecretId)
            shown = [version for version in self.versions[SecretId] if version.is_shown()]
            if VersionId is not None:
                found = [version for version in shown if version.id == VersionId]
            else:
                found = shown[-1:] if VersionStage == "AWSCURRENT" else shown[-2:-1]
            if not found:
                raise _error("ResourceNotFoundException")
            return {"VersionId": found[0].id, "SecretString": found[0].text}

    def delete_secret(self, SecretId: str, ForceDeleteWithoutRecovery: bool) -> None:  # noqa: N803
        assert ForceDeleteWithoutRecovery
        rights.require("secretsmanager:DeleteSecret", rights.SECRETS)
        with self._lock:
            if self.versions.pop(SecretId, None) is not None:
                self._deleted[SecretId] = self.deletion()

    def schedule_deletion(self, name: str) -> None:
        """What `delete-secret` does by default: for 30 days nobody can use the secret, nor its name."""
        self._scheduled[name] = self.versions.pop(name)

    def restore_secret(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        rights.require("secretsmanager:RestoreSecret", rights.SECRETS)
        with self._lock:
            if SecretId in self._scheduled:
                self.versions[SecretId] = self._scheduled.pop(SecretId)
            self._require(SecretId)
            return {"Name": SecretId}

    def _add(self, name: str, text: str, id: str) -> dict[str, str]:
        versions = self.versions[name]
        same = [version for version in versions if version.id == id]
        if not same:
            while len(versions) >= VERSIONS_MAX and self.clock() - versions[0].created >= VERSION_KEPT:
                versions.pop(0)
            if len(versions) >= VERSIONS_MAX:
                raise _error("LimitExceededException")
            versions.append(_Version(id, text, self.clock(), self.lag()))
        elif same[0].text != text:
            raise _error("ResourceExistsException")
        return {"VersionId": id}

    def _require(self, name: str) -> None:
        if name in self._deleted or name in self._scheduled:
            raise _error("InvalidRequestException")
        if name not in self.versions:
            raise _error("ResourceNotFoundException")


class MemorySecrets(SecretsManager):
    def __init__(
        self,
        clock: Clock = system_clock,
        lag: Callable[[], Delay] = lambda: after_looks(1),
        deletion: Callable[[], Delay] = lambda: after_looks(2),
        pause: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.client = SecretsClient(clock, lag, deletion)
        super().__init__(self.client, PREFIX, pause)

    def stored(self, name: str, id: str = "") -> SecretVersion | None:
        """This version, or the one written last, even if it is not shown yet."""
        versions = self.client.versions.get(f"{PREFIX}/{name}", [])
        found = [version for version in versions if id in ("", version.id)]
        return SecretVersion(found[-1].id, found[-1].text) if found else None


def _is_over() -> bool:
    return True


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "SecretsManager")
