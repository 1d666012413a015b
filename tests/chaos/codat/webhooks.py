"""Codat's webhooks on their way to the deployment: late, lost, twice, out of order, and some that are not true."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from feedlane.aws import queues as sqs
from feedlane.ports import Ports
from feedlane.web.link import codat_webhooks
from feedlane.web.request import Request
from feedlane.webhooks.received import SecretsCache
from local.codat_simulator.deliveries import Attempt, record_attempt, signed_headers
from local.codat_simulator.records import Consumer, Message, Operation
from tests.rights import acting_as

if TYPE_CHECKING:
    from tests.chaos.codat.world import CodatWorld

URL, PATH = "https://feedlane.example", "/codat/webhooks"
SIGNING = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
FORGED = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcZ"
EVENTS = (
    "bankTransactions.write.successful",
    "bankTransactions.write.unsuccessful",
    "connection.connected",
    "connection.disconnected",
    "connection.reconnected",
    "bankFeeds.sourceAccount.connected",
    "bankFeeds.sourceAccount.disconnected",
)
LATE_SECONDS_MAX = 5000.0


class Webhooks:
    """Delivers what the simulator has to send, each after a while of its own: so they overtake each other."""

    def __init__(self, world: CodatWorld) -> None:
        self._world = world
        self._planned: set[tuple[int, int]] = set()
        self._doubted: set[str] = set()
        self._settling: set[float] = set()
        now = world.timeline.now
        self._secrets = SecretsCache(lambda: world.vault.codat_webhook_secrets(), now)
        ports = Ports(world.store, sqs.SQSQueues(), now, world.new_id, URL)
        self._site: Any = SimpleNamespace(
            ports=ports,
            clock=now,
            store=ports.store,
            queues=ports.queues,
            codat_webhook_secrets=self._secrets.secrets,
        )
        world.codat.consumers["consumer"] = Consumer("consumer", f"{URL}{PATH}", SIGNING, [*EVENTS], [])

    def plan(self) -> None:
        """Plans what is to be sent, and when operations end by themselves: then there is more to send."""
        world = self._world
        for message in world.codat.messages:
            key = id(message), len(message.attempts)
            if message.next_at is not None and key not in self._planned:
                self._planned.add(key)
                self._plan(message)
        for operation in world.codat.unsettled:
            self._plan_end(operation)
            if operation.status == "Pending" and operation.key not in self._doubted:
                self._doubted.add(operation.key)
                if world.faults.strike("webhook_untrue"):
                    self._send_later(self._untrue(operation), SIGNING)
                if world.faults.strike("webhook_forged"):
                    self._send_later(self._untrue(operation), FORGED)

    def _plan(self, message: Message) -> None:
        faults, rng = self._world.faults, self._world.rng
        if faults.strike("webhook_lost"):
            message.next_at = None
            return
        due = max(0.0, (message.next_at - self._world.now).total_seconds()) if message.next_at else 0.0
        late = rng.uniform(0, LATE_SECONDS_MAX) if faults.strike("webhook_late") else 0.0
        for _ in range(2 if faults.strike("webhook_doubled") else 1):
            wait = due + rng.choice((0.01, 0.2, 2.0, 20.0)) + late
            self._world.timeline.start("function oauth_callback", lambda: self._receive(message, SIGNING), wait)

    def _plan_end(self, operation: Operation) -> None:
        timeline, codat = self._world.timeline, self._world.codat
        if operation.settles_at is None or operation.at_xero:
            return
        connection = codat.connections.get(operation.connection_id)
        throttled = codat.throttled.get(connection.tenant_id or "") if connection else None
        end = max(operation.settles_at, throttled) if throttled else operation.settles_at
        seconds = timeline.seconds + max(0.0, (end - self._world.now).total_seconds()) + 0.001
        if seconds not in self._settling:
            self._settling.add(seconds)
            timeline.at(seconds, self._settle)

    def _settle(self) -> None:
        self._world.causes.settle()
        self.plan()

    def _send_later(self, message: Message, secret: str) -> None:
        wait = self._world.rng.choice((0.01, 0.5, 5.0))
        self._world.timeline.start("function oauth_callback", lambda: self._receive(message, secret), wait)

    def _receive(self, message: Message, secret: str) -> None:
        """The receiving function, signed for at this moment."""
        world, now = self._world, self._world.now
        consumer = replace(world.codat.consumers["consumer"], secret=secret)
        headers = signed_headers(consumer, message, now)
        request = Request("POST", PATH, URL, headers=headers, body=message.body)
        status = 0
        try:
            with acting_as("oauth_callback"):
                status = codat_webhooks.receive(self._site, request).status
        finally:
            if message.next_at is not None:
                record_attempt(world.codat, Attempt(message, consumer.url, headers), status)
                self.plan()

    def _untrue(self, operation: Operation) -> Message:
        """Says of an operation that has not ended that it has."""
        payload = {
            "id": operation.key,
            "type": "Create",
            "referenceCompany": {"id": operation.company_id},
            "connectionId": operation.connection_id,
            "status": "Success",
        }
        event = {"id": f"untrue-{operation.key}", "eventType": EVENTS[0], "payload": payload}
        return Message(f"msg_untrue_{operation.key}", "consumer", EVENTS[0], json.dumps(event).encode(), None)
