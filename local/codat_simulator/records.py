"""What the simulator keeps of companies, connections, source accounts and push operations."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from local.codat_simulator.errors import Finding

Json = dict[str, Any]
ConnectionStatus = Literal["PendingAuth", "Linked", "Unlinked", "Deauthorized"]
AccountStatus = Literal["pending", "connecting", "connected", "disconnected"]
OperationStatus = Literal["Pending", "Success", "Failed", "TimedOut"]


@dataclass
class Company:
    id: str
    name: str
    created: datetime
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Connection:
    """`tenant_id` is the Xero organisation behind it. `has_feed_scope`: see `Behaviour.feed_scope`."""

    id: str
    company_id: str
    platform_key: str
    created: datetime
    status: ConnectionStatus = "PendingAuth"
    tenant_id: str | None = None
    has_feed_scope: bool = False
    errors: list[Json] = field(default_factory=list)
    # The one-time password of its link, if these are on.
    otp: str = ""
    otp_until: datetime | None = None


@dataclass
class Mapping:
    """`target_id` is missing until the new Xero account shows. `connects_at`: when Xero's side is ready."""

    target_id: str | None
    feed_start_date: str | None
    connects_at: datetime
    operations_seen: int = 0
    # The customer has ended the feed in Xero; Codat sees it on the next look at the mapping.
    ended: bool = False


@dataclass
class SourceAccount:
    """`received` is echoed as sent: both vocabularies of accounts stay what they are."""

    connection_id: str
    received: Json
    modified: datetime
    status: AccountStatus = "pending"
    mapping: Mapping | None = None

    @property
    def id(self) -> str:
        return str(self.received["id"])

    @property
    def is_card(self) -> bool:
        """Whether Xero keeps it as a credit card."""
        return self.received["accountType"] in ("Credit", "creditCard")


@dataclass
class Outcome:
    """A test's instruction for the next push operations. `arrives`: whether Xero gets the lines all the same."""

    status: Literal["Success", "Failed", "TimedOut", "Never"]
    reason: str
    status_code: int | None
    seconds: float | None
    arrives: bool
    findings: tuple[Finding, ...]
    account_id: str | None
    times: int


@dataclass
class Operation:
    """A push operation. `settles_at` is when it ends at Xero; None: it never does."""

    key: str
    company_id: str
    connection_id: str
    account_id: str
    data: Json
    requested_at: datetime
    settles_at: datetime | None
    expires_at: datetime | None
    timeout_minutes: int | None
    outcome: Outcome | None = None
    status: OperationStatus = "Pending"
    status_code: int = 202
    # Whether Xero has been asked: also after the operation has timed out.
    at_xero: bool = False
    completed_at: datetime | None = None
    error_message: str | None = None
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    record_id: str | None = None


@dataclass
class ArrivedLine:
    """A line in the books of Xero, in order of arrival."""

    tenant_id: str
    target_id: str
    company_id: str
    account_id: str
    operation_key: str
    line: Json
    arrived_at: datetime


@dataclass
class Consumer:
    """`secret` is shown only in Codat's portal, never by its API."""

    id: str
    url: str
    secret: str
    event_types: list[str]
    company_tags: list[str]
    disabled: bool = False


@dataclass
class Message:
    """A webhook for one consumer. `id` and `body` are the same at every attempt."""

    id: str
    consumer_id: str
    event_type: str
    body: bytes
    next_at: datetime | None
    attempts: list[int] = field(default_factory=list)
    status: Literal["Sending", "Attempting", "Success", "Failure"] = "Sending"
    copies_left: int = 0


@dataclass
class LinkSettings:
    """How customers behave on the linked pages. `auto` decides at once; `page` waits for a person."""

    mode: Literal["auto", "page"] = "page"
    outcome: str = "linked"
    tenant_id: str | None = None
    maps: Literal["nothing", "newAccounts"] = "nothing"


@dataclass
class Profile:
    name: str = "Feedlane"
    redirect_url: str = ""
    logo_url: str = "https://static.example.com/logo.png"
    icon_url: str = "https://static.example.com/icon.png"
    white_list_urls: list[str] = field(default_factory=list)


@dataclass
class ApiKey:
    id: str
    name: str
    key: str
    created: datetime
