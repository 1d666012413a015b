"""The world of a schedule: linked companies with accounts mapped at the simulator, queues, functions, the vault.

This one's upstream is Xero itself. What another upstream's world has of its own is in methods that it overrides.
"""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from feedlane.aws import queues as sqs
from feedlane.aws.reached import Reached
from feedlane.aws.vault import LambdaVault
from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount
from feedlane.credentials.vault import Vault
from feedlane.errors import LimitReached
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Upstream
from feedlane.http import Http
from feedlane.ids import feed_id
from feedlane.link import linking
from feedlane.mapping import mapping
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT
from feedlane.settings import items as settings_items
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.store.store import Store
from feedlane.wiring.checks import Checks
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.identity import Identity
from feedlane.xero.tokens import TokenCache
from local.simulator.behaviour import Behaviour
from local.simulator.consent import _connect as connect_at_xero
from local.simulator.grants import CODE_LIFETIME, AuthorizationCode, AuthorizeRequest
from local.simulator.organisations import Account, Organisation, fixed_id, new_organisation
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator
from tests import builders
from tests.builders import numbered_ids
from tests.chaos.books import Books
from tests.chaos.faults import RATES, Faults
from tests.chaos.functions import SOURCES, TRANSACTIONS_DEAD, Functions, deployed
from tests.chaos.sqs import Queue, SQSClient
from tests.chaos.table import ChaosTable
from tests.chaos.timeline import Timeline
from tests.chaos.vault import ChaosSecrets, VaultFunction
from tests.chaos.watching import INTERVAL_SECONDS, Watching
from tests.chaos.xero import XeroTransport
from tests.chaos.xero_books import XeroBooks

INSTANCES = 3
PUBLIC_URL = "https://feedlane.example"
REDIRECT = f"{PUBLIC_URL}/oauth/callback"
COUNTRIES = ("GB", "US", "NZ")
SCOPES: tuple[str, ...] = (
    "openid", "profile", "email", "accounting.settings.read", "bankfeeds", "offline_access",
)  # fmt: skip
API = "https://api.xero.example"


@dataclass
class Place:
    """A source account with its company, its connection and its target at Xero."""

    company_id: str
    connection_id: str
    account_id: str
    target_id: str
    tenant_id: str
    user_id: str
    number: int

    @property
    def feed_id(self) -> str:
        return feed_id(self.connection_id, self.account_id)


class World:
    RATES: Mapping[str, float] = RATES
    APP_SUBJECT = APP_SUBJECT
    sim: Simulator
    books: Books
    causes: Any
    transport: Any
    upstreams: list[Upstream]
    vault: Vault
    vault_function: VaultFunction

    def __init__(self, rng: random.Random, simulator: Any, token_sets_per_secret: int = 1) -> None:
        """`simulator` is the upstream's, in this process."""
        self.rng = rng
        self.timeline = Timeline()
        self.faults = Faults(rng, self.timeline, self.RATES)
        self.table = ChaosTable(self.timeline, self.faults)
        self.store = Store(self.table)
        self.secrets = ChaosSecrets(self.timeline, self.faults)
        self.log = io.StringIO()
        self.queues = {name: Queue(name, self.timeline, rng) for name in (*SOURCES, TRANSACTIONS_DEAD)}
        self.functions = Functions(self.timeline, self.faults, rng, self.queues, self.log)
        self.sqs = Reached(SQSClient(self.queues, self.faults), "sqs")
        self.new_id = numbered_ids()
        self.feed_version = 1
        """Of Xero's API, for feed connections to come."""
        self.scopes = SCOPES
        self._connect(simulator, token_sets_per_secret)
        self.upstream = self.upstreams[0]
        self.watching = Watching(self.timeline, self.faults, self.table, rng.uniform(0, INTERVAL_SECONDS))
        self.places: list[Place] = []
        self.deleted_companies: set[str] = set()
        self.deleted_connections: set[str] = set()
        """By themselves: their company stays, and the access ends at the upstream."""
        self.consents: list[tuple[str, datetime, datetime]] = []
        """The users who have consented; when the exchange of the code began, and when what it brought was stored."""
        self.disconnected_here: set[str] = set()
        """The feeds whose account an operator has disconnected or removed."""
        self.untrue: list[str] = []
        """What `check_truth` has found so far."""
        self.believed_through: defaultdict[str, int] = defaultdict(int)
        """By feed, the last line that it has looked at."""
        self.entered_by_hand: defaultdict[str, set[str]] = defaultdict(set)
        """By feed, the transactions that an operator found missing at Xero, was told of, and entered there."""

    def _connect(self, simulator: Any, token_sets_per_secret: int) -> None:
        """Connects the upstream's simulator with the product's clients, one for each instance of a function."""
        self.causes, self.sim = simulator.fresh(self.timeline, self.faults), simulator.sim
        self.transport = XeroTransport(
            simulator, self.timeline, self.faults, self.causes, self.rng, self.table.requests
        )
        self._http = Http(API, transport=self.transport)
        self._set_up_vault(Identity(self._http, self.timeline.now), token_sets_per_secret)
        self.upstreams = [XeroBankFeeds(self._api(), self.new_id, lambda: self.feed_version) for _ in range(INSTANCES)]
        self.books = XeroBooks(self)

    def _set_up_vault(self, identity: Identity, token_sets_per_secret: int = 1) -> None:
        parts = (self.secrets, self.table, identity, token_sets_per_secret)
        self.vault_function = VaultFunction(self.timeline, self.faults, self.rng, *parts)
        self.vault = LambdaVault(Reached(self.vault_function, "lambda"), "vault")

    @property
    def ports(self) -> Ports:
        return Ports(self.store, sqs.queues(), self.timeline.now, self.new_id, PUBLIC_URL)

    @property
    def now(self) -> Any:
        return self.timeline.now()

    def _api(self) -> XeroApi:
        tokens = TokenCache(self.vault, self.timeline.now)
        return XeroApi(self._http, tokens, self.timeline.now, self._call_limits())

    def _call_limits(self) -> SharedCallLimits:
        """What all functions share, and people too."""
        ports = Ports(self.store, sqs.SQSQueues(), self.timeline.now, self.new_id, PUBLIC_URL)
        return SharedCallLimits(ports, self.APP_SUBJECT)

    @contextmanager
    def deployed(self) -> Iterator[None]:
        clients = {"sqs": self.sqs}
        upstreams: list[Any] = list(self.upstreams)
        parts = (self.timeline, self.new_id, self.store, clients, upstreams, self.rng, self.log, self._checks)
        with deployed(*parts):
            self.watching.start(self.ports)
            yield

    def _checks(self, ports: Ports, upstream: Upstream) -> Checks:
        return Checks(ports, upstream)

    # the upstream

    def turn(self, switches: Mapping[str, Any]) -> None:
        """Sets these switches of the simulator to positions other than the default."""
        self.sim.behaviour = Behaviour(**switches)

    def take_time(self, statement_seconds: float, response_seconds: float) -> None:
        """How long the upstream works on a statement, and how long it takes to answer."""
        self.sim.timing.statement_seconds, self.sim.timing.response_seconds = statement_seconds, response_seconds

    def tighten(self, calls_per_minute: int) -> None:
        """Allows only so many calls for each organisation."""
        self.sim.limits.allowances.tenant_minute = calls_per_minute

    def calm(self) -> None:
        """Nothing more goes wrong that was to go wrong later."""
        self.sim.later_rejections.clear()

    def organisation(self, place: Place) -> Organisation:
        return self.sim.organisations[place.tenant_id]

    # links and mappings

    def build(self) -> None:
        """Links one or two organisations with one to four feeds, without faults."""
        rng = self.rng
        self.take_time(rng.choice((0.5, 3.0, 40.0, 600.0)), rng.choice((0.05, 0.4, 2.0)))
        feeds = rng.randint(1, 4)
        self.link(feeds, rng.randint(1, min(2, feeds)))

    def link(self, feeds: int, tenants: int) -> None:
        """Links so many feeds of so many organisations, each of its own company, ready for pushes."""
        self.vault.save_app_keys(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
        self.store.commit(settings_items.put_settings(builders.settings(client_id=DEFAULT_CLIENT_ID)))
        connections = [self._link_company(number, -(-feeds // tenants)) for number in range(tenants)]
        for number in range(feeds):
            self._map_account(connections[number % tenants], number, f"user-{number % tenants}")
        self.timeline.run(120)

    def _link_company(self, number: int, account_count: int) -> Connection:
        accounts = [
            Account(
                fixed_id(f"account-{number}-{n}"), f"Account {number} {n}", f"09{n}", f"2045455577{number}{n}", "GBP"
            )
            for n in range(account_count)
        ]
        organisation = new_organisation(f"Organisation {number}", self.rng.choice(COUNTRIES), "GBP", accounts=accounts)
        self.sim.organisations[organisation.tenant_id] = organisation
        company = builders.company(self.new_id(), name=organisation.name, created=self.now)
        connection = builders.pending(self.new_id(), company_id=company.id, created=self.now)
        self.store.commit(company_items.add_company(company), company_items.add_connection(connection))
        return self.consent(connection, organisation.tenant_id, f"user-{number}")

    def consent(self, connection: Connection, tenant_id: str, user_id: str) -> Connection:
        """The customer authorises the app on Xero's page, perhaps again, and returns with a code."""
        request = AuthorizeRequest(DEFAULT_CLIENT_ID, REDIRECT, self.scopes, None, user_id)
        event = self.new_id()
        connect_at_xero(self.sim, request, self.sim.organisations[tenant_id], event)
        code = self.new_id()
        now = self.sim.now()
        self.sim.codes[code] = AuthorizationCode(request, event, now, now + CODE_LIFETIME)
        tokens = TokenCache(self.vault, self.timeline.now)
        limits = self._call_limits()
        api = XeroApi(self._http, tokens, self.timeline.now, limits)
        listed = XeroConnections(self._http, self.timeline.now, limits)
        organisations = XeroOrganisations(listed, Accounting(api), tokens)
        linker = linking.Linking(self.ports, self.vault, organisations, REDIRECT)
        try:
            linked = linker.finish_authorisation(connection, code, self.now)
        finally:
            self.consents.append((user_id, now, self.now))
        assert isinstance(linked, Connection)
        return linked

    def _map_account(self, connection: Connection, number: int, user_id: str) -> None:
        account_id = f"src-{number}"
        account = self.source_account(connection, account_id, number)
        assert connection.tenant is not None
        tenant = self.sim.organisations[connection.tenant.id]
        target = tenant.accounts[sum(place.tenant_id == tenant.tenant_id for place in self.places)].account_id
        self._map(connection, account, target, user_id, number)

    def _map(self, connection: Connection, account: SourceAccount, target: str, user_id: str, number: int) -> None:
        assert connection.tenant is not None
        while True:
            try:
                mapping.map_account(self.ports, self.upstream, self.now, connection, account, target)
                break
            except LimitReached as full:  # where an organisation allows few calls
                self.timeline.sleep(full.retry_after or 1)
        self.places.append(
            Place(connection.company_id, connection.id, account.id, target, connection.tenant.id, user_id, number)
        )

    def source_account(
        self, connection: Connection, account_id: str, number: int, sort_code: str | None = None
    ) -> SourceAccount:
        return source_accounts.create(
            self.store,
            self.now,
            connection,
            id=account_id,
            account_name=f"Current {number}",
            account_type="checking",
            account_number=f"10000{number}",
            currency="GBP",
            balance=Decimal(0),
            sort_code=sort_code,
            given={},
        )

    # current state

    def feed(self, place: Place) -> Feed | None:
        item = self.table.items.get((f"FEED#{place.feed_id}", "FEED"))
        return Feed.model_validate(item) if item else None

    def connection_of(self, place: Place) -> Connection:
        return company_items.connection(self.store, place.company_id, place.connection_id)

    def is_deleted(self, place: Place) -> bool:
        return place.company_id in self.deleted_companies or place.connection_id in self.deleted_connections
