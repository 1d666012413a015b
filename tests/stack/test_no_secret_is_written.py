"""No secret is in anything that the deployed system has written. Runs last, over all that the session has left."""

from __future__ import annotations

import base64
import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterator

import pytest

from feedlane.ids import new_id
from local.codat_simulator.state import DEFAULT_API_KEY as CODAT_KEY
from local.instance import STACK, Instance
from local.simulator.grants import CODE_BEGINS, REFRESH_TOKEN_BEGINS
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.stack.probes.given import given
from tests.stack.written import everything

# What secrets look like: those of the simulator and of Feedlane can be told from everything else.
LOOKS_LIKE = {
    "refresh token": re.compile(re.escape(REFRESH_TOKEN_BEGINS).encode() + rb"[\w-]{20}"),
    "authorisation code": re.compile(re.escape(CODE_BEGINS).encode() + rb"[\w-]{20}"),
    "access token": re.compile(rb"eyJ[\w-]{16,}\.[\w-]{40,}"),
    "client secret": re.compile(re.escape(DEFAULT_CLIENT_SECRET).encode()),
    "client secret, for Basic": re.compile(
        re.escape(base64.b64encode(DEFAULT_CLIENT_ID.encode())[:40]) + rb"[A-Za-z0-9+/]{40}"
    ),
    "webhook secret": re.compile(rb"whsec_[A-Za-z0-9+/]{20}"),
    "Codat's API key": re.compile(re.escape(CODAT_KEY).encode()),
    "Codat's API key, for Basic": re.compile(re.escape(base64.b64encode(CODAT_KEY.encode())[:40])),
    "API key": re.compile(rb"\bfl_[\w-]{40}"),
    "API key, for Basic": re.compile(re.escape(base64.b64encode(b"fl_")) + rb"[A-Za-z0-9+/]{40}"),
}
# Each kind of place must have something in it, or nothing was searched.
KINDS = {"log", "file", "item", "change", "function", "stack"}


def test_every_pattern_knows_its_secret(instance: Instance) -> None:
    """Those that the session itself has used."""
    own, key = given(instance), instance.read_description()["apiKey"]
    grant = own.grant(own.demo_tenant)
    stored = json.loads(_secret(instance, f"token-sets/{grant['token_set_id']}"))
    keys = json.loads(_secret(instance, "app-keys"))
    consumer = new_id()
    asked = {"action": "create_webhook_secret", "consumer_id": consumer}
    webhook = own.functions.call("credential_vault:portal", asked)["ok"]["secret"]
    own.functions.call("credential_vault:portal", {"action": "delete_webhook_secret", "consumer_id": consumer})
    secrets = {
        "refresh token": stored["refresh_token"],
        "authorisation code": own.code(own.demo_tenant),
        "access token": grant["access_token"],
        "client secret": keys["client_secret"],
        "client secret, for Basic": _base64(f"{DEFAULT_CLIENT_ID}:{keys['client_secret']}"),
        "webhook secret": webhook,
        "Codat's API key": CODAT_KEY,
        "Codat's API key, for Basic": _base64(CODAT_KEY),
        "API key": key,
        "API key, for Basic": _base64(key),
    }
    assert set(secrets) == set(LOOKS_LIKE)
    unknown = [kind for kind, secret in secrets.items() if not LOOKS_LIKE[kind].search(secret.encode())]
    assert unknown == []


def test_a_secret_would_be_found_wherever_it_was_written(instance: Instance, planted: bytes) -> None:
    found = {one.where.split()[0] for one in everything(instance) if planted in one.content}
    assert found == {"log", "item", "change", "queue"}


@pytest.mark.last
def test_no_secret_is_in_any_log_item_event_message_or_configuration(instance: Instance) -> None:
    found: Counter[str] = Counter()
    searched: Counter[str] = Counter()
    for one in everything(instance):
        searched[one.where.split()[0]] += 1
        for kind, pattern in LOOKS_LIKE.items():
            if pattern.search(one.content):
                found[f"{kind} in {one.where}"] += 1
    print("searched:", dict(searched))
    assert dict(found) == {}
    assert set(searched) >= KINDS, searched
    assert searched["log"] > 50
    assert searched["change"] > 50


@pytest.fixture
def planted(instance: Instance) -> Iterator[bytes]:
    """A canary of its own in each place that functions write to."""
    canary = f"canary-{new_id()}"
    logs, sqs = instance.client("logs"), instance.client("sqs")
    group, table = "/canary", given(instance).store.table
    url = sqs.create_queue(QueueName=f"{STACK}-canary")["QueueUrl"]
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    event = {"timestamp": int(time.time() * 1000), "message": f'{{"token": "{canary}"}}'}
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[event])
    # As a statement's bytes are kept: compressed.
    table.put_many([{"pk": "CANARY", "sk": "1", "body": zlib.compress(canary.encode())}])
    sqs.send_message(QueueUrl=url, MessageBody=canary)
    yield canary.encode()
    logs.delete_log_group(logGroupName=group)
    table.delete_many([("CANARY", "1")])
    sqs.delete_queue(QueueUrl=url)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(instance: Instance, name: str) -> str:
    """As it is stored now; the only place where it may be."""
    client = instance.client("secretsmanager")
    names = [one["Name"] for page in client.get_paginator("list_secrets").paginate() for one in page["SecretList"]]
    found = next(one for one in names if one.endswith(name))
    return str(client.get_secret_value(SecretId=found)["SecretString"])
