"""Who lets calls to the upstream go, as a port: every request asks, so that all of them count, whoever makes them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from feedlane.scope import Scope


class CallLimits(Protocol):
    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        """Counts one request, which is in progress until the block ends; None: a call without a tenant.

        Raises `LimitReached` if the request may not go now.
        """

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """The upstream asked the app or this tenant to wait so long. All instances keep to it."""


class NoLimits:
    """Lets every call go: for tests and tools that are alone with the upstream."""

    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        return nullcontext()

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Nobody else calls."""


NO_LIMITS = NoLimits()
