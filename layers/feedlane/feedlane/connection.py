"""A connection: one company's link to one Xero organisation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from feedlane.record import Record

# Codat's identifiers of the Xero integration, which its SDKs' users know.
PLATFORM_KEY = "gbol"
INTEGRATION_ID = "0f20c943-12d0-4800-9f6c-d218f62d494c"
SOURCE_ID = "8a156a5a-39cb-4f9d-856e-76ef9b9a9607"
PLATFORM_NAME = "Xero"


class ConnectionStatus(StrEnum):
    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


class ConnectionError(Record):
    """Why a connection failed, as Codat's `dataConnectionErrors` has it: `status_code` is text there."""

    status_code: str
    status_text: str
    error_message: str
    errored_on: datetime
    resolved_on: datetime | None = None


class Tenant(Record):
    """A Xero organisation as Xero identifies it, with what the feeds need to know of it."""

    id: str
    name: str
    xero_connection_id: str
    base_currency: str = ""
    country: str = ""
    time_zone: str = "UTC"
    plan: str = ""
    demo: bool = False


class Connection(Record):
    id: str
    company_id: str
    status: ConnectionStatus = ConnectionStatus.PENDING_AUTH
    created: datetime
    linked_on: datetime | None = None
    tenant: Tenant | None = None
    token_set_id: str | None = None
    scopes: tuple[str, ...] = ()
    errors: tuple[ConnectionError, ...] = ()
    version: int = 1

    @property
    def is_linked(self) -> bool:
        return self.status is ConnectionStatus.LINKED and self.tenant is not None

    def failed(self, error: ConnectionError) -> Connection:
        return self.but(errors=(*self.errors[-9:], error))

    def resolved(self, now: datetime) -> Connection:
        """All errors so far are marked as resolved: the connection works again."""
        return self.but(errors=tuple(e if e.resolved_on else e.but(resolved_on=now) for e in self.errors))
