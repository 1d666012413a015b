"""Any messages in one batch leave what the same messages leave one by one: repeats, doorbells, conflicting content."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import PushOperationCheck
from feedlane.ids import derived_id, feed_id
from feedlane.pushes import doorbell
from feedlane.pushes.message import BATCH_SIZE_MAX
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.table import Index, Item
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.handlers import Context, load, sample
from tests.worlds.feeds import World, transactions

FEED = feed_id(CONNECTION, ACCOUNT)
OTHER_COMPANY = "company-2"
FIRST, SECOND = transactions(2), transactions(2, start=3, opening=20.0)
CONTENTS = {
    "first": FIRST,
    "second": SECOND,
    "both": FIRST + SECOND,
    "changed": [FIRST[0] | {"amount": 11.0}, FIRST[1]],
    "reworded": [FIRST[0] | {"description": "changed"}, FIRST[1]],
    "partly": [FIRST[0] | {"amount": 11.0}, *SECOND],
    "gap": transactions(1, start=5, opening=500.0),
    "early": transactions(1, start=6, day="2026-04-01"),
    "late": transactions(1, start=7, day="2026-05-02", opening=40.0),
    "invalid": [FIRST[0] | {"amount": "much"}],
    "none": [],
}
# Pushes that the API has accepted before the batch: numbered as their operations are.
API_PUSHES = ("first", "second", "late")
TIMED_OUT = 2
PRODUCER_KEYS = ("0d4c2f3e-6f0b-4a57-9a5e-1f2d3c4b5a69", "7b1f9a52-1c3d-4e5f-8a6b-2d3c4e5f6a7b")


@dataclass(frozen=True)
class Given:
    """What the batch meets."""

    held: bool = False
    gap_is_error: bool = False
    refusal_holds: bool = False
    delivered: bool = False
    """Whether the feed has recorded and delivered its first transactions before."""


@dataclass(frozen=True)
class Sent:
    """A message. `content` None: a doorbell. `key` names its operation: see `_key`."""

    content: str | None
    key: str = "none"
    company: str = COMPANY
    readable: bool = True
    backfill: str = "none"
    """The push that it mends, named as keys are."""


KEYS = st.sampled_from(
    ["none", *(f"api {n}" for n in range(len(API_PUSHES))), "producer 0", "producer 1", "message 0", "message 1"]
)
MESSAGES = st.builds(
    Sent,
    content=st.sampled_from([None, *CONTENTS]),
    key=KEYS,
    company=st.sampled_from([COMPANY, COMPANY, COMPANY, OTHER_COMPANY, "unknown"]),
    readable=st.sampled_from([True, True, True, True, False]),
    backfill=st.one_of(st.just("none"), KEYS),
)
REPEATED = st.lists(MESSAGES, min_size=1, max_size=4).flatmap(
    lambda pool: st.lists(st.sampled_from(pool), min_size=2, max_size=BATCH_SIZE_MAX)
)


@pytest.fixture(scope="module")
def recorder() -> ModuleType:
    return load("record_transactions")


@given(sent=st.one_of(REPEATED, st.lists(MESSAGES, max_size=BATCH_SIZE_MAX)), given_=st.builds(Given))
@example(sent=[Sent("first", "producer 0")] * 2, given_=Given())
@example(sent=[Sent(None, "api 0")] * 2, given_=Given())
@example(sent=[Sent(None, "api 0"), Sent("first", "api 0")], given_=Given(held=True))
@example(sent=[Sent("first", "producer 0"), Sent(None, "producer 0")], given_=Given())
@example(sent=[Sent(None, "producer 0"), Sent("first", "producer 0")], given_=Given())
@example(sent=[Sent("first", "producer 0"), Sent("changed", "producer 0")], given_=Given())
@example(sent=[Sent("first"), Sent("first", "message 0"), Sent("changed", "message 0")], given_=Given())
@example(
    sent=[Sent("first", "producer 0"), Sent("changed", "producer 0"), Sent("changed", "message 1")], given_=Given()
)
@example(sent=[Sent(None, f"api {TIMED_OUT}")] * 3, given_=Given(delivered=True))
@example(sent=[Sent("early", "producer 0")] * 2, given_=Given(delivered=True))
@example(sent=[Sent("first", "producer 0", OTHER_COMPANY)] * 2, given_=Given())
@example(sent=[Sent("partly"), Sent("second", backfill="message 0")], given_=Given(delivered=True, refusal_holds=True))
@example(sent=[Sent("partly"), Sent("late"), Sent("second", backfill="message 0")], given_=Given(delivered=True))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_messages_in_one_batch_leave_what_they_leave_one_by_one(
    recorder: ModuleType, sent: list[Sent], given_: Given
) -> None:
    together, apart = _world(given_), _world(given_)
    records = [_record(position, message) for position, message in enumerate(sent)]
    _invoke(recorder, together, records)
    for record in records:
        _invoke(recorder, apart, [record])
    assert _left(together) == _left(apart)

    together.run()
    apart.run()
    assert _left(together) == _left(apart)
    assert together.sent_ids() == apart.sent_ids()


@dataclass(frozen=True)
class Left:
    """What a batch has left: the ledger, the operations, and the events without their ids and times."""

    lines: list[Line]
    items: dict[str, Item]
    operations: dict[str, PushOperation]
    events: list[tuple[str, Any]]
    dead_letters: list[str]


def _left(world: World) -> Left:
    partition = {item["sk"]: item for item in world.store.table.query(keys.feed_partition(FEED))}
    operations = [
        *world.operations(),
        *map(PushOperation.model_validate, world.store.table.query(keys.pushes(OTHER_COMPANY), index=Index.LISTS)),
    ]
    return Left(
        lines=feed_items.read_lines(world.store, FEED, 1, 1000),
        items={
            sk: item
            for sk, item in partition.items()
            if sk.split("#")[0] in {"TXN", "INDEXED", "OPEN", "PUSHED", "HOLE"}
        },
        operations={f"{one.company_id} {one.key}": one.but(completed_on=None) for one in operations},
        events=[(event.type, _without_times(event.payload)) for event in world.events()],
        dead_letters=sorted(letter["body"] + letter["reason"] for letter in world.queues.dead_letters),
    )


def _without_times(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "completedOnDate"}


def _world(given_: Given) -> World:
    """With pushes that the API has accepted, and whose doorbells are still to come; one of them has timed out."""
    world = World()
    world.store.commit(company_items.add_company(builders.company(OTHER_COMPANY)))
    before = settings_items.settings(world.store)
    after = before.but(gap_is_error=given_.gap_is_error, refusal_holds_feed=given_.refusal_holds)
    world.store.commit(settings_items.put_settings(after))
    if given_.delivered:
        world.record(world.message(FIRST))
        world.run()
    world.new_id = builders.numbered_ids(1000)
    for number, name in enumerate(API_PUSHES):
        timeout = 1 if number == TIMED_OUT else None
        operation = world.push(CONTENTS[name], timeout_in_minutes=timeout)
        assert operation.key == _api_key(number)
        world.advance(minutes=2)
        if timeout:
            check = PushOperationCheck(feed_id=FEED, operation_key=operation.key, company_id=COMPANY)
            doorbell.check_operation(world.ports, world.now, check)
    for queue in ("pushed", "woken", "follow_ups"):
        world.queues.take(queue)
    if given_.held:
        world.add_hold()
    return world


def _api_key(number: int) -> str:
    return builders.numbered_id(1000 + number)


def _record(position: int, message: Sent) -> dict[str, Any]:
    """The message as Lambda passes it to the function."""
    body: dict[str, Any] = {"companyId": message.company, "connectionId": CONNECTION, "accountId": ACCOUNT}
    body["version"] = 1 if message.readable else 99
    if message.content is not None:
        body["transactions"] = CONTENTS[message.content]
    for field, name in (("pushOperationKey", message.key), ("backfill", message.backfill)):
        if key := _key(name):
            body[field] = key
    record = copy.deepcopy(sample("record_transactions")["Records"][0])
    record["messageId"], record["body"] = _message_id(position), json.dumps(body)
    record["attributes"]["MessageGroupId"] = FEED
    return dict(record)


def _key(name: str) -> str | None:
    """Of a push of the API's, of a producer's choice, or as a message of the batch without a key gets it."""
    kind, _, number = name.partition(" ")
    match kind:
        case "api":
            return _api_key(int(number))
        case "producer":
            return PRODUCER_KEYS[int(number)]
        case "message":
            return derived_id("message", FEED, _message_id(int(number)))
        case _:
            return None


def _message_id(position: int) -> str:
    return f"5f0a1b2c-0000-4000-8000-{position:012d}"


def _invoke(recorder: ModuleType, world: World, records: list[dict[str, Any]]) -> None:
    recorder.ports = lambda: world.ports  # type: ignore[attr-defined]
    assert recorder.handler({"Records": records}, Context()) == {"batchItemFailures": []}
