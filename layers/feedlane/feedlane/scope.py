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
    """The subjects of all holds that can stop a feed, the widest first."""
    subjects = [(Scope.APP, APP_SUBJECT)]
    if tenant_id:
        subjects.append((Scope.TENANT, tenant_id))
    return [*subjects, (Scope.CONNECTION, connection_id), (Scope.FEED, feed_id)]
