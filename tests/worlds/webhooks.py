"""A world for webhooks: consumers, events in the outbox, a deliverer and a replayer, all in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from feedlane.clock import iso
from feedlane.events.event import Event
from feedlane.events.outbox import put_event
from feedlane.holds import events as hold_events
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import Answer, Delivery
from feedlane.webhooks.pause import Pause
from feedlane.webhooks.replayer import Replayer
from feedlane.webhooks.router import route
from tests import builders, rights
from tests.builders import CONNECTION, NOW, TENANT
from tests.fakes.queues import in_chain, lineage_of
from tests.fakes.upstream import NO_FEEDS
from tests.rights import acting, acting_as
from tests.worlds.base import BaseWorld

SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
OK = Answer(status=204, duration_ms=12)
BROKEN = Answer(status=500, excerpt="oops", duration_ms=30)
TIMEOUT = Answer(error="timeout", duration_ms=15_000)


def hold_event(event_id: str = "event-1", now: datetime = NOW) -> Event:
    """An ordinary event, for tests to which its content does not matter."""
    company = builders.company(tags={"region": "uk"})
    hold = builders.hold(
        Scope.TENANT,
        TENANT,
        reason="organisation-without-bank-feeds",
        problem=NO_FEEDS.problem,
        since=now,
        tenant_id=TENANT,
        company_id=company.id,
        connection_id=CONNECTION,
    )
    return hold_events.held(builders.ports(lambda: event_id), hold, 120, company, now)


class World(BaseWorld):
    """`answers` are the consumer's next answers. After the last one it accepts everything."""

    def __init__(self, answers: Sequence[Answer] = (), **options: Any) -> None:
        super().__init__(**options)
        self.jitter = 0.0
        self.answers = list(answers)
        self.posts: list[tuple[datetime, str, dict[str, str], bytes]] = []
        self.secrets = [SECRET]
        self.headers: dict[str, str] = {}
        self.during_post: Callable[[], None] = lambda: None
        """Called during each post."""
        self.waiting: list[tuple[datetime, str, str, str]] = []
        """Messages on the queues: when each can be received, its queue, and the two ids in it."""
        deliverer = Deliverer(
            self.ports,
            secrets=self._vault_secrets,
            headers=self._vault_headers,
            post=self._post,
            jitter=lambda: self.jitter,
        )
        self.deliverer = acting("deliver_webhooks", deliverer)
        self.replayer = acting("deliver_webhooks", Replayer(self.ports, deliverer))

    def consumer(self, id: str = "consumer-1", **fields: object) -> Consumer:
        consumer = Consumer(id=id, url=f"https://{id}.example/hooks", created=NOW).but(**fields)
        self.store.commit(webhook_items.add_consumer(consumer))
        return consumer

    def change(self, consumer_id: str = "consumer-1", **fields: object) -> None:
        self.store.commit(webhook_items.put_consumer(webhook_items.consumer(self.store, consumer_id).but(**fields)))

    def happens(self, event: Event) -> Event:
        """Writes the event to the outbox and routes it."""
        self.store.commit(put_event(event))
        with acting_as("route_events"):
            route(self.ports, event, self.now)
        return event

    def deliver(self, event_id: str = "event-1") -> None:
        """Handles a message for this delivery."""
        self.deliverer.deliver("consumer-1", event_id)

    def delivery(self, consumer_id: str = "consumer-1", event_id: str = "event-1") -> Delivery:
        delivery = webhook_items.find_attempt_inputs(self.store, consumer_id, event_id).delivery
        assert delivery is not None
        return delivery

    def pause(self, consumer_id: str = "consumer-1") -> Pause | None:
        return webhook_items.find_attempt_inputs(self.store, consumer_id, "").pause

    def work_off(self, limit: int = 2000, crash: type[BaseException] | tuple[()] = ()) -> None:
        """Handles every message when its delay is over, until none is left. The clock moves along.

        A message on which the function crashed is received again later.
        """
        for _ in range(limit):
            if not self.work_off_one(crash=crash):
                return
        raise AssertionError(f"after {limit} messages the queues are not empty: {self.waiting}")

    def work_off_one(self, first: str = "", crash: type[BaseException] | tuple[()] = ()) -> bool:
        """Handles the next message, those on the queue `first` before all others. False if there is none."""
        for queue in ("deliveries", "replays"):
            for sent in self.queues.take(queue):
                self._wait(sent, queue, *sent)
        if not self.waiting:
            return False
        message = min(self.waiting, key=lambda message: (message[1] != first if first else False, message))
        self.waiting.remove(message)
        due, queue, consumer_id, id = message
        self.now = max(self.now, due)
        handle = self.deliverer.deliver if queue == "deliveries" else self.replayer.run_step
        try:
            self.queues.run("deliver_webhooks", message, lambda: handle(consumer_id, id))
        except crash:  # type: ignore[misc]
            self._wait(message, queue, consumer_id, id, 10)
        return True

    def _wait(self, sent: Any, queue: str, consumer_id: str, id: str, delay: float) -> None:
        """Keeps a message that was sent until it can be received."""
        waiting = (self.now + timedelta(seconds=delay), queue, consumer_id, id)
        self.waiting.append(in_chain(waiting, lineage_of(sent)))

    def _vault_secrets(self, consumer_id: str) -> list[str]:
        rights.require_vault("webhook_secrets")
        return self.secrets

    def _vault_headers(self, consumer_id: str) -> dict[str, str]:
        rights.require_vault("webhook_headers")
        return self.headers

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.posts.append((self.now, url, headers, body))
        self.during_post()
        return self.answers.pop(0) if self.answers else OK


def event_key(event: Event) -> tuple[str, str]:
    return keys.event(event.subject, iso(event.time), event.id)
