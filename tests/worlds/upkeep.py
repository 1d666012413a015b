"""Many connections, with a fake of Xero and the vault that records when it is called."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus, Tenant
from feedlane.companies.organisations import Organisation
from feedlane.credentials.token_set import AccessToken
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import Write
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.upkeep.daily_round import CONNECTIONS_PER_MINUTE_MAX, DailyRound, Pacer, RoundState
from feedlane.xero.connections import XeroConnection
from local.simulator.limits import RateLimits
from tests import builders, rights
from tests.fakes.quick_table import QuickTable
from tests.rights import acting_as
from tests.worlds.base import BaseWorld

NIGHT = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
BETWEEN_RUNS = timedelta(minutes=10)
RUN_DURATION = timedelta(seconds=300)
DEAD = Problem(type="invalid_grant", title="Authorisation ended", status=400)
NOT_LISTED = Problem(type="about:blank", title="Unauthorized", status=401)


class Killed(BaseException):
    """The run ends here. Nothing in the code under test may catch it."""


class FragileTable(QuickTable):
    on_commit: Callable[[], None] = staticmethod(lambda: None)

    def commit(self, *writes: Write) -> None:
        self.on_commit()
        super().commit(*writes)
        self.on_commit()


class Xero:
    """The vault and `/connections` in one object. Each call takes time and counts against Xero's limit for the app."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tenants: dict[str, set[str]] = {}
        self.dead: set[str] = set()
        self.ended_early: set[str] = set()
        self.lost: Counter[str] = Counter()
        self.is_down = False
        self.tenants_now: dict[str, Tenant] = {}
        self.no_details: Counter[str] = Counter()
        self.token_requests: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.on_call: Callable[[], None] = lambda: None
        self.limits = RateLimits()

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        self.token_requests[token_set_id] += rejected is None
        self._record_call()
        if self.lost[token_set_id] > 0:
            self.lost[token_set_id] -= 1
            raise Unavailable("Xero's identity server did not answer (ReadTimeout)")
        if token_set_id in self.dead:
            raise ReconnectionNeeded(DEAD)
        if rejected == fingerprint(token_set_id):
            self.ended_early.discard(token_set_id)
            return AccessToken(value=f"{token_set_id} another", expires_at=self.world.now)
        return AccessToken(value=token_set_id, expires_at=self.world.now)

    def list_connections(self, access_token: str) -> list[XeroConnection]:
        self._record_call()
        token_set_id = access_token.partition(" ")[0]
        if token_set_id in self.ended_early:
            raise ReconnectionNeeded(NOT_LISTED)
        return [
            XeroConnection(id=f"xero-{tenant}", tenant_id=tenant, tenant_name=self._tenant(tenant).name)
            for tenant in self.tenants.get(token_set_id, set())
        ]

    def details(self, token_set_id: str, organisation: Organisation) -> Tenant:
        for _ in range(3):
            self._record_call()
        if self.no_details[organisation.tenant_id] > 0:
            self.no_details[organisation.tenant_id] -= 1
            raise Unavailable("The organisation is offline")
        return self._tenant(organisation.tenant_id)

    def _tenant(self, id: str) -> Tenant:
        return self.tenants_now.get(id) or builders.tenant(id, demo=True)

    def _record_call(self) -> None:
        rights.require_vault()
        self.on_call()
        self.world.now += timedelta(milliseconds=40)
        self.times.append(self.world.now)
        if self.is_down or self.limits.enter(None, False, self.world.now):
            raise Unavailable("Xero asked to retry later (outage)", 30)

    def calls_per_minute_max(self) -> int:
        window, calls_max = 0, 0
        for number, time in enumerate(self.times):
            while self.times[window] <= time - timedelta(minutes=1):
                window += 1
            calls_max = max(calls_max, number - window + 1)
        return calls_max


class World(BaseWorld):
    def __init__(self, count: int, seed: int = 1, users: int | None = None) -> None:
        """`count` linked connections of as many Xero users (or of `users`); some have ended at Xero."""
        super().__init__(NIGHT, FragileTable())
        self.rng = random.Random(seed)
        self.xero = Xero(self)
        self.ended: set[str] = set()
        self.linked: list[Connection] = []
        for number in range(count):
            self._add(f"{self.rng.getrandbits(64):016x}", f"token-set-{number % (users or count)}")

    def run(self) -> RoundState | None:
        """Runs the function once, as its schedule does."""
        deadline = self.now + RUN_DURATION
        pacer = Pacer(CONNECTIONS_PER_MINUTE_MAX, lambda: self.now.timestamp(), self._sleep)
        connection_check = ConnectionCheck(  # type: ignore[arg-type]
            self.ports, self.xero, self.xero, self.xero.details, pace=pacer.wait
        )
        with acting_as("tend_connections"):
            return DailyRound(self.ports, connection_check).run(lambda: deadline - self.now)

    def run_until_finished(self, runs_max: int = 60) -> int:
        """Runs every ten minutes until the round is finished and nothing is in doubt. Returns how many runs it took."""
        for number in range(1, runs_max + 1):
            state = self._run_until_next()
            if state is not None and state.finished and not state.again:
                return number
        raise AssertionError(
            f"not finished after {runs_max} runs: {self.round.after}, {len(self.round.again)} in doubt"
        )

    @property
    def round(self) -> RoundState:
        return RoundState.model_validate(self.table.get(keys.ROUND))

    def status(self, connection: Connection) -> ConnectionStatus:
        return company_items.connection(self.store, connection.company_id, connection.id).status

    def end_events(self) -> Counter[str]:
        """The number of events about the end of each connection, by connection id."""
        events = (item for item in self.table.inserted if item["pk"].startswith("EVENT#"))
        return Counter(item["pk"].removeprefix("EVENT#") for item in events)

    def matches_xero(self) -> bool:
        """Whether exactly the connections that have ended at Xero are deauthorised here."""
        expected = {True: ConnectionStatus.DEAUTHORIZED, False: ConnectionStatus.LINKED}
        return all(self.status(connection) is expected[connection.id in self.ended] for connection in self.linked)

    def kill_grants(self, share: float) -> None:
        """Ends the grants of some users, with all their connections."""
        for connection in self.linked:
            if fingerprint(connection.token_set_id or "")[:4] < f"{int(share * 0xFFFF):04x}":
                self.xero.dead.add(connection.token_set_id or "")
                self.ended.add(connection.id)

    def _run_until_next(self) -> RoundState | None:
        """One run, which may be killed. Afterwards it is time for the next."""
        started = self.now
        try:
            return self.run()
        except Killed:
            return None
        finally:
            self.now = max(self.now, started + BETWEEN_RUNS)

    def _add(self, id: str, token_set_id: str) -> None:
        company = builders.company(f"company-{id}")
        tenant = builders.tenant(f"tenant-{id}", demo=True)
        connection = builders.linked(
            id, company_id=company.id, linked_on=NIGHT, tenant=tenant, token_set_id=token_set_id
        )
        self.table.put_many(
            write.item for write in (company_items.add_company(company), company_items.add_connection(connection))
        )
        self.linked.append(connection)
        fate = self.rng.random()
        if fate < 0.03:
            self.ended.add(id)
            return
        self.xero.tenants.setdefault(token_set_id, set()).add(tenant.id)
        if fate < 0.05:
            self.xero.ended_early.add(token_set_id)

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
