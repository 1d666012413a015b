"""Secrets Manager in memory. It passes the same contract tests."""

from __future__ import annotations

import threading

from feedlane.ids import new_id
from feedlane.vault_secrets import Version


class MemorySecrets:
    """The stages AWSCURRENT and AWSPREVIOUS as Secrets Manager moves them."""

    def __init__(self) -> None:
        self._secrets: dict[str, list[Version]] = {}
        self._lock = threading.Lock()

    def current(self, name: str) -> Version | None:
        return self._from_the_end(name, 1)

    def previous(self, name: str) -> Version | None:
        return self._from_the_end(name, 2)

    def version(self, name: str, id: str) -> Version | None:
        return next((one for one in self._secrets.get(name, []) if one.id == id), None)

    def write(self, name: str, text: str) -> str:
        version = Version(new_id(), text)
        with self._lock:
            self._secrets.setdefault(name, []).append(version)
        return version.id

    def delete(self, name: str) -> None:
        with self._lock:
            self._secrets.pop(name, None)

    def _from_the_end(self, name: str, position: int) -> Version | None:
        versions = self._secrets.get(name, [])
        return versions[-position] if len(versions) >= position else None
