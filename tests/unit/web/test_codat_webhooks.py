"""Codat's webhooks ring and are never believed: signature, time, repeats, and what comes too early or is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from feedlane.companies.connection import ConnectionStatus
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.follow_ups import FeedConnectionCheck, RecoveryCheck, StatementCheck
from local.codat_simulator.connections import sever
from local.codat_simulator.deliveries import Attempt, signed_headers
from local.codat_simulator.records import Message
from tests.worlds.codat import SIGNING, World
from tests.worlds.feeds import transactions

OTHER_SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcZ"


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.codat.link.maps = "newAccounts"
    world.go_through_link()
    world.run()
    world.subscribe()
    return world


def pushed(world: World) -> str:
    """A push that Codat has taken and ends only after an hour. Its polls are lost. Returns our operation's key."""
    world.codat.timing.push_seconds = 3600
    key = world.push(transactions(2)).key
    while (flight := world.feed().flight) is None or flight.status is not FlightStatus.PENDING:
        assert world.step()
    world.queues.take("follow_ups")
    return key


def end_of(world: World) -> Attempt:
    """Codat's word that the push has ended."""
    world.advance(hours=1)
    [attempt] = world.webhooks()
    return attempt


def rung(world: World) -> list[Any]:
    return [message for message, _ in world.queues.follow_ups]


def signed(world: World, event: Any, secret: str = SIGNING) -> Attempt:
    """An event that Codat would sign, whatever it says."""
    [consumer] = world.codat.consumers.values()
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    message = Message("msg_1", consumer.id, "any", body, None)
    return Attempt(message, consumer.url, signed_headers(replace(consumer, secret=secret), message, world.now))


def test_the_end_of_a_push_is_asked_for_at_once(world: World) -> None:
    key = pushed(world)
    assert world.receive(end_of(world)) == 204
    [check] = rung(world)
    assert isinstance(check, StatementCheck)
    assert check.once
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS
    assert world.arrived == ["t1", "t2"]


def test_what_it_says_is_not_believed(world: World) -> None:
    """A true signature on a false word: Codat is asked, and the push is still under way."""
    key = pushed(world)
    attempt = end_of(world)
    [operation] = world.codat.operations.values()
    operation.status, operation.status_code = "Pending", 202
    assert world.receive(attempt) == 204
    for _ in range(5):
        world.step()
    assert world.operation(key).status is PushStatus.PENDING


def test_the_same_webhook_rings_once(world: World) -> None:
    pushed(world)
    attempt = end_of(world)
    assert [world.receive(attempt) for _ in range(3)] == [204, 204, 204]
    assert len(rung(world)) == 1


def test_one_that_comes_before_the_answer_to_the_push_loses_nothing(world: World) -> None:
    world.codat.timing.push_seconds = 0
    key = world.push(transactions(2)).key
    early: list[int] = []

    def lose(request: Any) -> bool:
        if request.method == "POST" and "/push/" in request.url.path and not early:
            early.extend(world.receive(attempt) for attempt in world.webhooks())
        return False

    world.wire.lose = lose
    world.run()
    assert early == [204]
    assert world.operation(key).status is PushStatus.SUCCESS
    assert world.arrived == ["t1", "t2"]


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1,bm90IHRoZSBzaWduYXR1cmU="},
        {"webhook_signature": "v2,bm90IHRoZSBzaWduYXR1cmU="},
        {"webhook_id": ""},
        {"webhook_id": "msg_of_another"},
        {"webhook_id": "m" * 5000},
        {"webhook_timestamp": ""},
        {"webhook_timestamp": "yesterday"},
        {"webhook_timestamp": "1"},
        {"webhook_timestamp": "9" * 40},
    ],
)
def test_a_wrong_signature_rings_nobody(world: World, headers: dict[str, str]) -> None:
    pushed(world)
    assert world.receive(end_of(world), **headers) == 401
    assert rung(world) == []


@pytest.mark.parametrize("secret", [OTHER_SECRET, "whsec_"])
def test_the_secret_of_another_rings_nobody(world: World, secret: str) -> None:
    pushed(world)
    attempt = end_of(world)
    assert world.receive(signed(world, attempt.body, secret)) == 401
    assert rung(world) == []


def test_a_changed_body_rings_nobody(world: World) -> None:
    attempt = signed(world, {"eventType": "bankTransactions.write.successful", "payload": {"id": "one"}})
    attempt.message.body = attempt.message.body.replace(b"one", b"two")
    assert world.receive(attempt) == 401


@pytest.mark.parametrize(("seconds", "status"), [(300, 204), (301, 401), (-300, 204), (-301, 401)])
def test_an_old_webhook_is_refused_whoever_has_signed_it(world: World, seconds: int, status: int) -> None:
    attempt = signed(world, {"eventType": "any"})
    world.advance(seconds=seconds)
    assert world.receive(attempt) == status


def test_a_former_secret_still_counts(world: World) -> None:
    world.site.vault.signing = (OTHER_SECRET, SIGNING)
    assert world.receive(signed(world, {"eventType": "any"})) == 204


def test_without_a_secret_nothing_is_signed(world: World) -> None:
    world.site.vault.signing = ()
    assert world.receive(signed(world, {"eventType": "any"})) == 401


def test_while_the_vault_is_away_codat_sends_it_again(world: World) -> None:
    pushed(world)
    attempt = end_of(world)
    world.site.vault.away = True
    assert world.receive(attempt) == 503
    world.site.vault.away = False
    world.advance(seconds=5)
    [again] = world.webhooks()
    assert world.receive(again) == 204
    assert len(rung(world)) == 1


def test_a_ring_that_fails_is_not_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(world)
    attempt = end_of(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.queues, "follow_up", lambda *_: (_ for _ in ()).throw(OSError("queue")))
        assert world.receive(attempt) == 500
    assert world.receive(attempt) == 204
    assert len(rung(world)) == 1


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"not json",
        b"[1]",
        b'"text"',
        {"eventType": "bankTransactions.write.successful"},
        {"eventType": 5, "payload": 5},
        {"eventType": "bankTransactions.write.successful", "payload": {"id": "x", "connectionId": "y"}},
        {"eventType": "company.created", "payload": {"id": "x"}},
        {
            "eventType": "bankTransactions.write.successful",
            "payload": {"id": "x", "connectionId": "of-others", "referenceCompany": {"id": "of-others"}},
        },
    ],
)
def test_what_is_not_about_ours_rings_nobody(world: World, event: Any) -> None:
    pushed(world)
    assert world.receive(signed(world, event)) == 204
    assert rung(world) == []


def test_a_connection_that_ended_there_is_found_at_once(world: World) -> None:
    [connection] = world.codat.connections.values()
    sever(world.codat, connection, "Deauthorized")
    [attempt] = world.webhooks()
    assert world.receive(attempt) == 204
    assert [type(check) for check in rung(world)] == [RecoveryCheck]
    world.run()
    assert world.current().status is ConnectionStatus.DEAUTHORIZED
    assert len(world.events("connection.disconnected")) == 1


def test_a_false_word_of_an_end_ends_nothing(world: World) -> None:
    place = world.current().hosted
    assert place is not None
    payload = {"referenceCompany": {"id": place.company_id}, "connection": {"id": place.connection_id}}
    assert world.receive(signed(world, {"eventType": "connection.disconnected", "payload": payload})) == 204
    world.run()
    assert world.current().is_linked


def test_an_account_that_is_ready_is_asked_about_at_once(world: World) -> None:
    place = world.current().hosted
    assert place is not None
    payload = {
        "referenceCompany": {"id": place.company_id},
        "connectionId": place.connection_id,
        "sourceAccount": {"id": "main"},
    }
    assert world.receive(signed(world, {"eventType": "bankFeeds.sourceAccount.connected", "payload": payload})) == 204
    assert [type(check) for check in rung(world)] == [FeedConnectionCheck, RecoveryCheck]
    world.run()
