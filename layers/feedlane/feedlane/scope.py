"""What a hold or a wait applies to: the app, a tenant, a connection or a feed."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    APP = "app"
    TENANT = "tenant"
    CONNECTION = "connection"
    FEED = "feed"


APP_SUBJECT = "app"


def hold_subjects(feed_id: str, connection_id: str, tenant_id: str | None) -> list[tuple[Scope, str]]:
    """All that can hold a feed, the widest first."""
    found = [(Scope.APP, APP_SUBJECT)]
    if tenant_id:
        found.append((Scope.TENANT, tenant_id))
    return [*found, (Scope.CONNECTION, connection_id), (Scope.FEED, feed_id)]
