"""The simulator's state, kept in memory. A reset restores the defaults."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from local.simulator.behaviour import Behaviour
from local.simulator.clock import Clock
from local.simulator.faults import Faults
from local.simulator.grants import AccessToken, AuthorizationCode, AuthorizeRequest, Grant, RefreshToken, User
from local.simulator.idempotency import IdempotencyCache
from local.simulator.keys import SigningKey
from local.simulator.limits import RateLimits
from local.simulator.organisations import Organisation, default_organisations, fixed_id, new_id
from local.simulator.problems import Problem

DEFAULT_CLIENT_ID = "FEEDLANESIMULATORCLIENTID000000A"
DEFAULT_CLIENT_SECRET = "feedlane-simulator-secret-000000000000000000000A"
DEFAULT_USER_ID = fixed_id("ava-barker")
# The connection limits of an app before Xero's tiers of 2026, and of a new one.
CONNECTIONS_MAX, NEW_APP_CONNECTIONS_MAX = 25, 5

USER_SCOPES = {
    "openid", "profile", "email", "offline_access", "bankfeeds", "bankfeedsv2",
    "accounting.settings", "accounting.settings.read",
    "accounting.contacts", "accounting.contacts.read",
    "accounting.attachments", "accounting.attachments.read",
    "accounting.invoices", "accounting.invoices.read",
    "accounting.payments", "accounting.payments.read",
    "accounting.banktransactions", "accounting.banktransactions.read",
    "accounting.manualjournals", "accounting.manualjournals.read",
}  # fmt: skip
APP_SCOPES = {"app.connections"}


@dataclass
class App:
    """The platform's app as registered at Xero, with the switches that Xero controls."""

    client_id: str = DEFAULT_CLIENT_ID
    name: str = "Feedlane"
    company_url: str = "https://platform.example"
    client_secrets: list[str] = field(default_factory=lambda: [DEFAULT_CLIENT_SECRET])
    redirect_uris: list[str] = field(default_factory=list)
    allowed_scopes: set[str] = field(default_factory=lambda: set(USER_SCOPES))
    grant_types: set[str] = field(default_factory=lambda: {"authorization_code", "refresh_token", "client_credentials"})
    connection_limit: int | None = CONNECTIONS_MAX
    limit_stops_reauthorisation: bool = False
    certified: bool = False
    bank_feeds_enabled: bool = True
    feed_connections_2_enabled: bool = True
    suspended: bool = False
    multi_region: bool = False


@dataclass
class Consent:
    """How the next consents are decided: automatically, by a person on the page, or refused."""

    mode: Literal["auto", "page", "deny"] = "page"
    tenant_ids: list[str] = field(default_factory=list)
    user_id: str = DEFAULT_USER_ID


@dataclass
class Timing:
    statement_seconds: float = 1.0
    feed_connection_seconds: float = 1.0
    response_seconds: float = 0.0


@dataclass
class Connection:
    """One user's connection of the app to one organisation. A new consent restores it with the same id."""

    id: str
    client_id: str
    user_id: str
    tenant_id: str
    auth_event_id: str
    created_at: datetime
    updated_at: datetime
    removed: bool = False


@dataclass
class FeedConnection:
    id: str
    client_id: str
    tenant_id: str
    account_token: str
    account_type: str
    account_id: str
    account_number: str
    account_name: str
    currency: str
    country: str
    active_from: datetime
    deleted_from: datetime | None = None
    # Accepted at first, then rejected with this problem instead of becoming active.
    rejected: dict[str, Any] | None = None
    # Of the API by which it was made.
    version: int = 1
    # By transaction id, the statement that used it.
    used_transaction_ids: dict[str, "Statement"] = field(default_factory=dict)
    # The same by content; kept only while the switch `duplicate_key` asks for it.
    used_contents: dict[tuple[str, ...], "Statement"] = field(default_factory=dict)

    def is_pending(self, now: datetime) -> bool:
        return now < self.active_from

    def is_active(self, now: datetime) -> bool:
        return not (self.is_pending(now) or self.is_rejected(now) or self.is_deleted(now))

    def is_rejected(self, now: datetime) -> bool:
        return self.rejected is not None and not self.is_pending(now)

    def is_deleted(self, now: datetime) -> bool:
        return self.deleted_from is not None and now >= self.deleted_from


@dataclass
class Statement:
    """A statement as received. Its outcome is fixed on arrival and takes effect at `settles_at`."""

    id: str
    client_id: str
    tenant_id: str
    feed_connection_id: str
    start_date: date
    end_date: date
    start_balance: Decimal
    end_balance: Decimal
    received: dict[str, Any]
    dropped: list[bool]
    received_at: datetime
    settles_at: datetime
    errors: list[Problem] = field(default_factory=list)

    def status(self, now: datetime) -> str:
        if now < self.settles_at:
            return "PENDING"
        return "REJECTED" if self.errors else "DELIVERED"


@dataclass
class LaterRejection:
    """A test's instruction to accept matching statements and reject them when they settle."""

    errors: list[Problem]
    tenant_id: str | None
    feed_connection_id: str | None
    times: int


@dataclass
class Call:
    time: datetime
    method: str
    path: str
    tenant: str | None
    status: int | None = None
    duration_ms: float = 0.0
    dropped: bool = False


class Simulator:
    """The whole state. The signing key survives a reset, as Xero's keys survive an app.

    A `new_app` starts, and starts again after a reset, as Xero's newest tier has it: with the low connection limit,
    and with only these redirect URIs.
    """

    def __init__(
        self, clock: Clock | None = None, *, new_app: bool = False, redirect_uris: tuple[str, ...] = ()
    ) -> None:
        self.key = SigningKey()
        self.clock = clock or Clock()
        self._new_app = new_app
        self._redirect_uris = redirect_uris
        self.reset()

    def reset(self) -> None:
        self.clock.reset()
        self.app = App(
            connection_limit=NEW_APP_CONNECTIONS_MAX if self._new_app else CONNECTIONS_MAX,
            redirect_uris=list(self._redirect_uris),
        )
        self.consent = Consent()
        self.timing = Timing()
        self.behaviour = Behaviour(redirects="registered" if self._new_app else "anySecure")
        self.users: dict[str, User] = {}
        self.organisations: dict[str, Organisation] = {added.tenant_id: added for added in default_organisations()}
        self.authorize_requests: dict[str, AuthorizeRequest] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.grants: dict[tuple[str, str], Grant] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.connections: list[Connection] = []
        self.feed_connections: dict[str, FeedConnection] = {}
        self.statements: dict[str, Statement] = {}
        self.later_rejections: list[LaterRejection] = []
        self.faults = Faults()
        self.limits = RateLimits()
        self.idempotency = IdempotencyCache()
        self.calls: deque[Call] = deque(maxlen=100_000)

    def now(self) -> datetime:
        return self.clock.now()

    def after(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)

    def new_id(self) -> str:
        """An id for a feed connection, a statement or a connection."""
        return new_id() if self.behaviour.ids == "guid" else f"x{secrets.token_hex(12)}"

    def today(self, organisation: Organisation) -> date:
        zone = self.behaviour.today
        return organisation.today(self.now(), None if zone == "organisation" else zone)

    def user(self, user_id: str) -> User:
        """The Xero user with this id; an unknown one is created."""
        if user_id not in self.users:
            first = "Ava" if user_id == DEFAULT_USER_ID else "Sam"
            last = "Barker" if user_id == DEFAULT_USER_ID else f"User {user_id[:8]}"
            email = f"{first.lower()}.{user_id[:8]}@example.com"
            self.users[user_id] = User(user_id, first, last, email)
        return self.users[user_id]

    def live_connections(self) -> list[Connection]:
        return [connection for connection in self.connections if not connection.removed]
