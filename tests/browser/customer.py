"""A customer who sees every page of Link, in all the states that it can be in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionFault, ConnectionStatus
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.holds import items as hold_items
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.texts import catalogue
from local.simulator import control_faults
from local.simulator.control_settings import add_organisation
from tests import builders
from tests.browser.looks import Looks
from tests.browser.world import World

OWN = "Harbour Bakery Ltd"


@dataclass
class Customer:
    """Walks through Link in a language: each step begins where the one before it has ended."""

    link: World
    looks: Looks
    language: str

    def has_accounts(self, name: str, count: int) -> None:
        """Its company, its organisation at Xero and its accounts on both sides have the name."""
        self.name = name
        company = company_items.company(self.link.site.store, self.link.connection.company_id)
        self.link.site.store.commit(company_items.put_company(company.but(name=name)))
        for number in range(count):
            self.link.add_account(f"account-{number:02}", name, f"2001{number:04}", "-987654321098.76")
        accounts = [{"name": name, "number": f"7001{number:04}"} for number in range(3)]
        organisation = {"name": name, "country": "GB", "currency": "GBP", "demo": False, "accounts": accounts}
        add_organisation(self.link.simulator.state, organisation)

    def comes_to_the_company(self) -> None:
        store = self.link.site.store
        path = f"/link/company/{self.link.connection.company_id}"
        self.looks.open(f"{path}?lang={self.language}", "not connected")
        store.commit(settings_items.put_settings(settings_items.settings(store).but(enabled=False)))
        self.looks.open(path, "closed")
        store.commit(settings_items.put_settings(settings_items.settings(store).but(enabled=True)))

    def consents(self) -> None:
        page = self.looks.page
        page.goto(self.link.start)
        self.looks.look("consent at the simulated Xero")
        page.get_by_role("button", name="Allow access").click()
        self.looks.look("consent without an organisation")
        for box in (page.locator("label", has_text=OWN), page.locator("label", has_text=self.name[:40])):
            box.first.locator("input").check()
        page.get_by_role("button", name="Allow access").click()
        self.looks.look("choice of an organisation")
        self.looks.send(f"{self._path}/organisation", {}, "nothing chosen")
        page.locator("label", has_text=self.name[:40]).locator("input").check()
        page.get_by_role("button").last.click()
        page.locator("#target-1").wait_for()
        self.looks.look("accounts")

    def connects_accounts(self) -> None:
        page = self.looks.page
        page.locator(f"a[href='{self._path}/finish']").click()
        self.looks.look("almost done")
        page.goto(f"{self.link.url}{self._path}/accounts")
        page.locator("#target-1").select_option("")
        page.locator("#start-2").fill("2020-01-01")
        self._connect()
        self.looks.look("accounts, with faults")
        page.goto(f"{self.link.url}{self._path}/accounts")
        for box in page.locator("input[name^=include-]").all():
            box.uncheck()
        self._connect()
        self.looks.look("accounts, none ticked")
        for number in (1, 2, 3):
            page.locator(f"#source-{number}").check()
        page.locator("#target-1").select_option(index=1)
        self._connect()
        page.locator("#connected table").wait_for()
        self.looks.look("accounts, connecting")
        store = self.link.site.store
        account = company_items.source_account(store, self.link.connection.id, "account-00")
        store.commit(company_items.put_source_account(account.but(status=SourceAccountStatus.CONNECTED)))
        self.looks.open(f"{self._path}/accounts?done=connected", "one connected")
        self.looks.open(f"{self._path}/accounts/disconnect?account=account-00", "question about an account")
        self.looks.open(f"{self._path}/finish", "done")
        self.looks.open(f"/link/company/{self.link.connection.company_id}", "connected")

    def meets_faults(self) -> None:
        store, state, now = self.link.site.store, self.link.simulator.state, datetime.now(UTC)
        control_faults.add_fault(state, {"fault": "page", "status": 503, "match": {}, "times": None})
        self.looks.open(f"{self._path}/accounts", "Xero is away")
        self.looks.send(f"{self._path}/accounts", {"rows": "1", "source-1": "account-05", "target-1": "new"})
        self.looks.open(f"{self._path}/accounts/disconnect?account=account-00")
        self.looks.send(f"{self._path}/accounts/disconnect", {"account": "account-00"}, "Xero is away")
        self.looks.open(f"{self._path}/disconnect")
        self.looks.send(f"{self._path}/disconnect", {}, "Xero is away")
        control_faults.clear_faults(state, {})
        problem = builders.problem(title=self.name, detail=self.name)
        wide = builders.hold(Scope.CONNECTION, self.link.connection.id, reason="x", problem=problem, since=now)
        feed = f"{self.link.connection.id}/account-00"
        narrow = builders.hold(Scope.FEED, feed, id="2", reason="account-archived", problem=problem, since=now)
        for hold in (wide, narrow):
            store.commit(*hold_items.add_hold(hold))
        self.looks.open(f"{self._path}/accounts", "held")
        for hold in (wide, narrow):
            store.commit(*hold_items.remove_holds([hold]))

    def ends(self) -> None:
        store, page = self.link.site.store, self.looks.page
        fault = ConnectionFault(
            status_code="403", status_text=self.name, error_message=self.name, errored_on=datetime.now(UTC),
            reason="authorisation-ended",
        )  # fmt: skip
        linked = self.link.current_connection()
        store.commit(company_items.put_connection(linked.but(errors=(fault,))))
        self.looks.open(f"{self._path}/accounts", "needs reconnection")
        self.looks.open(f"{self._path}/finish", "needs reconnection")
        self.looks.open(f"/link/company/{linked.company_id}", "needs reconnection")
        linked = self.link.current_connection()
        store.commit(company_items.put_connection(linked.but(errors=())))
        self.looks.open(f"{self._path}/disconnect", "question")
        page.get_by_role("button").last.click()
        page.get_by_role("heading", name=catalogue(self.language)["disconnect.done-title"]).wait_for()
        self.looks.look("disconnected")
        self.looks.open(f"{self._path}/accounts", "disconnected")
        self.looks.open(f"{self._path}/finish", "disconnected")
        self.looks.open(f"/link/company/{linked.company_id}", "disconnected")
        never = builders.pending("never", company_id=linked.company_id)
        store.commit(company_items.add_connection(never.but(status=ConnectionStatus.PENDING_AUTH)))
        self.looks.open(f"/link/companies/{linked.company_id}/connections/never/accounts", "no session")
        self.looks.open("/oauth/callback?state=x&code=y", "unknown state")

    @property
    def _path(self) -> str:
        connection = self.link.connection
        return f"/link/companies/{connection.company_id}/connections/{connection.id}"

    def _connect(self) -> None:
        self.looks.page.locator("form button[type=submit]").first.click()
