"""The product in front of the Codat simulator, both in this process: Link, mapping, pushes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from feedlane.codat_upstream import own_client
from feedlane.codat_upstream.api_keys import KeyCache
from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.codat_upstream.hosted_link import CodatHostedLink
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, UpstreamName
from feedlane.companies.source_account import SourceAccount
from feedlane.credentials.vault import CodatKey
from feedlane.errors import Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation
from feedlane.feeds.upstream import Upstream
from feedlane.feeds.upstreams import Upstreams
from feedlane.follow_ups import PushOperationCheck
from feedlane.ids import feed_id, fingerprint
from feedlane.pushes.api_door import accept
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from feedlane.scope import CODAT_SUBJECT
from feedlane.settings.settings import CodatFacts
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.statements.sender import Sender
from feedlane.upkeep.hosted import access_at_codat
from feedlane.wiring.checks import Checks
from local.codat_simulator.app import create_app
from local.codat_simulator.deliveries import Attempt, due_attempts, record_attempt
from local.codat_simulator.records import Consumer
from local.codat_simulator.settling import settle
from local.codat_simulator.state import DEFAULT_API_KEY, Codat
from local.simulator.clock import Clock
from local.simulator.organisations import new_id
from tests import rights
from tests.builders import URL
from tests.fakes.browser import PageResponse
from tests.fakes.consent import FakeVault
from tests.rights import acting, acting_as
from tests.worlds import web

CODAT_URL = "https://codat.test"
ACCOUNT = "main"
SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
WRITES = ("bankTransactions.write.successful", "bankTransactions.write.unsuccessful")
CONNECTIONS = ("connection.connected", "connection.disconnected", "connection.reconnected")
SOURCE_ACCOUNTS = ("bankFeeds.sourceAccount.connected", "bankFeeds.sourceAccount.disconnected")
# As an operator sets it at Codat.
REDIRECT_TEMPLATE = (
    f"{URL}/oauth/callback?state={{feedlaneState}}&statusCode={{statusCode}}&companyId={{companyId}}"
    "&connectionId={connectionId}&errorMessage={errorMessage}"
)


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application directly. `lose` says whether the answer to a request gets lost on its way."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.lose: Callable[[httpx.Request], bool] = lambda request: False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with acting_as():
            answer = asyncio.run(self._ask(request))
        if self.lose(request):
            raise httpx.ReadTimeout("lost")
        return answer

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app)) as client:
            answer = await client.request(
                request.method, request.url, headers=request.headers, content=request.read(), follow_redirects=False
            )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class KeyVault:
    """Codat's keys as the vault gives them, the newest first."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)

    def codat_key(self, rejected: str | None = None) -> CodatKey:
        rights.require_vault("codat_key")
        return CodatKey(value=next((key for key in self.keys if fingerprint(key) != rejected), self.keys[0]))


class WebhookVault(FakeVault):
    """Knows the secrets of Codat's webhooks; `away`: it does not answer."""

    away = False
    signing: tuple[str, ...] = (SIGNING,)

    def codat_webhook_secrets(self) -> list[str]:
        rights.require_vault("codat_webhook_secrets")
        if self.away:
            raise Unavailable("The vault is busy", 2)
        return list(self.signing)


class World(web.World):
    """`connection` goes through Codat, whose redirect template is set; `browser` is its customer's."""

    def __init__(self, **settings: Any) -> None:
        facts = CodatFacts(ending=DEFAULT_API_KEY[-4:], checked=True, version=1)
        super().__init__(**{"upstream": UpstreamName.CODAT, "codat": facts} | settings)
        self.codat = Codat(Clock(lambda: self.now), redirect_url=REDIRECT_TEMPLATE)
        self.codat.origin = CODAT_URL
        self.codat.link.mode = "auto"
        self.wire = InProcess(create_app(self.codat))
        self.keys: Any = KeyVault(DEFAULT_API_KEY)
        limits = SharedCallLimits(self.ports, CODAT_SUBJECT)
        keys = KeyCache(self.keys, self.clock)
        self.client = CodatClient(CODAT_URL, keys.key, self.clock, limits, transport=self.wire)
        self.feeds: Upstream = CodatBankFeeds(self.client)
        self.direct = self.upstream
        self.upstream = Upstreams(self.direct, lambda: self.feeds)
        self.site.upstream, self.site.hosted_link = self.upstream, CodatHostedLink(self.client)
        self.site.outside.codat = lambda: own_client.read(self.client)
        self.sender = acting("push_statements", Sender(self.ports, self.upstream))
        at_codat = partial(access_at_codat, lambda: self.site.hosted_link)
        self.checks = acting("check_statements", Checks(self.ports, self.upstream, at_codat=at_codat))
        self.site.vault = WebhookVault()
        self.customer = httpx.Client(base_url=CODAT_URL, transport=self.wire)
        self.store.commit(
            company_items.put_connection(self.connection.but(upstream=UpstreamName.CODAT)),
        )
        self.connection = self.current()

    def add_account(self, id: str = ACCOUNT, **fields: Any) -> SourceAccount:
        defaults = {"account_type": "checking", "sort_code": "040004", "account_number": "20011234"}
        return super().add_account(id, **defaults | fields)

    # the customer in Link

    def open_link(self, query: str = "") -> str:
        """Opens the link, and returns Codat's address that it leads to."""
        response = self.browser.get(f"{self.base()}/start{query}")
        assert response.status == 302, response.body
        return response.location

    def visit(self, url: str, outcome: str = "linked") -> str:
        """The customer's visit to Codat's Link. Returns where Codat sends the customer."""
        self.codat.link.outcome = outcome  # type: ignore[assignment]
        answer = self.customer.get(url)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    def come_back(self, location: str, **changes: str) -> PageResponse:
        """The customer's return by Codat's redirect, with other parameters where a test says so."""
        parts = urlsplit(location)
        assert location.startswith(f"{URL}/oauth/callback?")
        given = dict(httpx.QueryParams(parts.query)) | changes
        return self.browser.get(f"{parts.path}?{urlencode(given)}")

    def go_through_link(self, outcome: str = "linked") -> PageResponse:
        return self.come_back(self.visit(self.open_link(), outcome))

    # Codat's webhooks

    def subscribe(self) -> None:
        """Codat sends every event to the deployment, and the vault knows its secret."""
        every = [*WRITES, *CONNECTIONS, *SOURCE_ACCOUNTS]
        consumer = Consumer(new_id(), f"{URL}/codat/webhooks", SIGNING, every, [])
        self.codat.consumers[consumer.id] = consumer

    def webhooks(self) -> list[Attempt]:
        """What Codat sends now."""
        settle(self.codat)
        return due_attempts(self.codat)

    def receive(self, attempt: Attempt, **headers: str) -> int:
        """Hands Codat's request over, with other headers where a test says so; answers the status."""
        given = {"headers": attempt.headers | {name.replace("_", "-"): value for name, value in headers.items()}}
        answer = self.browser._send("POST", "/codat/webhooks", attempt.body.decode(), given)
        record_attempt(self.codat, attempt, answer.status)
        return answer.status

    # the platform and the functions

    def push(self, transactions: list[dict[str, Any]], account: str = ACCOUNT) -> PushOperation:
        body = json.dumps({"accountId": account, "transactions": transactions})
        ids = (self.connection.company_id, self.connection.id)
        with acting_as("public_api"):
            operation = accept(self.ports, self.now, *ids, account, body)
        self.queues.follow_ups = [
            (message, delay) for message, delay in self.queues.follow_ups if not isinstance(message, PushOperationCheck)
        ]
        return operation

    def run(self, steps_max: int = 400) -> None:
        """Works off the queues until they are empty. Delayed messages come when nothing else is left."""
        for _ in range(steps_max):
            if not self.step():
                return
        raise AssertionError("the queues did not empty")

    def step(self) -> bool:
        if self.queues.pushed:
            for pushed in self.queues.take("pushed"):
                with acting_as("record_transactions"):
                    message = QueueMessage(pushed["id"], pushed["group"], pushed["body"], self.now)
                    record(self.ports, [message], False)
        elif self.queues.woken:
            self.sender.send(str(self.queues.woken.pop(0)))
        elif self.queues.follow_ups:
            self.queues.follow_ups.sort(key=lambda delayed: delayed[1])
            message, delay = self.queues.follow_ups.pop(0)
            self.now += timedelta(seconds=delay)
            self.checks.dispatch(message)
        else:
            return False
        return True

    # what came of it

    def feed(self, account: str = ACCOUNT) -> Feed:
        feed = feed_items.find_feed(self.store, feed_id(self.connection.id, account))
        assert feed is not None
        return feed

    def account(self, id: str = ACCOUNT) -> SourceAccount:
        return company_items.source_account(self.store, self.connection.id, id)

    def operation(self, key: str) -> PushOperation:
        return push_operation_items.operation(self.store, self.connection.company_id, key)

    @property
    def arrived(self) -> list[str]:
        """The ids of the lines that have arrived in Xero, in order."""
        return [str(arrived.line["id"]) for arrived in self.codat.arrived]

    @property
    def linked(self) -> Connection:
        return self.current()
