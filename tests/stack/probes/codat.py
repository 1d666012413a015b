"""Probes of what functions do with Codat: through the HTTP API, as Codat and the customer's browser reach them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from svix.webhooks import Webhook

from feedlane.ids import new_id
from local.instance import Instance
from tests.stack.codat import SECRET
from tests.stack.probes.calling import Failed

TYPE = "connection.connected"


def opens_link(link_url: str) -> str:
    """Where the customer is sent who opens it."""
    answer = httpx.get(link_url, timeout=35, trust_env=False)
    if answer.status_code != 302:
        raise Failed(f"the start of the link answers {answer.status_code}")
    return str(answer.headers["location"])


def rings(instance: Instance, company_id: str, connection_id: str) -> None:
    """A signed webhook about a connection, with its ids at Codat."""
    answer = send_webhook(instance, SECRET, {"referenceCompany": {"id": company_id}}, connection_id)
    if answer.status_code != 204:
        raise Failed(f"a webhook is answered {answer.status_code}")


def send_webhook(
    instance: Instance,
    secret: str,
    payload: dict[str, Any],
    connection_id: str = "",
    age: timedelta = timedelta(),
    id: str = "",
) -> httpx.Response:
    """As Codat sends it; with another secret, or signed some time ago, as it does not."""
    event = {"id": new_id(), "eventType": TYPE, "payload": payload | {"connection": {"id": connection_id}}}
    body, id, signed = json.dumps(event), id or f"msg_{new_id()}", datetime.now(UTC) - age
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(signed.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, signed, body),
    }
    url = f"{instance.api_url}/codat/webhooks"
    return httpx.post(url, content=body, headers=headers, timeout=35, trust_env=False)
