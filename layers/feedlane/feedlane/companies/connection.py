"""A connection: one company's link to one Xero organisation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from feedlane.record import Record
from feedlane.scope import APP_SUBJECT, CODAT_SUBJECT

# Codat's identifiers of the Xero integration. Users of its SDKs rely on them.
PLATFORM_KEY = "gbol"
INTEGRATION_ID = "0f20c943-12d0-4800-9f6c-d218f62d494c"
SOURCE_ID = "8a156a5a-39cb-4f9d-856e-76ef9b9a9607"
PLATFORM_NAME = "Xero"

BANK_FEEDS_SCOPE = "bankfeeds"
# For feed connections by version 2.0 of Xero's API. Statements need the one above, whatever the version.
FEED_CONNECTIONS_2_SCOPE = "bankfeedsv2"
MISSING_SCOPE = "missing-scope"
ACCESS_REFUSED = "access-refused"
FAULTS_KEPT_MAX = 10
# Only the customer can resolve these, by reconnecting.
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


class UpstreamName(StrEnum):
    """Through whom Xero is fed: its own Bank Feeds API, or Codat's API."""

    XERO = "xero"
    CODAT = "codat"


class ChangeState(StrEnum):
    """How far a change of the upstream has come."""

    STOPPING = "stopping"
    """No new statement is sent; those in flight are followed to their end."""
    ENDING = "ending"
    """Nothing is in flight: the feed connections end, and with them the former access."""
    AWAITING_CONSENT = "awaitingConsent"
    """The customer has to link the connection anew."""
    CANCELLING = "cancelling"
    """It is given up before anything has ended: the feeds are let go again."""


# What stands in the place of a token set where Codat is the upstream: its API key is the same for all customers.
CODAT_ACCESS = "codat"


class ConnectionStatus(StrEnum):
    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    UNLINKED = "Unlinked"
    DEAUTHORIZED = "Deauthorized"


class ConnectionFault(Record):
    """Why a connection failed, in the form of Codat's `dataConnectionErrors`, where `status_code` is a string.

    `reason` is Feedlane's: a stable word for the cause, whatever the texts say.
    """

    status_code: str
    status_text: str
    error_message: str
    errored_on: datetime
    resolved_on: datetime | None = None
    reason: str = ""


class Tenant(Record):
    """A Xero organisation as Xero identifies it, with what the feeds need to know about it.

    Where Codat is the upstream, `id` is that of its company, and `xero_connection_id` that of its connection.

    `currencies` are all of its currencies, its base currency first; empty while they are unknown, as is
    `multicurrency` while it is None: whether its accounts may have another currency than the base currency.
    """

    id: str
    name: str
    xero_connection_id: str
    base_currency: str = ""
    country: str = ""
    time_zone: str = "UTC"
    plan: str = ""
    demo: bool = False
    currencies: tuple[str, ...] = ()
    multicurrency: bool | None = None


class HostedPlace(Record):
    """What a connection is at Codat: of a company there, and with an id of its own."""

    company_id: str
    connection_id: str


class UpstreamChange(Record):
    """`to` is the upstream that follows. It ends when the customer has linked the connection there."""

    to: UpstreamName
    state: ChangeState
    since: datetime


class Connection(Record):
    """`upstream` is that of all its feeds. `hosted` is where Codat has it, once Link was opened.

    `change` is the change to another upstream that is under way (`link/upstream_change.py`). `former_tenant` is the
    organisation as Xero named it, while the connection goes through Codat, which does not: to Xero it comes back only
    to this one. `access` rises when such a change begins, and when what it gave access to has ended.
    """

    id: str
    company_id: str
    upstream: UpstreamName = UpstreamName.XERO
    hosted: HostedPlace | None = None
    change: UpstreamChange | None = None
    former_tenant: Tenant | None = None
    access: int = 0
    status: ConnectionStatus = ConnectionStatus.PENDING_AUTH
    created: datetime
    linked_on: datetime | None = None
    tenant: Tenant | None = None
    token_set_id: str | None = None
    scopes: tuple[str, ...] = ()
    access_ends: datetime | None = None
    """When one-off access ends; None for continuous access."""
    look: datetime | None = None
    """When the watch looks at what follows a (re)connection."""
    errors: tuple[ConnectionFault, ...] = ()
    moved_to: str | None = None
    """The connection that stands for the company's next organisation: this one's ledgers are closed."""
    version: int = 1

    @property
    def is_direct(self) -> bool:
        """Whether it is one of our own Xero app: it has a place there, and tokens. Codat's are Codat's."""
        return self.upstream is UpstreamName.XERO

    @property
    def app_subject(self) -> str:
        """What a hold of the app is on, if it stops this connection."""
        return APP_SUBJECT if self.is_direct else CODAT_SUBJECT

    @property
    def is_linked(self) -> bool:
        return self.status is ConnectionStatus.LINKED and self.tenant is not None

    @property
    def organisation(self) -> Tenant | None:
        """The one that its ledgers are of, as far as its upstream can tell: no other may be linked."""
        return self.tenant or (self.former_tenant if self.is_direct else None)

    @property
    def time_zone(self) -> str:
        """Of the organisation. While a change is under way, the one that it had."""
        tenant = self.tenant or self.former_tenant
        return tenant.time_zone if tenant else "UTC"

    @property
    def is_stopping(self) -> bool:
        """Whether its present access is about to end, because its upstream changes."""
        return self.change is not None and self.change.state is not ChangeState.AWAITING_CONSENT

    @property
    def is_ending(self) -> bool:
        """Whether its feeds lose their present access one by one."""
        return self.change is not None and self.change.state is ChangeState.ENDING

    @property
    def waits_for_upstream(self) -> bool:
        """Whether its feeds record what comes: it is linked, or will be at its next upstream."""
        return self.status is ConnectionStatus.LINKED or self.change is not None

    @property
    def not_linked_message(self) -> str:
        """Why an operation that needs a linked connection is refused."""
        return f"The connection is not linked to a Xero organisation (it is {self.status})."

    @property
    def lacks_bank_feeds(self) -> bool:
        """Whether it was authorised without the bank feeds scope. False while its scopes are unknown."""
        return bool(self.scopes) and BANK_FEEDS_SCOPE not in self.scopes

    @property
    def reconnection_fault(self) -> ConnectionFault | None:
        """The newest unresolved fault for which the customer has to reconnect, or None."""
        for fault in reversed(self.errors):
            if fault.resolved_on is None and fault.reason in RECONNECTION_REASONS:
                return fault
        return None

    @property
    def needs_reconnection(self) -> bool:
        return self.status is ConnectionStatus.DEAUTHORIZED or (self.is_linked and self.reconnection_fault is not None)

    def with_fault(self, fault: ConnectionFault) -> Connection:
        """A copy with one more fault. It keeps the newest ones, and the one for which the customer has to reconnect."""
        faults, kept = [*self.errors, fault], self.reconnection_fault
        while len(faults) > FAULTS_KEPT_MAX:
            faults.remove(next(fault for fault in faults if fault is not kept))
        return self.but(errors=tuple(faults))

    def with_faults_resolved(self, now: datetime) -> Connection:
        """A copy whose faults are all resolved: the connection works again."""
        faults = (fault if fault.resolved_on else fault.but(resolved_on=now) for fault in self.errors)
        return self.but(errors=tuple(faults))
