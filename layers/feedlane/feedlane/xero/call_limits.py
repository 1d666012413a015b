"""Who lets calls to Xero go, as a port: every request asks, so that all of them count, whoever makes them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

import httpx

from feedlane.scope import Scope
from feedlane.xero.outcomes import wait_asked


class CallLimits(Protocol):
    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        """Counts one request, which is in progress until the block ends; None: a call without a tenant.

        Raises `LimitReached` if the request may not go now.
        """

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Xero asked the app or this tenant to wait so long. All instances keep to it."""


class NoLimits:
    """Lets every call go: for tests and tools that are alone with Xero."""

    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        return nullcontext()

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Nobody else calls."""


NO_LIMITS = NoLimits()


def share_wait(limits: CallLimits, tenant_id: str | None, answer: httpx.Response, now: datetime) -> None:
    """Tells everyone of the wait that this answer asks for, if it asks for one."""
    asked = wait_asked(answer, now)
    if asked is not None:
        limits.wait(tenant_id, *asked)
