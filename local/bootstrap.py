"""What a deployment holds when it starts: nothing but an API key, or the integration of the simulator's app."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

import httpx

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.ids import new_id
from feedlane.settings import api_keys
from feedlane.store.store import Store
from local.instance import Instance
from local.progress import Failure
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

SETTINGS = {
    "enabled": True, "bankFeeds": True, "access": "Continuous", "appName": "Feedlane local", "dailyLimit": 5000,
}  # fmt: skip


def bootstrap(instance: Instance, empty: bool) -> dict[str, Any]:
    """Runs once, after the first deployment. What it answers is added to the instance's description."""
    key = _api_key(instance)
    if not empty:
        _set_up(instance, key)
    return {"apiKey": key}


def authorization(api_key: str) -> dict[str, str]:
    """The header that the API wants: the key alone in Base64, as Codat's clients send it."""
    return {"Authorization": "Basic " + base64.b64encode(api_key.encode()).decode()}


def _api_key(instance: Instance) -> str:
    """As the operator makes the first key: with AWS credentials, straight into the table."""
    store = Store(DynamoDBTable(instance.client("dynamodb"), instance.outputs()["TableName"]))
    _, key = api_keys.create(store, datetime.now(UTC), new_id, "local")
    return key


def _set_up(instance: Instance, api_key: str) -> None:
    """The keys of the app whose Xero this is, then everything switched on; through the API, as an operator does."""
    keys = {
        "clientId": os.environ.get("FEEDLANE_XERO_CLIENT_ID") or DEFAULT_CLIENT_ID,
        "clientSecret": os.environ.get("FEEDLANE_XERO_CLIENT_SECRET") or DEFAULT_CLIENT_SECRET,
    }
    headers = authorization(api_key)
    with httpx.Client(base_url=instance.api_url, headers=headers, timeout=35, trust_env=False) as api:
        for path, body in (("credentials", keys), ("settings", SETTINGS)):
            answer = api.put(f"/integrations/gbol/{path}", json=body)
            if answer.status_code != 200:
                raise Failure(f"PUT /integrations/gbol/{path} answers {answer.status_code}: {answer.text[:400]}")
