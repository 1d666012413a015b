"""What a hold or a wait applies to: the app, a tenant, a connection or a feed."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    APP = "app"
    TENANT = "tenant"
    CONNECTION = "connection"
    FEED = "feed"


# Of the app: our own at Xero, and our account at Codat. What stops one does not stop the other.
APP_SUBJECT, CODAT_SUBJECT = "app", "codat"


def hold_subjects(
    feed_id: str, connection_id: str, tenant_id: str | None, app: str = APP_SUBJECT
) -> list[tuple[Scope, str]]:
    """The subjects of all holds that can stop a feed, the widest first."""
    subjects = [(Scope.APP, app)]
    if tenant_id:
        subjects.append((Scope.TENANT, tenant_id))
    return [*subjects, (Scope.CONNECTION, connection_id), (Scope.FEED, feed_id)]
