"""The world of a schedule through Codat: its companies are linked, and its accounts mapped, as the product does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from feedlane.codat_upstream.api_keys import KeyCache
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.hosted_link import CodatHostedLink
from feedlane.companies import items as company_items
from feedlane.companies.connection import PLATFORM_KEY, Connection, UpstreamName
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import LimitReached
from feedlane.feeds.upstream import Upstream
from feedlane.feeds.upstreams import Upstreams
from feedlane.ids import account_token
from feedlane.link import connections
from feedlane.link.consent_end import NO_END
from feedlane.link.hosted_linking import HostedLinking
from feedlane.ports import Ports
from feedlane.scope import CODAT_SUBJECT
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts
from feedlane.store import attempts
from feedlane.upkeep.hosted import access_at_codat
from feedlane.wiring.checks import Checks
from local.codat_simulator.behaviour import Behaviour
from local.codat_simulator.connections import link as link_at_codat
from local.codat_simulator.records import Connection as CodatConnection
from local.codat_simulator.state import DEFAULT_API_KEY, Codat
from local.simulator.organisations import Account, Organisation, fixed_id, new_organisation
from tests import builders
from tests.chaos.codat.books import CodatBooks
from tests.chaos.codat.causes import CodatCauses
from tests.chaos.codat.faults import RATES
from tests.chaos.codat.simulator import InProcessCodat
from tests.chaos.codat.transport import CodatTransport
from tests.chaos.codat.webhooks import FORGED, SIGNING, Webhooks
from tests.chaos.world import COUNTRIES, INSTANCES, Place, World

API = "https://api.codat.example"
SORT_CODE = "040004"


class CodatWorld(World):
    """A place's `tenant_id` is its company at Codat."""

    RATES = RATES
    APP_SUBJECT = CODAT_SUBJECT
    causes: CodatCauses
    codat: Codat

    def _connect(self, simulator: InProcessCodat, token_sets_per_secret: int) -> None:
        self.causes, self.codat = simulator.fresh(self.timeline, self.faults), simulator.sim
        self.transport = CodatTransport(
            simulator, self.timeline, self.faults, self.causes, self.rng, self.table.requests
        )
        self._set_up_vault(None, token_sets_per_secret)
        self.hosted_link = CodatHostedLink(self._client())
        no_xero: Any = None
        feeds = [CodatBankFeeds(self._client()) for _ in range(INSTANCES)]
        self.upstreams = [Upstreams(no_xero, lambda one=one: one) for one in feeds]  # type: ignore[misc]
        self.books = CodatBooks(self)
        self.webhooks = Webhooks(self)
        self.transport.on_answer = self.webhooks.plan
        self.causes.token_of = self._token_of
        self.secrets_known = {DEFAULT_API_KEY, SIGNING, FORGED}
        """The keys and secrets that there have been."""
        self._tenant_ids: dict[str, str] = {}
        """By our connection, the organisation that its customer has."""

    def _client(self) -> CodatClient:
        keys = KeyCache(self.vault, self.timeline.now)
        return CodatClient(API, keys.key, self.timeline.now, self._call_limits(), transport=self.transport)

    def _checks(self, ports: Ports, upstream: Upstream) -> Checks:
        return Checks(ports, upstream, at_codat=partial(access_at_codat, lambda: self.hosted_link))

    @contextmanager
    def deployed(self) -> Iterator[None]:
        """What happens outside tasks waits for Codat's limits by moving the clock on: no one else does so then."""

        def sleep(seconds: float) -> None:
            if self.timeline.current() is None:
                self.timeline.sleep(seconds)

        with super().deployed(), patch.object(attempts, "sleep", sleep):
            yield

    # the upstream

    def turn(self, switches: Mapping[str, Any]) -> None:
        self.codat.behaviour = Behaviour(**switches)
        if self.codat.behaviour.listed_after_seconds or self.codat.behaviour.data_echo != "always":
            # Not together: where the list is behind, or cannot tell two pushes apart, only the key shows what is there.
            self.faults.rates.pop("codat_key_forgotten", None)

    def take_time(self, statement_seconds: float, response_seconds: float) -> None:
        self.codat.timing.push_seconds, self.codat.timing.response_seconds = statement_seconds, response_seconds

    def tighten(self, calls_per_minute: int) -> None:
        """Only Feedlane counts by company: what is checked is its own promise."""
        self.books.calls_per_minute_max = calls_per_minute  # type: ignore[misc]

    def calm(self) -> None:
        self.codat.outcomes.clear()

    def organisation(self, place: Place) -> Organisation:
        return self.codat.organisations[self._tenant_ids[place.connection_id]]

    def at_codat(self, connection: Connection) -> CodatConnection | None:
        return self.codat.connections.get(connection.hosted.connection_id) if connection.hosted else None

    # links and mappings

    def link(self, feeds: int, tenants: int) -> None:
        self.vault.save_codat_key(DEFAULT_API_KEY)
        self.vault.save_codat_webhook_secret(SIGNING)
        facts = CodatFacts(ending=DEFAULT_API_KEY[-4:], checked=True, version=1)
        settings = builders.settings(upstream=UpstreamName.CODAT, codat=facts)
        self.store.commit(settings_items.put_settings(settings))
        made = [self._open_company(number, -(-feeds // tenants)) for number in range(tenants)]
        accounts = [self.source_account(made[number % tenants], f"src-{number}", number) for number in range(feeds)]
        linked = [self.patiently(partial(self.consent, connection, "", "")) for connection in made]
        for number, account in enumerate(accounts):
            connection = linked[number % tenants]
            organisation = self.codat.organisations[self._tenant_ids[connection.id]]
            target = organisation.accounts[number // tenants].account_id
            self._map(connection, account, target, "", number)
        self.timeline.run(120)

    def _open_company(self, number: int, account_count: int) -> Connection:
        accounts = [
            Account(
                fixed_id(f"account-{number}-{n}"), f"Account {number} {n}", f"09{n}", f"2045455577{number}{n}", "GBP"
            )
            for n in range(account_count)
        ]
        organisation = new_organisation(
            f"Organisation {number}",
            self.rng.choice(COUNTRIES),
            "GBP",
            tenant_id=fixed_id(f"organisation-{number}"),
            accounts=accounts,
        )
        self.codat.organisations[organisation.tenant_id] = organisation
        company = builders.company(self.new_id(), name=organisation.name, created=self.now)
        self.store.commit(company_items.add_company(company))
        connection = connections.create(self.ports, self.now, company.id, PLATFORM_KEY)
        self._tenant_ids[connection.id] = organisation.tenant_id
        return connection

    def patiently(self, act: Callable[[], Connection]) -> Connection:
        """Comes again when told to, where an organisation allows few calls. In a task, the next visit tries again."""
        while True:
            try:
                return act()
            except LimitReached as full:
                if self.timeline.current() is not None:
                    raise
                self.timeline.sleep(max(60, full.retry_after or 1))

    def consent(self, connection: Connection, tenant_id: str, user_id: str) -> Connection:
        """The customer goes through Codat's Link, perhaps again, and comes back. Neither id matters there."""
        linking = HostedLinking(self.ports, self.hosted_link)
        linking.prepare(connection)
        connection = company_items.connection(self.store, connection.company_id, connection.id)
        there = self.at_codat(connection)
        assert there is not None
        link_at_codat(self.codat, there, self._tenant_ids[connection.id])
        self.webhooks.plan()
        tenant = linking.tenant_of(connection)
        if tenant is None:
            return connection  # it has ended again meanwhile
        return linking.link(connection, tenant, self.now, NO_END)

    def source_account(
        self, connection: Connection, account_id: str, number: int, sort_code: str | None = SORT_CODE
    ) -> SourceAccount:
        return super().source_account(connection, account_id, number, sort_code)

    def _token_of(self, connection_id: str, account_id: str) -> str:
        """Our token of an account of Codat's."""
        there = self.codat.connections.get(connection_id)
        for place in self.places:
            if there is not None and (place.tenant_id, place.account_id) == (there.company_id, account_id):
                return account_token(place.connection_id, place.account_id)
        return ""
