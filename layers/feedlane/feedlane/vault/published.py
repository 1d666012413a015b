"""Reads the version that a lease item names. Secrets Manager may not show a new version everywhere at once."""

from __future__ import annotations

from collections.abc import Callable

from feedlane.errors import Unavailable
from feedlane.vault.secrets import Secrets, SecretVersion

# Usually enough. A caller that is told to come back retries for longer.
RETRY_WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8)
RETRY_AFTER_SECONDS = 2


class NotShownYet(Unavailable):
    """The version exists, because its writer has published it, but the store does not show it (yet)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Secrets Manager does not show the valid version of {name} yet", RETRY_AFTER_SECONDS)


def published_version(secrets: Secrets, name: str, version: str, pause: Callable[[float], None]) -> SecretVersion:
    """Raises `NotShownYet`, and never answers that there is none: whoever believed it would write over the secret."""
    for wait in (*RETRY_WAITS_SECONDS, None):
        secret = secrets.version(name, version)
        if secret is not None:
            return secret
        if wait is not None:
            pause(wait)
    raise NotShownYet(name)
