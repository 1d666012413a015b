"""Prepares a new deployment: creates an API key and, unless it is to stay empty, configures the simulator's app."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.ids import new_id
from feedlane.settings import api_keys
from feedlane.store.store import Store
from local.codat_simulator.state import DEFAULT_API_KEY as DEFAULT_CODAT_KEY
from local.instance import Instance
from local.progress import Failure
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

SETTINGS = {
    "enabled": True, "bankFeeds": True, "access": "Continuous", "appName": "Feedlane local", "dailyLimit": 5000,
}  # fmt: skip
# What Feedlane listens to: see docs/codat-upstream.md.
CODAT_EVENTS = (
    "bankTransactions.write.successful",
    "bankTransactions.write.unsuccessful",
    "bankFeeds.sourceAccount.connected",
    "bankFeeds.sourceAccount.disconnected",
    "connection.connected",
    "connection.disconnected",
    "connection.reconnected",
)


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
    with _api(instance, api_key) as api:
        _put(api, "credentials", keys)
        _put(api, "settings", SETTINGS)


def set_up_codat(instance: Instance, api_key: str) -> None:
    """Stores Codat's API key, and the secret of its webhooks. Nothing goes through Codat yet.

    Codat itself (FEEDLANE_CODAT_API_URL, with the key FEEDLANE_CODAT_API_KEY) cannot send webhooks to this machine.
    """
    codat_key = os.environ.get("FEEDLANE_CODAT_API_KEY") or DEFAULT_CODAT_KEY
    with _api(instance, api_key) as api:
        _put(api, "credentials/codatKey", {"apiKey": codat_key})
        if instance.simulates_codat:
            _put(api, "credentials/codatWebhookSecret", {"webhookSecret": _subscribe_at_codat(instance, codat_key)})


def choose_codat(instance: Instance, api_key: str) -> None:
    """Connections to come go through Codat."""
    with _api(instance, api_key) as api:
        _put(api, "settings", {"enabled": True, "bankFeeds": True, "upstream": "codat"})


def _subscribe_at_codat(instance: Instance, codat_key: str) -> str:
    """Adds Feedlane's endpoint, as in Codat's portal, which alone shows its secret."""
    endpoint = {"url": f"{instance.api_url}/codat/webhooks", "eventTypes": CODAT_EVENTS}
    with httpx.Client(base_url=instance.codat_simulator_url, timeout=35, trust_env=False) as codat:
        made = codat.post("/webhooks", json=endpoint, headers=authorization(codat_key)).raise_for_status().json()
        consumers = codat.get("/_simulator/consumers").raise_for_status().json()["consumers"]
    return str(next(one["secret"] for one in consumers if one["id"] == made["id"]))


@contextmanager
def _api(instance: Instance, api_key: str) -> Iterator[httpx.Client]:
    headers = authorization(api_key)
    with httpx.Client(base_url=instance.api_url, headers=headers, timeout=35, trust_env=False) as api:
        yield api


def _put(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = api.put(f"/integrations/gbol/{path}", json=body)
    if answer.status_code != 200:
        raise Failure(f"PUT /integrations/gbol/{path} answered {answer.status_code}: {answer.text[:400]}")
