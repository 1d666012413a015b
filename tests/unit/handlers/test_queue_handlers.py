"""Each queue-driven function's sample event, driven through its handler, has its effect."""

from __future__ import annotations

import copy
import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from feedlane.aws import clients
from feedlane.aws import queues as sqs
from feedlane.aws.dead_letter_queue import DeadLetterQueue
from feedlane.aws.queues import SQSQueues
from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus, Tenant
from feedlane.companies.organisations import Organisation
from feedlane.credentials.token_set import AccessToken
from feedlane.errors import Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.ids import feed_id
from feedlane.queues import MESSAGE_BYTES_MAX
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementState
from feedlane.upkeep.connections import ConnectionCheck
from feedlane.upkeep.daily_round import DailyRound
from feedlane.wiring import functions as wiring
from feedlane.xero.connections import XeroConnection
from tests import builders
from tests.builders import NOW
from tests.fakes.sqs import FakeSqs
from tests.handlers import Context, load, sample
from tests.worlds.feeds import World, transactions

COMPANY = "c9f0f895-fb98-4b91-99f8-7e3d9b4e1001"
CONNECTION = "8f14e45f-ceea-467f-a8d4-d2f2d5a7c001"
FEED = feed_id(CONNECTION, "src-001")


class FakeSQS:
    def __init__(self) -> None:
        self.postponed: list[tuple[str, int]] = []

    def __call__(self, queue_url: str, receipt: str, seconds: int) -> None:
        self.postponed.append((receipt, seconds))


@pytest.fixture
def postponed(monkeypatch: pytest.MonkeyPatch) -> FakeSQS:
    fake = FakeSQS()
    monkeypatch.setattr(sqs, "postpone", fake)
    return fake


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, postponed: FakeSQS) -> World:
    world = World()
    monkeypatch.setattr(wiring, "sender", lambda: world.sender)
    monkeypatch.setattr(wiring, "checks", lambda: world.checks)
    tenant = builders.tenant("tenant-9")
    connection = builders.linked(CONNECTION, company_id=COMPANY, tenant=tenant, token_set_id="tokens-9")
    world.store.commit(
        company_items.add_company(builders.company(COMPANY)),
        company_items.add_connection(connection),
        feed_items.add_feed(builders.feed(connection, "src-001")),
    )
    return world


def recorder(world: World) -> ModuleType:
    """The function at the time of its sample event: a push is judged by today's date."""
    module = load("record_transactions")
    module.ports = lambda: world.ports  # type: ignore[attr-defined]
    return module


def feed_of(world: World) -> Feed:
    feed = feed_items.find_feed(world.store, FEED)
    assert feed is not None
    return feed


def test_a_message_is_recorded_and_its_feed_woken(world: World) -> None:
    answer = recorder(world).handler(sample("record_transactions"), Context())
    assert answer == {"batchItemFailures": []}
    assert feed_of(world).recorded_through == 2
    assert world.queues.woken == [FEED]


def test_a_message_that_fails_is_reported_and_comes_back_soon(world: World, postponed: FakeSQS) -> None:
    event = sample("record_transactions")
    handler = recorder(world).handler
    world.store.table.commit = _time_out  # type: ignore[method-assign,assignment]
    answer = handler(event, Context())
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [event["Records"][0]["messageId"]]
    assert postponed.postponed == [("receipt-1", 2)]


def test_a_push_that_its_producer_sends_twice_in_one_batch_is_recorded_once(world: World) -> None:
    """A retry under another deduplication id: both messages name one push operation."""
    event, key = sample("record_transactions"), "0d4c2f3e-6f0b-4a57-9a5e-1f2d3c4b5a69"
    [first] = event["Records"]
    first["body"] = json.dumps(json.loads(first["body"]) | {"pushOperationKey": key})
    event["Records"].append(first | {"messageId": "5f0a1b2c-0000-4000-8000-000000000002"})
    assert recorder(world).handler(event, Context()) == {"batchItemFailures": []}
    [operation] = push_operation_items.operations_of_company(world.store, COMPANY)
    assert (operation.key, operation.lines, operation.warnings) == (key, 2, ())
    assert feed_of(world).recorded_through == 2


def test_a_doorbell_that_is_sent_twice_in_one_batch_records_its_push_once(world: World) -> None:
    pushed = world.push(transactions(2))
    [doorbell] = world.take_pushed()
    event = sample("record_transactions")
    [record] = event["Records"]
    record["body"], record["attributes"]["MessageGroupId"] = doorbell.body, doorbell.group
    event["Records"].append(record | {"messageId": "5f0a1b2c-0000-4000-8000-000000000002"})
    assert recorder(world).handler(event, Context()) == {"batchItemFailures": []}
    operation = world.operation(pushed.key)
    assert (operation.through, operation.lines, operation.warnings) == (2, 2, ())
    assert world.feed().recorded_through == 2


class HurriedContext(Context):
    """Less time left at each call, as when every request takes its full time-out."""

    def __init__(self, *milliseconds_left: int) -> None:
        super().__init__()
        self._milliseconds_left = iter(milliseconds_left)

    def get_remaining_time_in_millis(self) -> int:
        return next(self._milliseconds_left)


def test_feeds_that_there_is_no_time_for_come_again_soon_and_are_first_then(
    world: World, postponed: FakeSQS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise Lambda would end the function part-way, and the last feeds might never be sent."""
    event, sent = sample("push_statements"), list[str]()
    monkeypatch.setattr(wiring, "sender", lambda: SimpleNamespace(send=sent.append))
    [record] = event["Records"][:1]
    event["Records"] = []
    for number, receives in enumerate((1, 1, 3)):
        copied = copy.deepcopy(record)
        copied |= {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": f'{{"feedId": "feed-{number}"}}'}
        copied["attributes"] |= {"MessageGroupId": f"feed-{number}", "ApproximateReceiveCount": str(receives)}
        event["Records"].append(copied)
    answer = load("push_statements").handler(event, HurriedContext(60_000, 40_000, 20_000))
    assert sent == ["feed-2", "feed-0"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert postponed.postponed == [("r1", 2)]


def test_looks_that_there_is_no_time_for_come_again_soon(world: World, postponed: FakeSQS) -> None:
    event = sample("check_statements")
    ids = [record["messageId"] for record in event["Records"]]
    answer = load("check_statements").handler(event, HurriedContext(*[1000] * len(ids)))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ids
    assert len(postponed.postponed) == len(ids)


def test_a_group_that_fails_does_not_hold_up_another(world: World) -> None:
    event = sample("record_transactions")
    unreadable = copy.deepcopy(event["Records"][0])
    unreadable["messageId"] = "5f0a1b2c-0000-4000-8000-000000000099"
    unreadable["attributes"]["MessageGroupId"] = "another/group"
    event["Records"].insert(0, unreadable)
    assert recorder(world).handler(event, Context()) == {"batchItemFailures": []}
    assert [letter["group"] for letter in world.queues.dead_letters] == ["another/group"]
    assert feed_of(world).recorded_through == 2


@pytest.mark.parametrize("room", [0, 1, 50, 2_000])
def test_a_message_as_large_as_sqs_allows_is_set_aside_whole_with_its_reason(
    world: World, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """SQS counts attributes with the body, so that the largest messages have no room for the reason in one."""
    client, queues = FakeSqs(), SQSQueues()
    monkeypatch.setattr(clients, "client", lambda service: client)
    monkeypatch.setattr(sqs, "environment", lambda: SimpleNamespace(transactions_dlq_url="dead-letters"))
    world.queues.dead_letter = queues.dead_letter  # type: ignore[method-assign]
    event = sample("record_transactions")
    large = copy.deepcopy(event["Records"][0])
    large |= {"messageId": "5f0a1b2c-0000-4000-8000-000000000099", "body": "x" * (MESSAGE_BYTES_MAX - room)}
    event["Records"].insert(0, large)
    assert recorder(world).handler(event, Context()) == {"batchItemFailures": []}
    assert feed_of(world).recorded_through == 2
    with DeadLetterQueue(client, "dead-letters") as queue:
        [letter] = queue.letters()
    assert letter.body == large["body"]
    assert letter.reason.startswith("body: is not valid JSON: Expecting value")
    assert len(letter.deduplication_id) <= 128


def test_a_woken_feed_posts_its_statement_and_a_check_ends_it(world: World) -> None:
    recorder(world).handler(sample("record_transactions"), Context())
    assert load("push_statements").handler(sample("push_statements"), Context()) == {"batchItemFailures": []}
    flight = feed_of(world).flight
    assert flight is not None
    assert flight.status is FlightStatus.PENDING
    assert load("check_statements").handler(sample("check_statements"), Context()) == {"batchItemFailures": []}
    statement = statement_items.find_statement(world.store, FEED, 1)
    assert statement is not None
    assert statement.state is StatementState.DELIVERED
    [operation] = push_operation_items.operations_of_company(world.store, COMPANY)
    assert operation.status == "Success"


def test_tending_finds_the_connection_that_was_removed_at_xero(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Vault:
        def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
            return AccessToken(value=f"token of {token_set_id}", expires_at=NOW)

    class Connections:
        def list_connections(self, access_token: str) -> list[XeroConnection]:
            tenants = {"token of tokens-1": "tenant-1", "token of tokens-9": "another"}
            return [XeroConnection(id="x", tenant_id=tenants[access_token], tenant_type="ORGANISATION")]

    def no_details(token_set_id: str, organisation: Organisation) -> Tenant:
        raise Unavailable("nobody is asked")

    connection_check = ConnectionCheck(world.ports, Vault(), Connections(), no_details)  # type: ignore[arg-type]
    monkeypatch.setattr(wiring, "daily_round", lambda: DailyRound(world.ports, connection_check))
    answer = load("tend_connections").handler(sample("tend_connections"), Context())
    assert (answer["seen"], answer["ended"], answer["finished"]) == (2, 1, True)
    assert company_items.connection(world.store, COMPANY, CONNECTION).status is ConnectionStatus.DEAUTHORIZED
    assert [event.type for event in world.events("connection.disconnected")] == ["connection.disconnected"]


def _time_out(*writes: Any) -> None:
    raise TimeoutError("the table does not answer")
