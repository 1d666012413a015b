"""Any message on the queue: none fails or blocks its group, and each is recorded, refused or set aside."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedlane.feeds import push_operation_items
from feedlane.ids import feed_id
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.handlers import Context, load, sample
from tests.unit.doors.hostile import HALF_A_PAIR, mostly, on_every_route, texts, values
from tests.worlds.feeds import World, transactions

GROUP = feed_id(CONNECTION, ACCOUNT)
MESSAGE: dict[str, Any] = {
    "version": 1, "companyId": COMPANY, "connectionId": CONNECTION, "accountId": ACCOUNT, "transactions": [],
    "pushOperationKey": None,
}  # fmt: skip
[TRANSACTION] = transactions(1)
RAW = ("", "{", "[]", "null", "[" * 100_000, '{"version":1e400}', '{"version":NaN}', "9" * 5000, '"\\ud83d"', "\ufffe")
RECORDER = load("record_transactions")
# What SQS lets a MessageGroupId be.
GROUPS = st.just(GROUP) | st.text(alphabet="abc/-!~'\"", min_size=1, max_size=128)

_transactions = st.tuples(st.sampled_from([*TRANSACTION, "transactionType", "counterparty", "reference"]), values).map(
    lambda field: [TRANSACTION | {field[0]: field[1]}]
)
_messages = st.fixed_dictionaries({name: mostly(usual) for name, usual in MESSAGE.items()}).flatmap(
    lambda message: (_transactions | values).map(lambda content: message | {"transactions": content})
)
# Only escapes can bring half a pair: SQS takes no text that has no encoding.
_bodies = st.sampled_from(RAW) | _messages.map(json.dumps) | values.map(json.dumps)


@on_every_route
@given(st.lists(st.tuples(GROUPS, _bodies), min_size=1, max_size=4))
def test_no_message_fails_and_none_is_lost(sent: list[tuple[str, str]]) -> None:
    world = World()
    good = json.dumps(MESSAGE | {"transactions": transactions(1, start=2)})
    assert _receive(world, [*sent, (GROUP, good)]) == {"batchItemFailures": []}
    operations = list(push_operation_items.operations_of_company(world.store, COMPANY))
    refused = {letter["body"] for letter in world.queues.dead_letters}
    assert all(body in refused or operations for _, body in sent)
    for letter in world.queues.dead_letters:
        assert letter["reason"].isascii()
        assert letter["reason"].isprintable()


@on_every_route
@given(texts)
def test_half_a_pair_in_any_field_is_refused_and_the_next_push_is_recorded(text: str) -> None:
    world = World()
    bad = json.dumps(MESSAGE | {"transactions": [TRANSACTION | {"description": text + HALF_A_PAIR}]})
    good = json.dumps(MESSAGE | {"transactions": [TRANSACTION]})
    assert _receive(world, [(GROUP, bad), (GROUP, good)]) == {"batchItemFailures": []}
    assert len([operation for operation in world.operations() if operation.errors]) == 1


def _receive(world: World, messages: list[tuple[str, str]]) -> Any:
    RECORDER.ports = lambda: world.ports  # type: ignore[attr-defined]
    event = sample("record_transactions")
    template = event["Records"].pop()
    for number, (group, body) in enumerate(messages):
        record = copy.deepcopy(template) | {"messageId": f"message-{number}", "body": body}
        record["attributes"]["MessageGroupId"] = group
        event["Records"].append(record)
    return RECORDER.handler(event, Context())
