"""Secrets Manager as a port, as far as the vault uses it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class SecretVersion(NamedTuple):
    """One version of a secret. Its text is kept out of tracebacks and logs."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Version(id={self.id!r})"


class Secrets(Protocol):
    """Raises `Unavailable` when the store is throttled or does not answer."""

    def current(self, name: str) -> SecretVersion | None:
        """What was written last."""

    def previous(self, name: str) -> SecretVersion | None:
        """What was written before that."""

    def version(self, name: str, id: str) -> SecretVersion | None: ...

    def write(self, name: str, text: str) -> str:
        """Keeps the text as the current version and answers its id; the one before becomes the previous."""

    def delete(self, name: str) -> None:
        """For good, with all versions. One that is not there is no error."""
