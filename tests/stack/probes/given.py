"""What probes work on: made-up companies, connections and feeds, in the table as the functions would leave them.

They belong to a demo organisation, which does not count against the connection limit, and to a token set that does not
exist, unless a probe asks for a real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.events.event import Event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import fingerprint, new_id
from feedlane.link import state_items as link_state_items
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import key_in
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Key, Put
from feedlane.web.cookies import flow_cookie_name, full_name
from feedlane.xero.identity import authorize_url
from local.bootstrap import authorization
from local.demo.platform import Simulator
from local.instance import Instance
from tests import builders
from tests.stack.probes.calling import Functions

COMPANY = "11111111-0000-4000-8000-000000000001"
TENANT = "11111111-0000-4000-8000-000000000002"
DEMO_TENANT = "11111111-0000-4000-8000-000000000003"
ACCOUNT = "probe"
HELD = Problem(type="probe", title="Held by a probe", status=400)


class Given:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.functions = Functions(instance)
        self.store = Store(DynamoDBTable(instance.client("dynamodb"), instance.outputs()["TableName"]))
        self.simulator = Simulator(instance.simulator_url)
        headers = authorization(instance.read_description()["apiKey"])
        self.api = httpx.Client(base_url=instance.api_url, headers=headers, timeout=35, trust_env=False)
        self._made: list[Key] = []

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def redirect_uri(self) -> str:
        return f"{self.instance.api_url}/oauth/callback"

    @property
    def api_key_fingerprint(self) -> str:
        key = key_in(authorization(self.instance.read_description()["apiKey"])["Authorization"])
        assert key is not None
        return fingerprint(key)

    def add(self, *writes: Put) -> None:
        """Commits these items, until `remove_all`."""
        self.store.commit(*writes)
        self._made += [write.key for write in writes]

    def remove_all(self) -> None:
        """Otherwise the watch and the daily round would look at more with each probe, and each would take longer."""
        self.store.table.delete_many(dict.fromkeys(self._made))
        self._made.clear()

    # companies and connections

    @cached_property
    def company(self) -> Company:
        """Always the same one, because an organisation belongs to one company."""
        company = builders.company(COMPANY, name="Probe", created=self.now)
        with suppress(ConditionFailed):
            self.store.commit(company_items.add_company(company))
        return company

    def connection(self, **fields: Any) -> Connection:
        """One that waits for its customer, unless `fields` say otherwise."""
        connection = builders.pending(**{"id": new_id(), "company_id": self.company.id, "created": self.now} | fields)
        self.add(company_items.add_connection(connection))
        return connection

    def linked(self, **fields: Any) -> Connection:
        tenant = builders.tenant(new_id(), xero_connection_id=new_id(), base_currency="GBP", demo=True)
        linked = {"status": ConnectionStatus.LINKED, "linked_on": self.now, "tenant": tenant, "token_set_id": new_id()}
        return self.connection(**linked | fields)

    # feeds

    def account(self, connection: Connection, **fields: Any) -> SourceAccount:
        account = builders.source_account(connection, **{"id": ACCOUNT, "modified": self.now} | fields)
        self.add(company_items.add_source_account(account))
        return account

    def feed(self, connection: Connection, account_id: str = ACCOUNT, lines: int = 0, **fields: Any) -> Feed:
        """A feed with its source account and this many waiting lines. Xero does not know it: nothing of it is sent."""
        mapping = AccountMapping(feed_connection_id=new_id(), account_token="probe")
        self.account(connection, id=account_id, status=SourceAccountStatus.CONNECTED, mapping=mapping)
        today = self.now.date().isoformat()
        waiting = [Line(f"line-{n}", today, Decimal(1), Decimal(n), "", "", "", "Credit") for n in range(1, lines + 1)]
        recorded = {
            "recorded_through": lines,
            "recorded_date": today if lines else "",
            "recorded_balance": Decimal(lines) if lines else None,
        }
        not_at_xero = {"feed_connection_id": "", "created": self.now}
        feed = builders.feed(connection, account_id, **not_at_xero | recorded | fields)
        pages = feed_items.add_lines(feed.id, 1, waiting) if lines else []
        self.add(feed_items.add_feed(feed), *pages)
        return feed.but(version=1)

    @contextmanager
    def hold(self, feed: Feed, scope: Scope = Scope.FEED) -> Iterator[Hold]:
        """What waits in the feed is held. Afterwards the hold is removed, unless it has been released."""
        subject = {Scope.FEED: feed.id, Scope.CONNECTION: feed.connection_id}[scope]
        of_feed = {"company_id": feed.company_id, "connection_id": feed.connection_id}
        why = {"reason": "probe", "problem": HELD, "since": self.now}
        hold = builders.hold(scope, subject, id=new_id(), **why, **of_feed)
        self.store.commit(*hold_items.add_hold(hold))
        try:
            yield hold
        finally:
            self.store.table.delete_many([keys.hold(scope, subject)])

    @contextmanager
    def holds_lifted(self, feed: Feed) -> Iterator[None]:
        """Removes whatever holds the feed afterwards: the probe wanted the hold, and it must stop nobody else."""
        try:
            yield
        finally:
            holds = hold_items.holds_on(self.store, feed.hold_subjects)
            placed = [keys.hold(hold.scope, hold.subject) for hold in holds]
            # Without the feed, messages that are still on their way find nothing to send, to poll or to hold.
            self.store.table.delete_many([*placed, keys.feed(feed.id)])

    # Xero

    @cached_property
    def tenant(self) -> str:
        """An organisation at the simulator."""
        return self._organisation(TENANT, demo=False)

    @cached_property
    def demo_tenant(self) -> str:
        """One that does not count against the connection limit."""
        return self._organisation(DEMO_TENANT, demo=True)

    @cached_property
    def token_set(self) -> str:
        """A real one in the vault, which reaches `tenant`."""
        return str(self.grant(self.tenant)["token_set_id"])

    def code(self, tenant_id: str) -> str:
        """What Xero gives to a customer's browser who has consented for this organisation."""
        self.simulator.consent_to(tenant_id)
        settings = settings_items.settings(self.store)
        login = self.instance.xero_identity_url
        url = authorize_url(login, settings.client_id, self.redirect_uri, settings.scopes, new_id())
        there = httpx.get(url, trust_env=False).headers["location"]
        return parse_qs(urlsplit(there).query)["code"][0]

    def grant(self, tenant_id: str) -> dict[str, Any]:
        """What the vault answers to a consent for this organisation."""
        message = {"action": "exchange_code", "code": self.code(tenant_id), "redirect_uri": self.redirect_uri}
        granted: dict[str, Any] = self.functions.call("credential_vault:oauth_callback", message)["ok"]
        return granted

    def _organisation(self, tenant_id: str, demo: bool) -> str:
        """Always the same one: the app can be connected to 25, and the instance may be kept."""
        self.simulator.create_organisation(
            tenantId=tenant_id, name="Probe Ltd", country="GB", currency="GBP", demo=demo, bankFeeds=True, accounts=[]
        )
        return tenant_id

    def flow(self, connection: Connection) -> tuple[str, dict[str, str]]:
        """A state as Link gives it out, and the cookie that its browser got with it."""
        state, browser = new_id(), new_id()
        self.store.commit(
            link_state_items.add_state(
                LinkState(
                    fingerprint=fingerprint(state),
                    browser=fingerprint(browser),
                    company_id=connection.company_id,
                    connection_id=connection.id,
                    expires=self.now + LINK_STATE_LIFETIME,
                )
            )
        )
        return state, self.cookie(flow_cookie_name(state), browser)

    def cookie(self, name: str, value: str) -> dict[str, str]:
        """As the browser sends it back to this deployment."""
        return {full_name(name, self.redirect_uri.startswith("https:")): value}

    # events

    def event(self, **fields: Any) -> Event:
        """One that is in no outbox, of a company whose tag no other consumer asks for."""
        given = {"id": new_id(), "type": "company.created", "subject": new_id(), "time": self.now, "payload": {}}
        return Event.model_validate(given | {"company_id": self.company.id, "company_tags": {"probe": "yes"}} | fields)


@lru_cache(maxsize=1)
def given(instance: Instance) -> Given:
    return Given(instance)
