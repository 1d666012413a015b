"""All calls to Xero count, and all keep to what Xero asks for, whoever makes them and wherever Xero says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from feedlane.credentials.token_set import AccessToken
from feedlane.errors import LimitReached, ReconnectionNeeded, Unavailable
from feedlane.feeds.upstream import NoAnswer, TenantAccess, TryLater
from feedlane.http import Http
from feedlane.scope import APP_SUBJECT
from feedlane.settings import items as settings_items
from feedlane.statements import call_limits, gate, limits
from feedlane.statements.call_limits import SharedCallLimits
from feedlane.statements.gate import Gate, app_traffic_key, traffic_in, traffic_key
from feedlane.statements.limits import Lane, Traffic
from feedlane.statements.waits import not_before, wait_keys
from feedlane.store import attempts, keys
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.tokens import TokenCache
from tests import builders
from tests.rights import acting_as
from tests.worlds.base import BaseWorld

TENANT = "tenant-1"
ACCESS = TenantAccess(tenant_id=TENANT, token_set_id="tokens-1")
FOREIGN = TenantAccess(tenant_id="tenant-2", token_set_id="tokens-1")
WAIT = {"Retry-After": "5000"}
REJECTED = {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"}
PENDING = {"id": "s", "status": "PENDING"}
Server = Callable[[httpx.Request], httpx.Response]


class Vault:
    """Every token is fresh."""

    def __init__(self, world: World) -> None:
        self.world = world

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        return AccessToken(value=f"token-{rejected}", expires_at=self.world.now + timedelta(hours=1))


class World(BaseWorld):
    """A function that calls Xero, with the limits that all functions share. `server` answers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[datetime, str]] = []
        self.server: Server = lambda _: httpx.Response(200, json={"Accounts": [], "items": []})
        http = Http("https://xero.test", transport=httpx.MockTransport(self._answer))
        shared = SharedCallLimits(self.ports)
        api = XeroApi(http, TokenCache(Vault(self), self.clock), self.clock, shared)
        self.accounting, self.bank_feeds = Accounting(api), XeroBankFeeds(api)
        self.connections = XeroConnections(http, self.clock, shared)
        self.feed = builders.feed().but(tenant_id=TENANT)
        self.gate = Gate(self.ports)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append((self.now, request.url.path))
        return self.server(request)

    def answers(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        self.server = lambda _: httpx.Response(status, content=json.dumps(body or {}).encode(), headers=headers)

    def hangs(self) -> None:
        def hang(_: httpx.Request) -> httpx.Response:
            self.advance(seconds=12)
            raise httpx.ReadTimeout("no answer")

        self.server = hang

    def person_asks(self, access: TenantAccess = ACCESS) -> None:
        """The customer's page lists the bank accounts."""
        with acting_as("link"):
            self.accounting.bank_accounts(access)

    def look(self) -> object:
        """A look at a statement, as `check_statements` makes it. Returns Xero's answer, or the seconds to wait."""
        with acting_as("check_statements"):
            wait = self.gate.enter(self.feed, Lane.LOOKS, id := self.new_id())
            if wait is not None:
                return wait
            try:
                return self.bank_feeds.statement_status(ACCESS, "s")
            finally:
                self.gate.leave(TENANT, id)

    def traffic(self, tenant: str = TENANT) -> Traffic:
        return traffic_in(self.store.table.get(traffic_key(tenant)))

    def feed_waits(self) -> float:
        """For how many seconds the feed's next post has to wait."""
        until = not_before(self.store, wait_keys(self.feed, Lane.POSTS))
        return 0.0 if until is None else (until - self.now).total_seconds()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    world.store.commit(settings_items.put_settings(builders.settings()))
    gate.under_way.set(None)
    monkeypatch.setattr(attempts, "sleep", lambda seconds: world.advance(seconds=seconds))
    return world


def attempt(act: Callable[[], object]) -> int | None:
    """The seconds that the caller is told to wait; None if the call went."""
    try:
        act()
    except Unavailable as error:
        return error.retry_after
    return None


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, WAIT | {"X-Rate-Limit-Problem": "day"}, 5000),
        (429, {"X-Rate-Limit-Problem": "minute"}, 10),
        (503, WAIT, 5000),
        (503, {"Retry-After": "100000"}, 100_000),
        (500, WAIT, 5000),
        (403, WAIT, 5000),
    ],
)
def test_what_a_page_is_told_to_wait_everyone_waits(
    world: World, status: int, headers: dict[str, str], seconds: int
) -> None:
    world.answers(status, headers=headers)
    with pytest.raises(Exception):  # noqa: B017, PT011
        world.person_asks()
    assert world.feed_waits() == seconds
    world.advance(seconds=seconds - 1)
    before = len(world.calls)
    with pytest.raises(LimitReached) as raised:
        world.person_asks()
    assert (raised.value.retry_after, len(world.calls)) == (1, before)
    world.advance(seconds=1)
    world.answers(200, {"Accounts": []})
    world.person_asks()


def test_what_a_feed_connection_is_told_to_wait_everyone_waits(world: World) -> None:
    world.answers(429, headers=WAIT)
    with acting_as("check_statements"), pytest.raises(Unavailable):
        world.bank_feeds.feed_connection(ACCESS, "fc")
    assert world.feed_waits() == 5000


def test_the_apps_wait_is_everyones_wherever_it_was_asked_for(world: World) -> None:
    world.answers(429, headers=WAIT | {"X-Rate-Limit-Problem": "appminute"})
    with acting_as("oauth_callback"), pytest.raises(Unavailable):
        world.connections.list_connections("token")
    assert world.feed_waits() == 5000
    assert attempt(lambda: world.person_asks(FOREIGN)) == 5000


def test_an_outage_of_the_list_of_organisations_stops_its_own_calls_alone(world: World) -> None:
    world.answers(503, headers=WAIT)
    assert attempt(lambda: world.connections.list_connections("token")) == 5000
    assert attempt(lambda: world.connections.list_connections("token")) == 5000
    assert (len(world.calls), world.feed_waits()) == (1, 0)


def test_calls_of_pages_count_and_go_before_what_waits_in_lanes(world: World) -> None:
    looks = 0
    while not isinstance(world.look(), float):
        looks += 1
    people = 0
    while attempt(world.person_asks) is None:
        people += 1
    assert looks + people == limits.XERO_TENANT_LIMITS.per_minute == len(world.calls)
    assert people >= 5
    assert world.traffic().today == 60


def test_a_page_waits_for_a_call_that_is_about_to_end_and_says_how_long_if_none_does(world: World) -> None:
    for number in range(4):
        assert world.gate.enter(world.feed.but(account_id=str(number)), Lane.POSTS, str(number)) is None
    gate.under_way.set(None)  # they are other functions' calls
    assert attempt(world.person_asks) is None
    with acting_as("link"), SharedCallLimits(world.ports).call(TENANT):
        started = world.now
        assert attempt(world.person_asks) == 1
        assert world.now - started <= timedelta(seconds=4)


def test_a_page_asks_so_often_and_no_more_whatever_the_clock_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        assert len(pauses) < 100, "it waits for ever"

    while attempt(world.person_asks) is None:
        pass
    world.now = world.now.replace(microsecond=0) + timedelta(seconds=59.9)
    monkeypatch.setattr(attempts, "sleep", pause)
    assert attempt(world.person_asks) == 1
    assert sum(pauses) == call_limits.PATIENCE_SECONDS


def test_every_request_of_a_call_counts(world: World) -> None:
    def refuse_first(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json=REJECTED) if len(world.calls) == 1 else httpx.Response(200, json=PENDING)

    world.server = refuse_first
    world.look()
    assert len(world.calls) == 2
    assert (world.traffic().today, traffic_in(world.store.table.get(app_traffic_key(APP_SUBJECT))).today) == (2, 2)


def test_the_requests_of_one_call_end_at_the_limit_and_only_their_feed_waits(world: World) -> None:
    with acting_as("push_statements"):
        assert world.gate.enter(world.feed, Lane.POSTS, "call") is None
        answers = [world.bank_feeds.statement_status(ACCESS, "s") for _ in range(60)]
    assert len(world.calls) == limits.TENANT_LIMITS.per_minute
    assert isinstance(answers[-1], TryLater)
    assert (answers[-1].scope, answers[-1].is_outage) == ("feed", False)


def test_the_app_keeps_its_ten_thousand_calls_a_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2 * call_limits.OTHER_CALLS_PER_MINUTE_MAX + limits.APP_STATEMENT_LIMITS.per_minute < 10_000
    monkeypatch.setattr(call_limits, "OTHER_CALLS_PER_MINUTE_MAX", 3)
    world.now = datetime(2026, 5, 20, 12, 0, 20, tzinfo=UTC)
    world.person_asks()
    world.person_asks(FOREIGN)
    world.server = lambda _: httpx.Response(200, json=[])
    world.connections.list_connections("token")
    assert attempt(lambda: world.connections.list_connections("token")) == 40
    assert attempt(world.person_asks) == 40
    assert world.traffic().under_way == {}
    world.advance(seconds=40)
    world.connections.list_connections("token")


def test_a_page_has_the_calls_that_the_day_keeps_for_people(world: World) -> None:
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(daily_limit=102)))
    assert [isinstance(world.look(), float) for _ in range(4)] == [False, False, True, True]
    went = 0
    for _ in range(200):
        if attempt(world.person_asks) is None:
            went += 1
        world.advance(seconds=1)
    assert went == 100
    assert attempt(world.person_asks) == 3600


def test_a_tenant_that_hangs_is_left_alone_longer_and_longer_and_tried_with_one_call(world: World) -> None:
    world.hangs()
    start = world.now
    while world.now - start < timedelta(hours=1):
        answer = world.look()
        if isinstance(answer, NoAnswer):
            # Another feed of the tenant comes while the first call hangs, and right after it.
            continue
        assert isinstance(answer, float)
        world.advance(seconds=answer)
    assert len(world.calls) < 20
    world.answers(200, {"id": "s", "status": "PENDING"})
    world.advance(seconds=limits.QUIET_SECONDS_MAX)
    assert not isinstance(world.look(), float)
    assert not isinstance(world.look(), float)
    assert world.traffic().hung == 0


def test_while_a_tenant_is_tried_again_no_second_call_hangs_beside_the_first(world: World) -> None:
    world.hangs()
    world.look()
    world.advance(seconds=limits.QUIET_SECONDS_FIRST + 1)
    assert world.gate.enter(world.feed, Lane.POSTS, "probe") is None
    other = world.gate.enter(world.feed.but(account_id="other"), Lane.POSTS, "other")
    assert other
    assert other > 10


def test_calls_that_began_before_a_time_out_do_not_add_to_it(world: World) -> None:
    feeds = [world.feed.but(account_id=str(number)) for number in range(4)]
    for feed in feeds:
        assert world.gate.enter(feed, Lane.POSTS, feed.account_id) is None
    traffic = world.traffic()
    for feed in feeds:
        traffic = limits.finish_call(traffic, feed.account_id, world.now + timedelta(seconds=12), False)
    assert (traffic.hung, traffic.under_way) == (1, {})


def test_whoever_waits_on_a_page_asks_a_tenant_that_hung_all_the_same(world: World) -> None:
    world.hangs()
    world.look()
    world.answers(200, {"Accounts": []})
    world.person_asks()
    assert not isinstance(world.look(), float)


def test_a_broken_connection_is_no_hang(world: World) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    world.server = broken
    world.look()
    assert world.traffic().hung == 0


def test_a_call_without_room_is_not_a_reason_to_reconnect(world: World) -> None:
    """The list of organisations, which would say why Xero refuses, may not be asked for now."""
    world.answers(503, headers=WAIT)
    assert attempt(lambda: world.connections.list_connections("token")) == 5000
    world.answers(403, {"Detail": "AuthenticationUnsuccessful"})
    try:
        world.look()
    except ReconnectionNeeded:
        pytest.fail("nothing says so")
    assert keys.not_before("feed", world.feed.id) not in world.store.table.items


@pytest.mark.parametrize(
    "function", ["link", "oauth_callback", "public_api", "tend_connections", "check_statements", "portal"]
)
def test_whoever_calls_xero_may_count_and_note_what_it_asks_for(world: World, function: str) -> None:
    with acting_as(function):
        world.accounting.bank_accounts(ACCESS)
        world.answers(429, headers=WAIT)
        assert attempt(lambda: world.accounting.bank_accounts(ACCESS)) == 5000
        assert attempt(lambda: world.connections.list_connections("token")) == 5000
