"""Webhooks: signed as Svix verifies them, at least once, retried by Codat's schedule."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from codat_bankfeeds.models import shared
from codat_platform.models import shared as platform_shared
from svix.webhooks import Webhook, WebhookVerificationError

from local.codat_simulator.app import create_app
from local.codat_simulator.deliveries import RETRY_SECONDS, due_attempts, record_attempt
from local.codat_simulator.state import Codat
from local.simulator.clock import Clock
from tests.contract.codat_simulator.driver import Driver, authorization, lines, path_of
from tests.contract.webhooks.receiver import Receiver, running

EVENTS = [
    "company.created",
    "company.deleted",
    "connection.created",
    "connection.connected",
    "connection.disconnected",
    "connection.deleted",
    "bankTransactions.write.successful",
    "bankTransactions.write.unsuccessful",
    "bankFeeds.sourceAccount.connected",
    "bankFeeds.sourceAccount.disconnected",
]
MODELS = {
    "company": platform_shared.CompanyWebhook,
    "connection": platform_shared.ConnectionWebhook,
    "bankTransactions": platform_shared.DataTypeWriteWebhook,
    "bankFeeds": shared.SourceAccountWebhook,
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running() as receiver:
        yield receiver


def subscribe(codat: Driver, url: str, *tags: str, events: list[str] = EVENTS) -> str:
    made = codat.call("POST", "/webhooks", {"url": url, "eventTypes": events, "companyTags": list(tags)})
    assert made.status_code == 201
    assert "secret" not in made.text
    return str(made.json()["id"])


def secret_of(codat: Driver) -> str:
    return str(codat.control("GET", "consumers")["consumers"][0]["secret"])


def wait_for(receiver: Receiver, count: int) -> None:
    until = time.monotonic() + 10
    while len(receiver.received) < count:
        assert time.monotonic() < until, "the webhooks did not come"
        time.sleep(0.01)


def messages(codat: Driver) -> list[Any]:
    return list(codat.control("GET", "messages")["messages"])


def test_svix_verifies_what_arrives(codat: Driver, receiver: Receiver) -> None:
    """The signature's time is the simulator's, which here is the real one."""
    codat.advance((datetime.now(UTC) - codat.state.now()).total_seconds())
    subscribe(codat, receiver.url())
    codat.company()
    wait_for(receiver, 2)
    first = next(one for one in receiver.received if b"company.created" in one.body)
    webhook = Webhook(secret_of(codat))
    webhook.verify(first.body, first.headers)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(first.body + b" ", first.headers)


def test_every_event_has_the_sdks_shape(codat: Driver) -> None:
    subscribe(codat, "http://127.0.0.1:9/none")
    ids = codat.ready()
    codat.push(ids, lines(1))
    codat.advance(2)
    codat.push(ids, lines(1))
    codat.advance(2)
    codat.call("DELETE", f"{path_of(ids)}/connectionInfo/bankFeedAccounts/src-001")
    codat.control("PUT", f"connections/{ids['connection_id']}", {"status": "Unlinked"})
    codat.call("DELETE", path_of(ids))
    codat.call("DELETE", f"/companies/{ids['company_id']}")
    sent = messages(codat)
    assert {message["eventType"] for message in sent} == set(EVENTS)
    for message in sent:
        model = MODELS[message["eventType"].partition(".")[0]]
        event = model.from_json(message["body"])
        assert event is not None
        assert event.event_type == message["eventType"]


def test_the_end_of_a_push_has_no_reason_in_its_event(codat: Driver) -> None:
    subscribe(codat, "http://127.0.0.1:9/none", events=["bankTransactions.write.unsuccessful"])
    ids = codat.ready()
    codat.control("POST", "outcomes", {"status": "TimedOut", "reason": "secret reason"})
    pushed = codat.push(ids, lines(1)).json()
    codat.advance(2)
    payload = json.loads(messages(codat)[0]["body"])["payload"]
    assert (payload["id"], payload["status"]) == (pushed["pushOperationKey"], "TimedOut")
    assert "record" not in payload
    assert "secret reason" not in str(payload)


def test_company_tags_choose_and_a_deleted_consumer_gets_nothing(codat: Driver) -> None:
    subscribe(codat, "http://127.0.0.1:9/none", "uid:cust_8")
    kept = subscribe(codat, "http://127.0.0.1:9/none", "uid:other", "uid:cust_7", events=["company.created"])
    codat.company()
    assert {message["consumerId"] for message in messages(codat)} == {kept}
    codat.call("DELETE", f"/webhooks/{kept}")
    codat.control("POST", "deliver")
    assert messages(codat) == []


def test_a_webhook_may_come_twice_with_the_same_id(codat: Driver, receiver: Receiver) -> None:
    codat.control("PUT", "timing", {"webhookCopies": 2})
    subscribe(codat, receiver.url(), events=["company.created"])
    codat.company()
    wait_for(receiver, 2)
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1
    message = messages(codat)[0]
    codat.control("POST", f"messages/{message['id']}/replay")
    wait_for(receiver, 3)
    assert len({received.body for received in receiver.received}) == 1


def test_a_webhook_can_come_before_the_answer_to_its_push(codat: Driver, receiver: Receiver) -> None:
    ids = codat.ready()
    subscribe(codat, receiver.url(), events=["bankTransactions.write.successful"])
    codat.control("PUT", "timing", {"pushSeconds": 0})
    codat.fault("POST", "/bankTransactions", "delay", seconds=1.5, when="after")
    pushed = codat.push(ids, lines(1)).json()
    assert len(receiver.received) == 1
    assert json.loads(receiver.received[0].body)["payload"]["id"] == pushed["pushOperationKey"]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"url": "nowhere"},
        {"eventTypes": "x"},
        {"companyTags": ["untagged"]},
        {"companyTags": ["a:b"] * 11},
    ],
)
def test_a_wrong_consumer_is_refused(codat: Driver, changes: dict[str, Any]) -> None:
    body = {"url": "https://hooks.example.com", "eventTypes": ["company.created"]} | changes
    assert codat.call("POST", "/webhooks", body).status_code == 400


def test_failures_are_retried_by_the_schedule_until_they_end() -> None:
    """In process, without a server: a test makes the attempts itself."""
    noon = datetime(2026, 6, 15, 12, tzinfo=UTC)
    sim = Codat(Clock(lambda: noon))
    app = create_app(sim)

    async def use() -> None:
        headers = {"Authorization": authorization()}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://codat", headers=headers) as http:
            await http.post("/webhooks", json={"url": "https://hooks.example.com", "eventTypes": ["company.created"]})
            await http.post("/companies", json={"name": "Bakery"})

    asyncio.run(use())
    for wait in (*RETRY_SECONDS, 0):
        (attempt,) = due_attempts(sim)
        record_attempt(sim, attempt, 503)
        assert due_attempts(sim) == []
        sim.clock.advance(wait)
    assert sim.messages[0].status == "Failure"
    assert len(sim.messages[0].attempts) == 8
    assert set(sim.messages[0].attempts) == {503}


def test_a_disabled_consumer_waits_until_it_is_enabled() -> None:
    sim = Codat(Clock(lambda: datetime(2026, 6, 15, 12, tzinfo=UTC)))
    app = create_app(sim)

    async def use() -> None:
        headers = {"Authorization": authorization()}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://codat", headers=headers
        ) as http:
            body = {"url": "https://hooks.example.com", "eventTypes": ["company.created"], "disabled": True}
            made = (await http.post("/webhooks", json=body)).json()
            await http.post("/companies", json={"name": "Bakery"})
            assert due_attempts(sim) == []
            await http.put(f"/_simulator/consumers/{made['id']}", json={"disabled": False})

    asyncio.run(use())
    assert len(due_attempts(sim)) == 1
