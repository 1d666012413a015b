"""Secrets Manager in memory. It passes the same contract tests."""

from __future__ import annotations

import threading

from feedlane.ids import new_id
from feedlane.vault.secrets import SecretVersion
from tests import rights


class MemorySecrets:
    """The stages AWSCURRENT and AWSPREVIOUS as Secrets Manager moves them."""

    def __init__(self) -> None:
        self._secrets: dict[str, list[SecretVersion]] = {}
        self._lock = threading.Lock()

    def current(self, name: str) -> SecretVersion | None:
        return self._version_from_end(name, 1)

    def previous(self, name: str) -> SecretVersion | None:
        return self._version_from_end(name, 2)

    def version(self, name: str, id: str) -> SecretVersion | None:
        rights.require("secretsmanager:GetSecretValue", rights.SECRETS)
        return next((version for version in self._secrets.get(name, []) if version.id == id), None)

    def write(self, name: str, text: str) -> str:
        rights.require("secretsmanager:PutSecretValue", rights.SECRETS)
        version = SecretVersion(new_id(), text)
        with self._lock:
            if name not in self._secrets:
                rights.require("secretsmanager:CreateSecret", rights.SECRETS)
            self._secrets.setdefault(name, []).append(version)
        return version.id

    def delete(self, name: str) -> None:
        rights.require("secretsmanager:DeleteSecret", rights.SECRETS)
        with self._lock:
            self._secrets.pop(name, None)

    def _version_from_end(self, name: str, position: int) -> SecretVersion | None:
        rights.require("secretsmanager:GetSecretValue", rights.SECRETS)
        versions = self._secrets.get(name, [])
        return versions[-position] if len(versions) >= position else None
