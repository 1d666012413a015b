"""What Feedlane relies on in MiniStack, so that an upgrade that loses some of it is noticed."""

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from local.instance import REGION, STACK, Instance


@pytest.fixture
def table(instance: Instance) -> Iterator[tuple[Any, str]]:
    dynamodb, name = instance.client("dynamodb"), f"probe-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    yield dynamodb, name
    dynamodb.delete_table(TableName=name)


def put(table: str, key: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {"pk": {"S": key}, "raw": {"B": b"\x00\xff"}}, **more}}


def test_a_transaction_takes_100_items_with_binary_attributes(table: tuple[Any, str]) -> None:
    dynamodb, name = table
    dynamodb.transact_write_items(TransactItems=[put(name, str(number)) for number in range(100)])

    assert dynamodb.get_item(TableName=name, Key={"pk": {"S": "99"}})["Item"]["raw"] == {"B": b"\x00\xff"}
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put(name, str(number)) for number in range(101)])


def test_a_cancelled_transaction_writes_nothing_and_gives_each_reason(table: tuple[Any, str]) -> None:
    # Given an item that is there
    dynamodb, name = table
    dynamodb.transact_write_items(TransactItems=[put(name, "old")])

    # When a transaction wants it not to be
    condition = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.transact_write_items(TransactItems=[put(name, "new"), put(name, "old", **condition)])

    # Then the reasons stand in the order of the items, and the other item was not written
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["pk"] == {"S": "old"}
    assert "Item" not in dynamodb.get_item(TableName=name, Key={"pk": {"S": "new"}})


def test_conditions_on_partition_keys_are_let_through(instance: Instance, table: tuple[Any, str]) -> None:
    """AWS would refuse the last write. MiniStack does not know the key, and no value meets `ForAllValues`.

    So the conditions of the template are proven by the tests' own reading of them (`tests/unit/test_needs.py`). As soon
    as MiniStack knows the key, the stack tests prove them as well, and this one can go.
    """
    # Given a role that may write to one kind of partition
    iam, name = instance.client("iam"), table[1]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    try:
        dynamodb = _client_of(instance, role)
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.put_item(TableName=name, Item={"pk": {"S": "FEED#1"}})
        condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["FEED#*"]}}
        write = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*", "Condition": condition}
        iam.put_role_policy(RoleName=name, PolicyName="needs", PolicyDocument=_document(write))
        # When it writes to another kind, then nobody minds
        dynamodb.put_item(TableName=name, Item={"pk": {"S": "FEED#1"}})
        dynamodb.put_item(TableName=name, Item={"pk": {"S": "API_KEYS"}})
    finally:
        with suppress(ClientError):
            iam.delete_role_policy(RoleName=name, PolicyName="needs")
        iam.delete_role(RoleName=name)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _client_of(instance: Instance, role: str) -> Any:
    """DynamoDB's client with the rights of this role."""
    given = instance.client("sts").assume_role(RoleArn=role, RoleSessionName="probe")["Credentials"]
    return boto3.client(
        "dynamodb",
        endpoint_url=instance.aws_url,
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_a_function_learns_through_which_alias_it_was_invoked(instance: Instance) -> None:
    """The vault allows by it, and whoever uses none is refused."""
    functions, payload = instance.client("lambda"), b'{"action": "webhook_secrets", "consumer_id": "nobody"}'
    own = functions.invoke(FunctionName=f"{STACK}-credential_vault:deliver_webhooks", Payload=payload)
    assert json.loads(own["Payload"].read()) == {"ok": {"secrets": []}}
    for other in ("credential_vault", "credential_vault:portal"):
        refused = functions.invoke(FunctionName=f"{STACK}-{other}", Payload=payload)
        assert "FunctionError" in refused
        assert "may not ask the vault for webhook_secrets" in refused["Payload"].read().decode()


def test_environments_share_one_copy_of_each_layer(instance: Instance) -> None:
    """Otherwise MiniStack has changed, and `local/aws.py` does not reach what unpacks them."""
    instance.client("lambda").invoke(FunctionName=f"{STACK}-tend_connections", Payload=b'{"watch": true}')
    unpacked = list((instance.folder / "tmp").glob("ministack-lambda-*/layer_*/python"))
    assert unpacked
    assert all(path.is_symlink() for path in unpacked)


def test_forty_calls_at_once_are_answered_by_a_few_environments(instance: Instance) -> None:
    """Otherwise `local/environments.py` does not reach what leases them: forty take longer than the API waits."""
    temporary = instance.folder / "tmp"
    environments = set(temporary.glob("ministack-lambda-*"))
    limits = httpx.Limits(max_connections=40)
    with (
        httpx.Client(base_url=instance.api_url, timeout=60, trust_env=False, limits=limits) as api,
        ThreadPoolExecutor(40) as threads,
    ):
        statuses = list(threads.map(lambda _number: api.get("/companies").status_code, range(40)))
    assert statuses == [401] * 40
    assert len(set(temporary.glob("ministack-lambda-*")) - environments) < 20


def test_a_delayed_message_comes_after_its_delay(instance: Instance) -> None:
    sqs = instance.client("sqs")
    url = sqs.create_queue(QueueName=f"probe-{uuid.uuid4()}")["QueueUrl"]
    try:
        started = time.monotonic()
        sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=2)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        while "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1):
            assert time.monotonic() - started < 10
        assert time.monotonic() - started >= 1.9
    finally:
        sqs.delete_queue(QueueUrl=url)


def test_the_deployed_queues_have_the_properties_that_order_rests_on(instance: Instance) -> None:
    sqs = instance.client("sqs")
    for name, content_based in (("transactions", "true"), ("statements", "false")):
        url = sqs.get_queue_url(QueueName=f"{STACK}-{name}.fifo")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["FifoQueue"] == "true"
        assert attributes["DeduplicationScope"] == "messageGroup"
        assert attributes["FifoThroughputLimit"] == "perMessageGroupId"
        assert attributes.get("ContentBasedDeduplication", "false") == content_based


def test_every_event_source_is_connected(instance: Instance) -> None:
    mappings = instance.client("lambda").list_event_source_mappings()["EventSourceMappings"]

    assert len(mappings) == 6
    assert {mapping["State"] for mapping in mappings} == {"Enabled"}
    # The stream's function fails as a whole instead (docs/decisions.md).
    reporting = [mapping for mapping in mappings if mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"]]
    assert {mapping["EventSourceArn"].split(":")[2] for mapping in reporting} == {"sqs"}
    assert len(reporting) == 5
