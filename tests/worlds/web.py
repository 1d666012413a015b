"""Link and the portal with everything around them in memory: what a test arranges, and the browser it looks through."""

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
from tests import builders
from tests.builders import NOW
from tests.fakes.browser import Browser, PageAnswer
from tests.fakes.consent import FakeOrganisations, FakeVault
from tests.fakes.upstream import FakeUpstream
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


class World(BaseWorld):
    def __init__(self, **settings: Any) -> None:
        super().__init__(upstream=FakeUpstream(targets=list(TARGETS)))
        self.site = FakeSite(self)
        self.browser = Browser(self.site)
        key = ApiKey(id="k", name="Ops", fingerprint=fingerprint(API_KEY), ending="-key", created=NOW)
        keys = {"client_id": "app-1", "client_secret_ending": "wxyz"}
        self.store.commit(
            settings_items.put_settings(builders.settings(**keys | settings)),
            settings_items.put_profile(Profile(name="Ledgerly")),
            settings_items.add_api_key(key),
        )
        self.connection = self.add_connection()

    def add_connection(self, company_id: str = "") -> Connection:
        """Of this company, or of a new one."""
        if not company_id:
            company = builders.company(self.new_id())
            self.store.commit(company_items.add_company(company))
            company_id = company.id
        connection = builders.pending(self.new_id(), company_id=company_id)
        self.store.commit(company_items.add_connection(connection))
        return connection

    def add_account(self, id: str = "main", **fields: Any) -> SourceAccount:
        given = {"account_name": "Main account", "account_type": "Debit", "account_number": "11111234"}
        account = builders.source_account(self.connection, id, **given | {"balance": Decimal(159000)} | fields)
        self.store.commit(company_items.add_source_account(account))
        return account

    def set_profile(self, **changes: Any) -> None:
        self.store.commit(settings_items.put_profile(settings_items.profile(self.store).but(**changes)))

    def current(self, connection: Connection | None = None) -> Connection:
        """The connection as it is now in the table."""
        connection = connection or self.connection
        return company_items.connection(self.store, connection.company_id, connection.id)

    def payloads(self, event_type: str) -> list[dict[str, Any]]:
        return [event.payload for event in self.events(event_type)]

    def stored(self) -> dict[Any, Any]:
        """What is in the table, except states and sessions."""
        return {key: item for key, item in self.table.items.items() if not key[0].startswith(("STATE#", "SESSION#"))}

    # the way through Link

    def base(self, connection: Connection | None = None) -> str:
        connection = connection or self.connection
        return f"/link/companies/{connection.company_id}/connections/{connection.id}"

    def start(self, connection: Connection | None = None, query: str = "", browser: Browser | None = None) -> str:
        """Answers the state that goes to Xero."""
        seen = (browser or self.browser).get(f"{self.base(connection)}/start{query}")
        assert seen.status == 302, seen.body
        return seen.query["state"]

    def call_back(self, state: str, code: str = "code-1", browser: Browser | None = None) -> PageAnswer:
        return (browser or self.browser).get(f"/oauth/callback?{urlencode({'code': code, 'state': state})}")

    def link(self, connection: Connection | None = None, code: str = "code-1") -> PageAnswer:
        return self.call_back(self.start(connection), code)

    def look(self, kind: str) -> None:
        """Works on the waiting checks of this kind, each once; the others are dropped."""
        checks = Checks(
            self.ports,
            self.upstream,
        )
        for check, _ in self.queues.take("follow_ups"):
            if check.kind == kind:
                checks.dispatch(check)

    def form_token(self, address: str) -> str:
        body = self.browser.get(address).body
        return body.split('name="formToken" value="')[1].split('"')[0]
