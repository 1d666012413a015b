"""Secrets Manager as a port, as far as the vault uses it, and a memory that behaves like it."""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

from feedlane.ids import new_id


class Version(NamedTuple):
    """One version of a secret. Its text is kept out of tracebacks and logs."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Version(id={self.id!r})"


class Secrets(Protocol):
    """Raises `Unavailable` when the store is throttled or does not answer."""

    def current(self, name: str) -> Version | None:
        """What was written last."""

    def previous(self, name: str) -> Version | None:
        """What was written before that."""

    def version(self, name: str, id: str) -> Version | None: ...

    def write(self, name: str, text: str) -> str:
        """Keeps the text as the current version and answers its id; the one before becomes the previous."""

    def delete(self, name: str) -> None:
        """For good, with all versions. One that is not there is no error."""


class MemorySecrets:
    """For tests: the stages AWSCURRENT and AWSPREVIOUS as Secrets Manager moves them."""

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
