"""The simulator's state, kept in memory. A reset restores the defaults."""

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.codat_simulator.behaviour import Behaviour
from local.codat_simulator.errors import CodatError
from local.codat_simulator.idempotency import IdempotencyCache
from local.codat_simulator.limits import RateLimits
from local.codat_simulator.records import (
    ApiKey,
    ArrivedLine,
    Company,
    Connection,
    Consumer,
    LinkSettings,
    Message,
    Operation,
    Outcome,
    Profile,
    SourceAccount,
)
from local.simulator.clock import Clock
from local.simulator.faults import Faults
from local.simulator.organisations import Organisation, default_organisations, fixed_id, new_id
from local.simulator.state import Call

DEFAULT_API_KEY = "codat-simulator-key-0000000000000000000A"
CLIENT_ID = fixed_id("codat-client")


@dataclass
class Timing:
    """Seconds of the simulator's clock; `response_seconds` in real time before every answer."""

    push_seconds: float = 1.0
    mapping_seconds: float = 0.0
    webhook_seconds: float = 0.0
    response_seconds: float = 0.0
    # How often each webhook is sent after a success: Codat promises at least once.
    webhook_copies: int = 1


class Codat:
    """The whole state. `client_id` is Codat's id of the platform; `redirect_url` stays after a reset."""

    def __init__(self, clock: Clock | None = None, *, redirect_url: str = "") -> None:
        self.clock = clock or Clock()
        self._redirect_url = redirect_url
        self.reset()

    def reset(self) -> None:
        self.clock.reset()
        self.client_id = CLIENT_ID
        self.api_keys = [ApiKey(new_id(), "default", DEFAULT_API_KEY, self.now())]
        self.behaviour = Behaviour()
        self.timing = Timing()
        self.link = LinkSettings()
        self.profile = Profile(redirect_url=self._redirect_url)
        # The switch of its integration in Codat's portal.
        self.xero_enabled = True
        # Where customers and clients reach the simulator: set by the first call, or by a test.
        self.origin = "http://codat.localhost"
        self.companies: dict[str, Company] = {}
        self.connections: dict[str, Connection] = {}
        self.accounts: dict[tuple[str, str], SourceAccount] = {}
        self.operations: dict[str, Operation] = {}
        self.unsettled: list[Operation] = []
        self.outcomes: list[Outcome] = []
        self.organisations: dict[str, Organisation] = {added.tenant_id: added for added in default_organisations()}
        # By organisation, until when Xero throttles Codat.
        self.throttled: dict[str, datetime] = {}
        self.arrived: list[ArrivedLine] = []
        # The ids of the lines that arrived, by organisation, its account and the source account.
        self.arrived_ids: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        self.consumers: dict[str, Consumer] = {}
        self.messages: list[Message] = []
        self.faults = Faults()
        self.limits = RateLimits()
        self.idempotency = IdempotencyCache()
        self.calls: deque[Call] = deque(maxlen=100_000)

    def now(self) -> datetime:
        return self.clock.now()

    def after(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)

    def company(self, company_id: str) -> Company:
        """Raises a 404."""
        company = self.companies.get(company_id.lower())
        if company is None:
            raise CodatError(404, f"No company was found with ID {company_id}")
        return company

    def connection(self, company_id: str, connection_id: str) -> Connection:
        """Raises a 404, also for a connection of another company."""
        company = self.company(company_id)
        connection = self.connections.get(connection_id.lower())
        if connection is None or connection.company_id != company.id:
            raise CodatError(404, f"Data connection {connection_id} not found")
        return connection

    def account(self, connection: Connection, account_id: str) -> SourceAccount:
        """Raises a 404."""
        account = self.accounts.get((connection.id, account_id))
        if account is None:
            raise CodatError(404, f"No bank feed account was found with ID {account_id}")
        return account

    def connections_of(self, company_id: str) -> list[Connection]:
        return [connection for connection in self.connections.values() if connection.company_id == company_id]

    def accounts_of(self, connection: Connection) -> list[SourceAccount]:
        return [account for account in self.accounts.values() if account.connection_id == connection.id]

    def organisation(self, connection: Connection) -> Organisation | None:
        return self.organisations.get(connection.tenant_id or "")

    def active_companies(self) -> int:
        """Companies with a linked connection: they raise the rate limits."""
        return len({connection.company_id for connection in self.connections.values() if connection.status == "Linked"})


def timestamp(moment: datetime) -> str:
    """Codat's format: seven fractional digits and a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def new_secret() -> str:
    return secrets.token_urlsafe(30)
