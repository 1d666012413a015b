"""What Xero has refused, read from its answers as they left the simulator: what holds and reconnections are judged by.

A page of something before Xero is no refusal, and a 401 is none either: only the token endpoint, the list of
connections and a problem with a type say that something has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from feedlane.json_object import json_object
from local.simulator.state import Simulator

GRANT_ENDED, CONNECTION_MISSING = "invalid_grant", "connection missing"
_FEED_CONNECTIONS = ("/bankfeeds.xro/1.0/FeedConnections/", "/bankfeeds.xro/2.0/FeedConnections/")


class Refusal(NamedTuple):
    """`type` is that of Xero's problem or OAuth error. `subject` is a tenant, an account token at Xero, or a user."""

    at: datetime
    type: str
    subject: str


def refusals_in(sim: Simulator, method: str, path: str, tenant: str, token: str, body: bytes, answer: bytes,
                status: int, at: datetime) -> Iterator[Refusal]:  # fmt: skip
    """The refusals in one answer of the simulator."""
    if path == "/connect/token":
        yield from _of_token_endpoint(sim, body, answer, at)
    elif method == "GET" and path == "/connections" and status == 200:
        yield from _missing_connections(sim, token, answer, at)
    elif value := json_object(answer):
        request = json_object(body) or {}
        yield from _of_api(sim, path, tenant, request, value, at)


def _of_token_endpoint(sim: Simulator, body: bytes, answer: bytes, at: datetime) -> Iterator[Refusal]:
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    error = (json_object(answer) or {}).get("error")
    token = sim.refresh_tokens.get(form.get("refresh_token", ""))
    if error and form.get("grant_type") == "refresh_token":
        yield Refusal(at, error, token.grant.user.user_id if token else "")
    elif error:
        yield Refusal(at, error, "")


def _missing_connections(sim: Simulator, token: str, answer: bytes, at: datetime) -> Iterator[Refusal]:
    """Every organisation that the list of connections lacks, for this user."""
    access = sim.access_tokens.get(token)
    try:
        listed = {item["tenantId"] for item in json.loads(answer)}
    except (ValueError, TypeError, KeyError):
        return  # a page
    if access is not None and access.user is not None:
        for tenant_id in sim.organisations.keys() - listed:
            yield Refusal(at, CONNECTION_MISSING, f"{access.user.user_id} {tenant_id}")


def _of_api(
    sim: Simulator, path: str, tenant: str, request: dict[str, Any], answer: dict[str, Any], at: datetime
) -> Iterator[Refusal]:
    asked = _dicts(request.get("items"))
    for number, item in enumerate(_dicts(answer.get("items")) or [answer]):
        named = [item, asked[number] if number < len(asked) else {}]
        if path.startswith(_FEED_CONNECTIONS):
            named.append({"id": path.rpartition("/")[2]})
        subjects = {tenant, *(token for one in named for token in _account_tokens(sim, one))}
        for problem in (item, *_dicts([item.get("error")]), *_dicts(item.get("errors"))):
            if type := problem.get("type"):
                yield from (Refusal(at, str(type), subject) for subject in subjects)


def _account_tokens(sim: Simulator, item: dict[str, Any]) -> Iterator[str]:
    if "accountToken" in item:
        yield item["accountToken"]
    for name in ("feedConnectionId", "id"):
        feed = sim.feed_connections.get(str(item.get(name, "")))
        if feed is not None:
            yield feed.account_token


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
