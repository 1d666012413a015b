"""Link and the portal against the Xero simulator; only the table, the queues and the secrets are in memory."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from feedlane.clock import system_clock
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.hosted_link import HostedClient
from feedlane.companies.source_account import SourceAccount
from feedlane.credentials.authorization import Authorization
from feedlane.http import Http
from feedlane.ids import fingerprint, new_id
from feedlane.link import ending
from feedlane.ports import Ports
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from feedlane.settings.settings import Profile
from feedlane.store.store import Store
from feedlane.vault.service import VaultService
from feedlane.web.site import Site
from feedlane.wiring.dead_letter_office import DeadLetterOffice
from feedlane.wiring.outside import page_fault
from feedlane.xero import authorization_check
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.identity import Identity
from feedlane.xero.tokens import TokenCache
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests import builders
from tests.browser.adapter import served
from tests.fakes.dead_letters import FakeLettersAws
from tests.fakes.queues import FakeQueues
from tests.fakes.secrets import MemorySecrets
from tests.fakes.sqs import FakeSqs
from tests.fakes.table import MemoryTable
from tests.rights import invoked

API_KEY = "fl_browser-test-key"


class LocalOutside:
    """As `wiring.outside.DeployedOutside`, without the topic of the alarms."""

    def __init__(self, simulator_url: str, public_url: str) -> None:
        self.simulator_url = simulator_url
        self.public_url = public_url
        self.at_codat = HostedClient(offers_xero=True)

    def ask_xero(self, client_id: str, redirect_uri: str, scopes: tuple[str, ...]) -> Authorization:
        return authorization_check.ask(Http(self.simulator_url), self.simulator_url, client_id, redirect_uri, scopes)

    def codat_client(self) -> HostedClient:
        return self.at_codat

    def page_faults(self, *urls: str) -> list[str]:
        return [page_fault(Http(self.public_url), url) for url in urls]

    def alarm_recipients(self) -> tuple[int, int]:
        return 0, 0


class LocalSite(Site):
    login_url = ""

    def __init__(self, simulator_url: str, public_url: str) -> None:
        self.ports = Ports(Store(MemoryTable()), FakeQueues(), system_clock, new_id, public_url)
        self.login_url = simulator_url
        http = Http(simulator_url)
        self.vault = invoked(VaultService(MemorySecrets(), self.store.table, Identity(http)))
        tokens = TokenCache(self.vault)
        api = XeroApi(http, tokens)
        self.upstream = XeroBankFeeds(api)
        self.letters_aws = FakeLettersAws(FakeSqs(time.time()))
        self.dead_letters = DeadLetterOffice(self.letters_aws)
        self.outside = LocalOutside(simulator_url, public_url)
        self._connections = XeroConnections(http)
        self.organisations = XeroOrganisations(self._connections, Accounting(api), tokens)

    def disconnect(self, connection: Connection) -> None:
        ending.disconnect(connection, lambda: self.vault, lambda: self._connections, lambda: self.hosted_link)


@dataclass
class World:
    """A company with a pending connection, and the simulator that its customer consents at."""

    site: LocalSite
    simulator: RunningSimulator
    url: str
    connection: Connection

    @property
    def start(self) -> str:
        """The URL that the customer is sent."""
        return f"{self.url}/link/companies/{self.connection.company_id}/connections/{self.connection.id}/start"

    def current_connection(self) -> Connection:
        """The connection as it is stored now."""
        return company_items.connection(self.site.store, self.connection.company_id, self.connection.id)

    def add_account(self, id: str, name: str, number: str, balance: str, currency: str = "GBP") -> SourceAccount:
        account = builders.source_account(
            self.connection,
            id,
            account_name=name,
            account_type="Debit",
            account_number=number,
            currency=currency,
            balance=Decimal(balance),
            modified=datetime.now(UTC),
        )
        self.site.store.commit(company_items.add_source_account(account))
        return account


@contextmanager
def world(profile: Profile | None = None) -> Iterator[World]:
    with ExitStack() as stack:
        simulator = stack.enter_context(serve_in_thread())
        port = _free_port()
        site = LocalSite(simulator.url, f"http://localhost:{port}")
        url = stack.enter_context(served(site, port))
        connection = _populate(site, profile or Profile(name="Ledgerly"))
        simulator.state.consent.mode = "page"
        yield World(site, simulator, url, connection)


def _populate(site: LocalSite, profile: Profile) -> Connection:
    """The app's keys, the profile, an API key, and a company with its connection."""
    store, now = site.store, datetime.now(UTC)
    site.vault.save_app_keys(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
    settings = builders.settings(
        client_id=DEFAULT_CLIENT_ID, client_secret_ending=DEFAULT_CLIENT_SECRET[-4:], keys_checked=True
    )
    company = builders.company(new_id(), name="Harbour Bakery Ltd", created=now)
    connection = builders.pending(new_id(), company_id=company.id, created=now)
    api_key = ApiKey(id=new_id(), name="Operations", fingerprint=fingerprint(API_KEY), ending=API_KEY[-4:], created=now)
    store.commit(
        settings_items.put_settings(settings),
        settings_items.put_profile(profile),
        company_items.add_company(company),
        company_items.add_connection(connection),
        settings_items.add_api_key(api_key),
    )
    return connection


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
