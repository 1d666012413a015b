"""Link and the portal over in-memory fakes, and a browser in front of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import AccountKind, SourceAccount
from feedlane.feeds.upstream import TargetAccount
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import ApiKey
from feedlane.settings.settings import Profile
from feedlane.web.site import Site
from feedlane.wiring.checks import Checks
from feedlane.wiring.dead_letter_office import DeadLetterOffice
from tests import builders, rights
from tests.builders import NOW
from tests.fakes.browser import Browser, PageResponse
from tests.fakes.consent import FakeOrganisations, FakeVault
from tests.fakes.dead_letters import FakeLettersAws
from tests.fakes.outside import FakeOutside
from tests.fakes.sqs import FakeSqs
from tests.fakes.upstream import FakeUpstream
from tests.rights import acting
from tests.worlds.base import BaseWorld

API_KEY = "fl_unit-test-key"
TARGETS = [
    TargetAccount(id="x-1", name="Current", number="20011234", currency="GBP", kind=AccountKind.BANK),
    TargetAccount(id="x-2", name="Euros", number="99", currency="EUR", kind=AccountKind.BANK),
]


class FakeSite(Site):
    login_url = "https://login.xero.test"

    def __init__(self, world: BaseWorld) -> None:
        self.ports, self.upstream = world.ports, world.upstream
        self.vault = FakeVault()
        self.organisations = FakeOrganisations()
        self.outside = FakeOutside()
        self.letters_aws = FakeLettersAws(FakeSqs(NOW.timestamp()))
        self.dead_letters = DeadLetterOffice(self.letters_aws)
        self.disconnected: list[str] = []
        self.disconnect_errors: list[Exception] = []

    def disconnect(self, connection: Connection) -> None:
        """Ends it at Xero with its user's token, unless an error is next."""
        if not connection.is_direct:
            super().disconnect(connection)
            return
        rights.require_vault()
        if self.disconnect_errors:
            raise self.disconnect_errors.pop(0)
        self.disconnected.append(connection.id)


class World(BaseWorld):
    def __init__(self, **settings: Any) -> None:
        super().__init__(upstream=FakeUpstream(targets=list(TARGETS)))
        self.site = FakeSite(self)
        self.letters_aws = self.site.letters_aws
        self.browser = Browser(self.site)
        api_key = ApiKey(id="k", name="Ops", fingerprint=fingerprint(API_KEY), ending="-key", created=NOW)
        app_keys = {"client_id": "app-1", "client_secret_ending": "wxyz"}
        self.store.commit(
            settings_items.put_settings(builders.settings(**app_keys | settings)),
            settings_items.put_profile(Profile(name="Ledgerly")),
            settings_items.add_api_key(api_key),
        )
        self.connection = self.add_connection()

    def add_connection(self, company_id: str = "") -> Connection:
        """A pending connection of this company, or of a new one."""
        if not company_id:
            company = builders.company(self.new_id())
            self.store.commit(company_items.add_company(company))
            company_id = company.id
        company = company_items.company(self.store, company_id)
        connection = builders.pending(self.new_id(), company_id=company_id)
        with_it = company.but(connection_ids=(*company.connection_ids, connection.id))
        self.store.commit(company_items.add_connection(connection), company_items.put_company(with_it))
        return connection

    def add_account(self, id: str = "main", **fields: Any) -> SourceAccount:
        defaults = {"account_name": "Main account", "account_type": "Debit", "account_number": "11111234"}
        account = builders.source_account(self.connection, id, **defaults | {"balance": Decimal(159000)} | fields)
        self.store.commit(company_items.add_source_account(account))
        return account

    def set_profile(self, **changes: Any) -> None:
        self.store.commit(settings_items.put_profile(settings_items.profile(self.store).but(**changes)))

    def current(self, connection: Connection | None = None) -> Connection:
        """The connection as it is stored now."""
        connection = connection or self.connection
        return company_items.connection(self.store, connection.company_id, connection.id)

    def payloads(self, event_type: str) -> list[dict[str, Any]]:
        return [event.payload for event in self.events(event_type)]

    def stored(self) -> dict[Any, Any]:
        """All items in the table, except states and sessions."""
        return {key: item for key, item in self.table.items.items() if not key[0].startswith(("STATE#", "SESSION#"))}

    # steps through Link

    def base(self, connection: Connection | None = None) -> str:
        connection = connection or self.connection
        return f"/link/companies/{connection.company_id}/connections/{connection.id}"

    def start(self, connection: Connection | None = None, query: str = "", browser: Browser | None = None) -> str:
        """Starts Link, and returns the state sent to Xero."""
        response = (browser or self.browser).get(f"{self.base(connection)}/start{query}")
        assert response.status == 302, response.body
        return response.query["state"]

    def call_back(self, state: str, code: str = "code-1", browser: Browser | None = None) -> PageResponse:
        return (browser or self.browser).get(f"/oauth/callback?{urlencode({'code': code, 'state': state})}")

    def link(self, connection: Connection | None = None, code: str = "code-1") -> PageResponse:
        return self.call_back(self.start(connection), code)

    def run_follow_ups(self, kind: str) -> None:
        """Runs each waiting follow-up of this kind once, and drops the others."""
        checks = acting("check_statements", Checks(self.ports, self.upstream))
        for follow_up, _ in self.queues.take("follow_ups"):
            if follow_up.kind == kind:
                checks.dispatch(follow_up)

    def form_token(self, url: str) -> str:
        body = self.browser.get(url).body
        return body.split('name="formToken" value="')[1].split('"')[0]
