"""Rotated secrets and headers, from the vault to a receiver that verifies with `svix` or `standardwebhooks`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks

from feedlane.clock import system_clock
from feedlane.webhooks import consumers
from feedlane.webhooks.cache import ExpiringCache
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.sender import WebhookSender
from tests.contract.webhooks.receiver import Received, Receiver, running
from tests.worlds import vault


class World(vault.World):
    """Webhooks are really posted. The vault's clock can be moved; the sender uses the machine's."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self.receiver = receiver
        self.service = self.vault()
        self.deliverer = Deliverer(
            replace(self.ports, clock=system_clock),
            secrets=ExpiringCache(self.service.webhook_secrets, system_clock).get,
            headers=ExpiringCache(self.service.webhook_headers, system_clock).get,
            post=WebhookSender("any", system_clock).post,
            jitter=lambda: 0.0,
        )

    def create(self, headers: dict[str, str] | None = None) -> tuple[str, str]:
        consumer, secret = consumers.create(
            self.ports, self.service, "any", system_clock(), self.receiver.url(), [], [], False, headers
        )
        return consumer.id, secret

    def rotate(self, consumer_id: str) -> str:
        return consumers.rotate_secret(self.store, self.service, system_clock(), consumer_id)[1]

    def webhook(self, consumer_id: str) -> Received:
        """Sends a test webhook. What the receiver got."""
        test = consumers.send_test(self.ports, system_clock(), consumer_id)
        self.deliverer.deliver(consumer_id, test.event_id)
        return self.receiver.received[-1]


@pytest.fixture
def world() -> Iterator[World]:
    with running() as receiver:
        yield World(receiver)


VERIFIERS: list[Any] = [svix.webhooks, standardwebhooks.webhooks]
ERRORS = (svix.webhooks.WebhookVerificationError, standardwebhooks.webhooks.WebhookVerificationError)


@pytest.mark.parametrize("library", VERIFIERS, ids=["svix", "standardwebhooks"])
def test_for_a_day_receivers_with_either_secret_verify_and_then_only_those_with_the_new_one(
    world: World, library: Any
) -> None:
    id, old = world.create()
    new = world.rotate(id)
    sent = world.webhook(id)
    for secret in (old, new):
        library.Webhook(secret).verify(sent.body, sent.headers)
    assert len(sent.headers["webhook-signature"].split()) == 2
    world.advance(hours=24)
    world.rotate(id)  # so that the sender asks the vault again
    sent = world.webhook(id)
    library.Webhook(new).verify(sent.body, sent.headers)
    with pytest.raises(ERRORS):
        library.Webhook(old).verify(sent.body, sent.headers)


def test_a_new_secret_signs_the_next_webhook_although_the_old_one_was_remembered(world: World) -> None:
    id, old = world.create()
    before = world.webhook(id)
    svix.webhooks.Webhook(old).verify(before.body, before.headers)
    new = world.rotate(id)
    with pytest.raises(ERRORS):
        svix.webhooks.Webhook(new).verify(before.body, before.headers)
    sent = world.webhook(id)
    svix.webhooks.Webhook(new).verify(sent.body, sent.headers)  # raises if it is not signed with the new one


def test_headers_arrive_and_change_with_the_next_webhook(world: World) -> None:
    id, secret = world.create({"Authorization": "Bearer abc", "X-Codat-ClientId": "7"})
    sent = world.webhook(id)
    assert (sent.headers["authorization"], sent.headers["x-codat-clientid"]) == ("Bearer abc", "7")
    svix.webhooks.Webhook(secret).verify(sent.body, sent.headers)
    assert (sent.headers["content-type"], sent.headers["host"]) == (
        "application/json", f"127.0.0.1:{world.receiver.port}",
    )  # fmt: skip
    consumers.change(world.store, world.service, "any", id, headers={"X-Key": "new"})
    sent = world.webhook(id)
    assert sent.headers["x-key"] == "new"
    assert "authorization" not in sent.headers
