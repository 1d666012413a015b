"""The fakes ask for the rights that the adapters' calls need, and a refused right fails the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from feedlane.aws import clients
from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.aws.queues import SQSQueues
from feedlane.environment import environment
from feedlane.follow_ups import Wake
from feedlane.queues import Queues
from feedlane.store.table import Add, Condition, Delete, Index, Put, Table, When
from feedlane.vault.secrets import Secrets
from feedlane.vault.secrets_manager import SecretsManager
from tests import rights
from tests.fakes.queues import FakeQueues
from tests.fakes.quick_table import QuickTable
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.handlers import Context, load, sample
from tests.rights import AccessDenied, Grant, acting_as
from tests.stack.template import functions, variables_of
from tests.worlds.webhooks import World

KEY, ITEM = ("a", "b"), {"pk": "a", "sk": "b"}
Asked = list[tuple[str, ...]]
# IAM has no right to a transaction: each of its writes needs the right to that write.
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The rights that the fakes have asked for, each with its resource, and the partitions for which."""
    asked: Asked = []
    monkeypatch.setattr(rights, "require", lambda *asked_for: asked.append(asked_for))
    return asked


class Client:
    """A client of boto3 that records the rights that its calls need. It answers that there is nothing."""

    def __init__(self, service: str) -> None:
        self.needed: Asked = []
        self._service = service

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        def call(**request: Any) -> dict[str, Any]:
            resource = request.get("QueueUrl") or (
                rights.SECRETS if self._service == "secretsmanager" else rights.TABLE
            )
            self.needed += [
                (
                    f"{self._service}:{action}",
                    f"{rights.TABLE}/index/{request['IndexName']}" if request.get("IndexName") else resource,
                    *partitions,
                )
                for action, partitions in _actions(method, request)
            ]
            if method == "put_secret_value":
                raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, method)
            return {"Responses": {}, "Items": [], "VersionId": "1", "SecretString": ""}

        return call


def _actions(method: str, request: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The actions that a request needs, each with its leading keys: the partition keys that it names."""
    if method == "transact_write_items":
        # Each right is checked for all keys of the transaction: what AWS does is not documented.
        writes = [(kind, parts) for write in request["TransactItems"] for kind, parts in write.items()]
        keys = [_partition(parts) for _, parts in writes]
        return [(TRANSACTION_ACTIONS[kind], keys) for kind in dict.fromkeys(kind for kind, _ in writes)]
    return [("".join(word.capitalize() for word in method.split("_")), _leading_keys(request))]


def _leading_keys(request: dict[str, Any]) -> list[str]:
    match request:
        case {"RequestItems": {"table": {"Keys": asked}}}:
            return [key["pk"]["S"] for key in asked]
        case {"RequestItems": {"table": batch}}:
            return [_partition(parts) for write in batch for parts in write.values()]
        case {"ExpressionAttributeValues": values}:
            return [values[":pk"]["S"]]
        case {"TableName": "table"}:
            return [_partition(request)]
    return []


def _partition(parts: dict[str, Any]) -> str:
    return str((parts.get("Item") or parts["Key"])["pk"]["S"])


@pytest.mark.parametrize("fake", [MemoryTable, QuickTable])
@pytest.mark.parametrize(
    "use",
    [
        lambda table: table.get(KEY),
        lambda table: table.get_many([KEY]),
        lambda table: table.get_many([KEY, ("c", "d")]),
        lambda table: table.get_many([]),
        lambda table: list(table.query("a")),
        lambda table: list(table.query("a", index=Index.LISTS)),
        lambda table: table.commit(Put(ITEM)),
        lambda table: table.commit(Delete(KEY)),
        lambda table: table.commit(Add(KEY, "count", 1)),
        lambda table: table.commit(Condition(KEY, When(absent=True)), Put(ITEM | {"sk": "c"})),
        lambda table: table.put_many([ITEM]),
        lambda table: table.put_many([ITEM, ITEM | {"pk": "c"}]),
        lambda table: table.put_many([]),
        lambda table: table.delete_many([KEY]),
        lambda table: table.delete_many([]),
    ],
)
def test_the_tables_need_the_rights_of_dynamodbs_calls(
    asked: Asked, fake: Callable[[], Table], use: Callable[[Table], object]
) -> None:
    client = Client("dynamodb")
    use(DynamoDBTable(client, "table"))
    use(fake())
    assert asked == client.needed


@pytest.mark.parametrize(
    "use",
    [
        lambda queues: queues.push("group", "id", "body"),
        lambda queues: queues.wake("feed"),
        lambda queues: queues.follow_up(Wake(feed_id="feed"), 1),
        lambda queues: queues.deliver("consumer", "event", 1),
        lambda queues: queues.replay("consumer", "replay", 1),
        lambda queues: queues.dead_letter("group", "id", "body", "reason"),
    ],
)
def test_the_queues_need_the_rights_of_sqss_calls(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, use: Callable[[Queues], object]
) -> None:
    # Given each queue's logical id as its URL
    for function in functions():
        for name, value in variables_of(function).items():
            if name.endswith(("QUEUE_URL", "DLQ_URL")) and isinstance(value, dict):
                monkeypatch.setenv(name, value["Ref"])
    environment.cache_clear()
    client = Client("sqs")
    monkeypatch.setattr(clients, "client", lambda service: client)
    # When the adapter and the fake are used alike, then they need the same
    use(SQSQueues())
    use(FakeQueues())
    environment.cache_clear()
    assert asked == client.needed


@pytest.mark.parametrize(
    "use",
    [
        lambda secrets: secrets.current("name"),
        lambda secrets: secrets.previous("name"),
        lambda secrets: secrets.version("name", "id"),
        lambda secrets: secrets.write("name", "text"),
        lambda secrets: secrets.delete("name"),
    ],
)
def test_the_secrets_need_the_rights_of_secrets_managers_calls(asked: Asked, use: Callable[[Secrets], object]) -> None:
    client = Client("secretsmanager")
    use(SecretsManager(client, "feedlane"))
    use(MemorySecrets())
    assert asked == client.needed


def test_a_right_that_a_function_lacks_is_refused_and_remembered() -> None:
    with acting_as("route_events"), pytest.raises(AccessDenied):
        MemoryTable().commit(Delete(KEY))
    assert rights.take_refusals() == ["route_events may not dynamodb:DeleteItem on Table for a"]
    MemoryTable().commit(Delete(KEY))  # the test itself


def test_a_refusal_that_a_handler_survives_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    world, app = World(), load("route_events")
    world.consumer()
    granted = rights.granted("route_events")
    monkeypatch.setattr(rights, "granted", lambda _: granted - {Grant("sqs:SendMessage", "WebhookDeliveriesQueue")})
    monkeypatch.setattr("feedlane.aws.queues.postpone", lambda *_: None)
    app.ports = lambda: world.ports
    assert app.handler(sample("route_events"), Context())["batchItemFailures"] != []
    assert rights.take_refusals() == ["route_events may not sqs:SendMessage on WebhookDeliveriesQueue"]
