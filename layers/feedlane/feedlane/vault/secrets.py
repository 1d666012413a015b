"""Secrets Manager as a port, as far as the vault uses it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class SecretVersion(NamedTuple):
    """One version of a secret. Its text is kept out of tracebacks and logs."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"SecretVersion(id={self.id!r})"


class Secrets(Protocol):
    """Raises `Unavailable` when the store is throttled or does not answer."""

    def current(self, name: str) -> SecretVersion | None:
        """The version written last."""

    def previous(self, name: str) -> SecretVersion | None:
        """The version before the current one."""

    def version(self, name: str, id: str) -> SecretVersion | None: ...

    def write(self, name: str, text: str) -> str:
        """Stores the text as the current version and returns its id; the version before becomes the previous one."""

    def delete(self, name: str) -> None:
        """Deletes all versions for good. A missing secret is no error."""
