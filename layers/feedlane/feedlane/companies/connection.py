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

BANK_FEEDS_SCOPE = "bankfeeds"
MISSING_SCOPE = "missing-scope"
ACCESS_REFUSED = "access-refused"
FAULTS_KEPT_MAX = 10
# Reasons that only the customer can do something about, by connecting again.
RECONNECTION_REASONS = frozenset(
    {
        MISSING_SCOPE,
        ACCESS_REFUSED,
        "connection-removed",
        "one-off-access-ended",
        "authorisation-ended",
        "granted-to-another-app",
    }
)


class ConnectionStatus(StrEnum):
    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


class ConnectionFault(Record):
    """Why a connection failed, as Codat's `dataConnectionErrors` has it: `status_code` is text there.

    `reason` is ours: a word that tells the causes apart and stays the same whatever the texts say.
    """

    status_code: str
    status_text: str
    error_message: str
    errored_on: datetime
    resolved_on: datetime | None = None
    reason: str = ""


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
    access_ends: datetime | None = None
    """When one-off access ends; None for continuous access."""
    errors: tuple[ConnectionFault, ...] = ()
    version: int = 1

    @property
    def is_linked(self) -> bool:
        return self.status is ConnectionStatus.LINKED and self.tenant is not None

    @property
    def lacks_bank_feeds(self) -> bool:
        """Authorised without the scope of bank feeds. Scopes that are not known are not held against it."""
        return bool(self.scopes) and BANK_FEEDS_SCOPE not in self.scopes

    @property
    def reconnection_fault(self) -> ConnectionFault | None:
        """Why the customer has to reconnect, if that is known and has not been done."""
        newest_first = reversed(self.errors)
        standing = (
            error for error in newest_first if error.resolved_on is None and error.reason in RECONNECTION_REASONS
        )
        return next(standing, None)

    @property
    def needs_reconnection(self) -> bool:
        return self.status is ConnectionStatus.DEAUTHORIZED or (self.is_linked and self.reconnection_fault is not None)

    def failed(self, error: ConnectionFault) -> Connection:
        """With one error more. Of too many the oldest goes, but not the one that says why the customer is needed."""
        errors, need = [*self.errors, error], self.reconnection_fault
        while len(errors) > FAULTS_KEPT_MAX:
            errors.remove(next(one for one in errors if one is not need))
        return self.but(errors=tuple(errors))

    def resolved(self, now: datetime) -> Connection:
        """All errors so far are marked as resolved: the connection works again."""
        return self.but(errors=tuple(e if e.resolved_on else e.but(resolved_on=now) for e in self.errors))
