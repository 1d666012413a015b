"""What tests of webhooks start from: a consumer, an event in the outbox, and a deliverer with its ports in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from feedlane import event_payloads
from feedlane.clock import iso
from feedlane.company import Company
from feedlane.consumer import Consumer
from feedlane.delivering import Deliverer
from feedlane.delivery import Answer, Delivery
from feedlane.event import Event
from feedlane.hold import Hold, Scope
from feedlane.pause import Pause
from feedlane.replaying import Replayer
from feedlane.routing import route
from feedlane.store import deliveries, keys
from feedlane.store.records import emitted
from feedlane.store.store import Store
from tests.fakes.queues import FakeQueues
from tests.fakes.table import MemoryTable
from tests.fakes.upstream import NO_FEEDS

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
COMPANY = Company(id="company-1", name="Harbour Bakery Ltd", tags={"region": "uk"}, created=NOW)
SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
OK = Answer(status=204, duration_ms=12)
BROKEN = Answer(status=500, excerpt="oops", duration_ms=30)
TIMEOUT = Answer(error="timeout", duration_ms=15_000)


def hold_event(event_id: str = "event-1", now: datetime = NOW) -> Event:
    hold = Hold(
        id="hold-1",
        scope=Scope.TENANT,
        subject="tenant-1",
        reason="organisation-without-bank-feeds",
        problem=NO_FEEDS.problem,
        since=now,
        tenant_id="tenant-1",
        company_id=COMPANY.id,
        connection_id="connection-1",
    )
    return event_payloads.held(event_id, hold, 120, COMPANY, now)


@dataclass
class World:
    """The clock stands still until a test moves it; `answers` are what the consumer says next (otherwise yes)."""

    now: datetime = NOW
    jitter: float = 0.0
    table: MemoryTable = field(default_factory=MemoryTable)
    queues: FakeQueues = field(default_factory=FakeQueues)
    answers: list[Answer] = field(default_factory=list)
    posts: list[tuple[datetime, str, dict[str, str], bytes]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=lambda: [SECRET])
    headers: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while a post is under way."""
    waiting: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    """Messages that were sent: when they are seen, on which queue, and what they name."""
    ids: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = Store(self.table)
        self.deliverer = Deliverer(
            store=self.store,
            queues=self.queues,
            secrets=lambda consumer: self.secrets,
            headers=lambda consumer: self.headers,
            post=self._post,
            clock=lambda: self.now,
            jitter=lambda: self.jitter,
            new_id=lambda: f"new-{next(self.ids)}",
        )
        self.replayer = Replayer(self.store, self.queues, self.deliverer, lambda: self.now)

    def consumer(self, id: str = "consumer-1", **fields: object) -> Consumer:
        made = Consumer(id=id, url=f"https://{id}.example/hooks", created=NOW).but(**fields)
        self.store.commit(self.store.add_consumer(made))
        return made

    def change(self, consumer_id: str = "consumer-1", **fields: object) -> None:
        self.store.commit(self.store.put_consumer(self.store.consumer(consumer_id).but(**fields)))

    def happens(self, event: Event) -> Event:
        """The event is in the outbox, and has been routed."""
        self.store.commit(emitted(event))
        route(self.store, self.queues, event, self.now)
        return event

    def deliver(self, event_id: str = "event-1") -> None:
        """A message of this delivery has come."""
        self.deliverer.deliver("consumer-1", event_id)

    def delivery(self, consumer_id: str = "consumer-1", event_id: str = "event-1") -> Delivery:
        found = deliveries.find(self.store, consumer_id, event_id).delivery
        assert found is not None
        return found

    def pause(self, consumer_id: str = "consumer-1") -> Pause | None:
        return deliveries.find(self.store, consumer_id, "").pause

    def outbox(self, event_type: str) -> list[Event]:
        found = [item for item in self.table.items.values() if item["pk"].startswith("EVENT#")]
        return [event for event in map(Event.model_validate, found) if event.type == event_type]

    def work_off(self, most: int = 2000, crash: type[BaseException] | tuple[()] = ()) -> None:
        """Hands every message on when its delay is over, until none is left: the clock moves with them.

        A message on which the function crashed comes again later.
        """
        for _ in range(most):
            if not self.work_off_one(crash=crash):
                return
        raise AssertionError(f"messages go round for ever: {self.waiting}")

    def work_off_one(self, first: str = "", crash: type[BaseException] | tuple[()] = ()) -> bool:
        """The next message (of a queue); False if there is none."""
        for queue in ("deliveries", "replays"):
            for consumer_id, id, delay in self.queues.take(queue):
                self.waiting.append((self.now + timedelta(seconds=delay), queue, consumer_id, id))
        if not self.waiting:
            return False
        message = min(self.waiting, key=lambda one: (one[1] != first if first else False, one))
        self.waiting.remove(message)
        due, queue, consumer_id, id = message
        self.now = max(self.now, due)
        work = self.deliverer.deliver if queue == "deliveries" else self.replayer.work
        try:
            work(consumer_id, id)
        except crash:  # type: ignore[misc]
            self.waiting.append((self.now + timedelta(seconds=10), queue, consumer_id, id))
        return True

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.posts.append((self.now, url, headers, body))
        self.meanwhile()
        return self.answers.pop(0) if self.answers else OK


def event_key(event: Event) -> tuple[str, str]:
    return keys.event(event.subject, iso(event.time), event.id)
