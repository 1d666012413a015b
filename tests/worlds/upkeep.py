"""Many connections, and Xero with the vault in front of it: what is asked, and when."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from feedlane.connection import Connection, ConnectionStatus
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.ids import fingerprint
from feedlane.problem import Problem
from feedlane.store import keys
from feedlane.store.table import Write
from feedlane.tending import Tender
from feedlane.tending_round import PER_MINUTE, Pace, Round, Rounds
from feedlane.token_set import AccessToken
from feedlane.xero.connections import XeroConnection
from local.simulator.limits import RateLimits
from tests import builders
from tests.fakes.quick_table import QuickTable
from tests.worlds.base import BaseWorld

NIGHT = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
BETWEEN_RUNS = timedelta(minutes=10)
RUN_LASTS = timedelta(seconds=300)
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
    """The vault and `/connections` in one object. Every call takes time and counts against Xero's limit for the app."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tenants: dict[str, set[str]] = {}
        self.dead: set[str] = set()
        self.ended_early: set[str] = set()
        self.lost: Counter[str] = Counter()
        self.is_down = False
        self.asked: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.on_call: Callable[[], None] = lambda: None
        self.limits = RateLimits()

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        self.asked[token_set_id] += rejected is None
        self._called()
        if self.lost[token_set_id] > 0:
            self.lost[token_set_id] -= 1
            raise Unavailable("Xero's identity server did not answer (ReadTimeout)")
        if token_set_id in self.dead:
            raise ReconnectionNeeded(DEAD)
        if rejected == fingerprint(token_set_id):
            self.ended_early.discard(token_set_id)
            return AccessToken(value=f"{token_set_id} another", expires_at=self.world.now)
        return AccessToken(value=token_set_id, expires_at=self.world.now)

    def listed(self, access_token: str) -> list[XeroConnection]:
        self._called()
        token_set_id = access_token.partition(" ")[0]
        if token_set_id in self.ended_early:
            raise ReconnectionNeeded(NOT_LISTED)
        return [XeroConnection(id=tenant, tenant_id=tenant) for tenant in self.tenants.get(token_set_id, set())]

    def _called(self) -> None:
        self.on_call()
        self.world.now += timedelta(milliseconds=40)
        self.times.append(self.world.now)
        if self.is_down or self.limits.enter(None, False, self.world.now):
            raise Unavailable("Xero asked to come back later (outage)", 30)

    def most_in_a_minute(self) -> int:
        window, most = 0, 0
        for number, time in enumerate(self.times):
            while self.times[window] <= time - timedelta(minutes=1):
                window += 1
            most = max(most, number - window + 1)
        return most


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

    def run(self) -> Round | None:
        """One run of the function, as its schedule starts it."""
        deadline = self.now + RUN_LASTS
        pace = Pace(PER_MINUTE, lambda: self.now.timestamp(), self._sleep)
        tender = Tender(self.store, self.xero, self.xero, self.clock, self.new_id, self.queues, pace.wait)  # type: ignore[arg-type]
        return Rounds(self.store, tender, self.clock).go_on(lambda: deadline - self.now)

    def runs(self, most: int = 60) -> int:
        """Runs every ten minutes until the round is finished and nothing is in doubt. Answers how many runs it took."""
        for number in range(1, most + 1):
            round = self._started()
            if round is not None and round.finished and not round.again:
                return number
        raise AssertionError(f"not finished after {most} runs: {self.round.after}, {len(self.round.again)} in doubt")

    @property
    def round(self) -> Round:
        return Round.model_validate(self.table.get(keys.ROUND))

    def status(self, connection: Connection) -> ConnectionStatus:
        return self.store.connection(connection.company_id, connection.id).status

    def told(self) -> Counter[str]:
        """How many events there were about the end of each connection."""
        events = (item for item in self.table.inserted if item["pk"].startswith("EVENT#"))
        return Counter(item["pk"].removeprefix("EVENT#") for item in events)

    def is_as_xero_has_it(self) -> bool:
        wanted = {True: ConnectionStatus.DEAUTHORIZED, False: ConnectionStatus.LINKED}
        return all(self.status(one) is wanted[one.id in self.ended] for one in self.linked)

    def _started(self) -> Round | None:
        begun = self.now
        try:
            return self.run()
        except Killed:
            return None
        finally:
            self.now = max(self.now, begun + BETWEEN_RUNS)

    def _add(self, id: str, token_set_id: str) -> None:
        company = builders.company(f"company-{id}")
        tenant = builders.tenant(f"tenant-{id}", demo=True)
        connection = builders.linked(
            id, company_id=company.id, linked_on=NIGHT, tenant=tenant, token_set_id=token_set_id
        )
        self.table.put_many(
            write.item for write in (self.store.add_company(company), self.store.add_connection(connection))
        )
        self.linked.append(connection)
        fate = self.rng.random()
        if fate < 0.03:
            self.ended.add(id)
            return
        self.xero.tenants.setdefault(token_set_id, set()).add(tenant.id)
        if fate < 0.05:
            self.xero.ended_early.add(token_set_id)

    def kill_grants(self, share: float) -> None:
        """The grants of some users end, with all their connections."""
        for connection in self.linked:
            if fingerprint(connection.token_set_id or "")[:4] < f"{int(share * 0xFFFF):04x}":
                self.xero.dead.add(connection.token_set_id or "")
                self.ended.add(connection.id)

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
