"""Prepares a new deployment: creates an API key and, unless it is to stay empty, configures the simulator's app."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

import httpx

from feedlane import api_keys
from feedlane.ids import new_id
from feedlane.store.dynamodb import DynamoDBTable
from feedlane.store.store import Store
from local.instance import Instance
from local.progress import Failure
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

SETTINGS = {
    "enabled": True, "bankFeeds": True, "access": "Continuous", "appName": "Feedlane local", "dailyLimit": 5000,
}  # fmt: skip


def bootstrap(instance: Instance, empty: bool) -> dict[str, Any]:
    """Runs once, after the first deployment. Its result is added to the instance's description."""
    key = _create_api_key(instance)
    if not empty:
        _configure_integration(instance, key)
    return {"apiKey": key}


def authorization(api_key: str) -> dict[str, str]:
    """The API's Authorization header: only the key in Base64, as Codat's clients send it."""
    return {"Authorization": "Basic " + base64.b64encode(api_key.encode()).decode()}


def _create_api_key(instance: Instance) -> str:
    """Writes the key to the table with AWS credentials, as an operator creates the first one."""
    store = Store(DynamoDBTable(instance.client("dynamodb"), instance.outputs()["TableName"]))
    _, key = api_keys.create(store, datetime.now(UTC), new_id, "local")
    return key


def _configure_integration(instance: Instance, api_key: str) -> None:
    """Sets the app's keys and turns everything on, through the API as an operator does."""
    keys = {
        "clientId": os.environ.get("FEEDLANE_XERO_CLIENT_ID") or DEFAULT_CLIENT_ID,
        "clientSecret": os.environ.get("FEEDLANE_XERO_CLIENT_SECRET") or DEFAULT_CLIENT_SECRET,
    }
    headers = authorization(api_key)
    with httpx.Client(base_url=instance.api_url, headers=headers, timeout=35, trust_env=False) as api:
        for path, body in (("credentials", keys), ("settings", SETTINGS)):
            answer = api.put(f"/integrations/gbol/{path}", json=body)
            if answer.status_code != 200:
                raise Failure(f"PUT /integrations/gbol/{path} answered {answer.status_code}: {answer.text[:400]}")
