"""From Codat to Xero itself and back, between both simulators: their books show each line once, at one of them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from feedlane.companies.connection import Connection, ConnectionStatus, UpstreamName
from feedlane.credentials.token_set import AccessToken
from feedlane.credentials.vault import Grant
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstreams import Upstreams
from feedlane.holds import items as hold_items
from feedlane.http import Http
from feedlane.link import ending
from feedlane.settings import items as settings_items
from feedlane.statements.sender import Sender
from feedlane.vault.service import VaultService
from feedlane.wiring.checks import Checks
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.identity import Identity
from feedlane.xero.tokens import TokenCache
from local.simulator.clock import Clock
from local.simulator.organisations import fixed_id
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator
from tests import builders
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.rights import acting, invoked
from tests.worlds import upstream_change
from tests.worlds.codat import WebhookVault
from tests.worlds.feeds import transactions
from tests.worlds.upstream_change import CODAT, XERO

BAKERY, JOINERY = fixed_id("harbour-bakery"), fixed_id("northwind-joinery")
CURRENT_ACCOUNT = fixed_id("harbour-current")


class BothVaults(WebhookVault):
    """Xero's tokens come from the real vault, Codat's key and secrets from memory."""

    def __init__(self, real: VaultService) -> None:
        super().__init__()
        self.real = real

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None, state: str = "") -> Grant:
        return self.real.exchange_code(code, redirect_uri, code_verifier, state)

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return self.real.access_token(token_set_id, rejected)


class World(upstream_change.World):
    """Xero is the simulator, over HTTP; its clock is this world's."""

    def __init__(self, xero: RunningSimulator, start: UpstreamName) -> None:
        super().__init__(start)
        xero.state.clock = Clock(lambda: self.now)
        self.xero = httpx.Client(base_url=xero.url, trust_env=False)
        self.control("POST", "reset")
        real = invoked(VaultService(MemorySecrets(), MemoryTable(), Identity(Http(xero.url), self.clock), self.clock))
        assert real.save_app_keys(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET).ok
        self.site.vault = BothVaults(real)
        tokens, listed = TokenCache(self.site.vault, self.clock), XeroConnections(Http(xero.url), self.clock)
        api = XeroApi(Http(xero.url), tokens, self.clock)
        self.site.organisations = XeroOrganisations(listed, Accounting(api), tokens)
        self.site.login_url = xero.url
        self.listed = listed
        self.upstream = Upstreams(XeroBankFeeds(api), lambda: self.feeds)
        self.site.upstream = self.upstream
        self.sender = acting("push_statements", Sender(self.ports, self.upstream))
        checks = Checks(self.ports, self.upstream, at_codat=self.checks.at_codat, disconnect=self.disconnect)
        self.checks = acting("check_statements", checks)
        settings = settings_items.settings(self.store).but(client_id=DEFAULT_CLIENT_ID)
        self.store.commit(settings_items.put_settings(settings))
        self.select(BAKERY)

    def disconnect(self, connection: Connection) -> None:
        ending.disconnect(connection, lambda: self.site.vault, lambda: self.listed, lambda: self.site.hosted_link)

    def control(self, method: str, path: str, body: object = None) -> dict[str, object]:
        answer = self.xero.request(method, f"/_simulator/{path}", json=body)
        answer.raise_for_status()
        return dict(answer.json())

    def select(self, tenant_id: str) -> None:
        """What the customer chooses, at either of them."""
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": [tenant_id]})
        self.codat.link.tenant_id = tenant_id

    def return_from_xero(self) -> int:
        started = self.browser.get(f"{self.base()}/start")
        assert started.status == 302, started.body
        back = urlsplit(self.xero.get(started.location).headers["location"])
        return self.browser.get(f"{back.path}?{back.query}").status

    def consent(self) -> None:
        if self.current().is_direct:
            assert self.return_from_xero() == 302
        else:
            assert self.go_through_link().status == 302
        assert self.current().status is ConnectionStatus.LINKED

    @property
    def at_xero(self) -> list[str]:
        """Xero's own book: the lines of every statement that it has delivered, without what it dropped."""
        listed: list[dict[str, object]] = self.control("GET", "statements")["statements"]  # type: ignore[assignment]
        delivered = [statement for statement in listed if statement["status"] == "DELIVERED"]
        lines: list[dict[str, object]] = [line for one in delivered for line in one["lines"]]  # type: ignore[attr-defined]
        return [str(line["transactionId"]) for line in lines if not line.get("dropped")]


@pytest.fixture(scope="module")
def xero() -> Iterator[RunningSimulator]:
    with serve_in_thread(Simulator(Clock(lambda: builders.NOW))) as running:
        yield running


def ids(count: int, start: int = 1) -> list[str]:
    return [f"t{number}" for number in range(start, start + count)]


class Platform:
    """Pushes numbered lines, each for 10, and keeps the operations."""

    def __init__(self, world: World) -> None:
        self.world, self.pushed, self.keys = world, 0, list[str]()

    def push(self, count: int = 2) -> list[str]:
        lines = transactions(count, start=self.pushed + 1, opening=10.0 * self.pushed)
        self.keys.append(self.world.push(lines).key)
        self.pushed += count
        return [line["id"] for line in lines]


def linked_and_mapped(world: World) -> None:
    world.consent()
    world.map_accounts(CURRENT_ACCOUNT)
    world.run()


@pytest.mark.parametrize("start", [CODAT, XERO])
def test_there_and_back_each_line_is_in_one_book_once(xero: RunningSimulator, start: UpstreamName) -> None:
    world, to = World(xero, start), XERO if start is CODAT else CODAT
    platform, books = Platform(world), {XERO: list[str](), CODAT: list[str]()}
    linked_and_mapped(world)
    books[start] += platform.push()
    world.run()
    for former, upstream in ((start, to), (to, start)):
        books[former] += platform.push()
        world.step()
        world.step()
        assert world.feed().flight is not None
        assert world.change(upstream).is_stopping
        books[upstream] += platform.push()
        world.run()
        assert world.current().status is ConnectionStatus.PENDING_AUTH
        linked_and_mapped(world)
        books[upstream] += platform.push()
        world.run()
    assert (world.at_xero, world.arrived) == (books[XERO], books[CODAT])
    assert sorted(world.at_xero + world.arrived) == sorted(f"t{number}" for number in range(1, platform.pushed + 1))
    assert {world.operation(key).status for key in platform.keys} == {PushStatus.SUCCESS}
    assert world.spans == [(start.value, 1), (to.value, 5), (start.value, 11)]
    assert hold_items.holds(world.store) == []
    again = world.push(transactions(platform.pushed))
    world.run()
    assert {one.validator for one in world.operation(again.key).warnings} == {"Duplicate"}, "it is the same account"
    assert (world.at_xero, world.arrived) == (books[XERO], books[CODAT])


def test_the_former_connection_has_ended_where_it_was(xero: RunningSimulator) -> None:
    world = World(xero, XERO)
    linked_and_mapped(world)
    token_set = world.current().token_set_id or ""
    world.change(CODAT)
    token = world.site.vault.access_token(token_set)
    assert world.listed.list_connections(token.value) == []
    linked_and_mapped(world)
    world.change(XERO)
    assert [one.status for one in world.codat.connections.values()] == ["Unlinked"]


def test_back_at_xero_another_organisation_is_refused_and_its_place_is_free_again(xero: RunningSimulator) -> None:
    world = World(xero, XERO)
    linked_and_mapped(world)
    world.change(CODAT)
    linked_and_mapped(world)
    world.change(XERO)
    world.select(JOINERY)
    assert world.return_from_xero() == 409
    assert not world.current().is_linked
    world.select(BAKERY)
    linked_and_mapped(world)
    assert world.current().is_linked
